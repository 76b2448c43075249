/**
 * One accepted TCP connection on Bun, over a socket of `Bun.listen`.
 *
 * The idea: `socket.write` takes what fits and says how much; the rest waits here for 'drain'. Bun
 * calls 'close' from inside `terminate` and 'drain' whenever it likes, so the first is put off and
 * the second is heeded only while something waits.
 *
 * @module
 */

import { CLOSE_TIMEOUT_MS, HALF_CLOSE_GRACE_MS } from "../../transport/closing.ts";
import type { Accept, Transport, TransportHandler } from "../../transport/transport.ts";
import type { ListenOptions } from "../runtime.ts";
import type { BunSocket, BunSocketHandlers } from "./bun_api.ts";

interface Surroundings {
  readonly onError: ListenOptions["onError"];
  /** The address of a connection by a Unix socket. */
  readonly path: string | undefined;
}

/** What `Bun.listen` is given: each event goes to the connection that the socket carries. */
export function tcpHandlers(
  accept: Accept,
  { onError, path }: Surroundings,
): BunSocketHandlers<TcpConnection | undefined> {
  return {
    open(socket) {
      const connection = new TcpConnection(socket, path);
      socket.data = connection;
      try {
        connection.start(accept);
      } catch (error) {
        socket.data = undefined;
        socket.terminate();
        onError?.(error);
      }
    },
    data: (socket, chunk) => socket.data?.received(chunk),
    drain: (socket) => socket.data?.drained(),
    end: (socket) => socket.data?.peerFinished(),
    close: (socket, error) => socket.data?.closed(error),
    error: (socket, error) => socket.data?.failed(error),
  };
}

/** `open` to `closing` by `close`, to `ended` by `abort` or when the socket is done. */
type State = "open" | "closing" | "ended";

/** A transport, and what Bun tells it. */
export class TcpConnection implements Transport {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly #socket: BunSocket<TcpConnection | undefined>;
  #handler: TransportHandler | undefined;
  #state: State = "open";
  #isPaused = false;
  #peerEnded = false;
  /** What waits for the kernel: bytes `#sent` to `#length`. */
  #outgoing: Uint8Array | undefined;
  #sent = 0;
  #length = 0;
  #error: unknown;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: BunSocket<TcpConnection | undefined>, path: string | undefined) {
    this.#socket = socket;
    this.remoteAddress = path ?? socket.remoteAddress;
    this.remotePort = path === undefined ? socket.remotePort : 0;
    this.localPort = path === undefined ? socket.localPort : 0;
    if (path === undefined) socket.setNoDelay(true);
  }

  start(accept: Accept): void {
    this.#handler = accept(this);
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.#state !== "open") return true;
    const sent = this.#socket.write(bytes, 0, length);
    // Negative once the socket is closed: 'close' is on its way.
    if (sent === length || sent < 0) return true;
    this.#outgoing = bytes;
    this.#sent = sent;
    this.#length = length;
    return false;
  }

  pause(): void {
    if (this.#isPaused || this.#state !== "open") return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#limitWaiting();
    if (this.#outgoing === undefined) this.#socket.shutdown();
    this.resume();
  }

  abort(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#socket.terminate();
  }

  received(chunk: Uint8Array): void {
    if (this.#state === "open") this.#handler!.onBytes(chunk);
  }

  drained(): void {
    if (this.#outgoing === undefined || this.#state === "ended") return;
    const sent = this.#socket.write(this.#outgoing, this.#sent, this.#length - this.#sent);
    if (sent < 0) return;
    this.#sent += sent;
    if (this.#sent < this.#length) return;
    this.#outgoing = undefined;
    if (this.#state === "closing") {
      this.#socket.shutdown();
      return;
    }
    this.#handler!.onWritable();
    if (this.#peerEnded) this.#endSoon();
  }

  peerFinished(): void {
    this.#peerEnded = true;
    if (this.#state !== "open") return;
    this.#limitWaiting();
    this.#endSoon();
  }

  failed(error: unknown): void {
    if (this.#state === "open") this.#error ??= error;
  }

  closed(error: unknown): void {
    if (error !== undefined) this.failed(error);
    this.#state = "ended";
    clearTimeout(this.#timer);
    queueMicrotask(() => {
      this.#outgoing = undefined;
      this.#handler!.onClose(this.#error);
    });
  }

  #endSoon(): void {
    setTimeout(() => {
      if (this.#outgoing === undefined) this.close();
    }, HALF_CLOSE_GRACE_MS);
  }

  #limitWaiting(): void {
    this.#timer ??= setTimeout(() => this.abort(), CLOSE_TIMEOUT_MS);
  }
}
