/**
 * One accepted TCP connection on Deno, over `conn.read` and `conn.write`. Its streams are not used:
 * they allocate 64 KiB for each read and two promises for each write.
 *
 * The idea: one loop reads for the whole life of the connection, and every way of ending it makes
 * that loop end; `onClose` is called at the loop's end and nowhere else.
 *
 * @module
 */

import { CLOSE_TIMEOUT_MS, HALF_CLOSE_GRACE_MS } from "../../transport/closing.ts";
import type { Accept, Transport, TransportHandler } from "../../transport/transport.ts";
import { type ReadBuffers, SMALL_BYTES } from "./read_buffers.ts";

/** Serves one connection until it ends; rejects only with what `onClose` throws. */
export function serveTcp(
  conn: Deno.TcpConn | Deno.UnixConn,
  surroundings: Surroundings,
  accept: Accept,
): Promise<void> {
  const connection = new TcpConnection(conn, surroundings);
  return connection.run(accept(connection));
}

interface Surroundings {
  readonly buffers: ReadBuffers;
  /** The address of a connection by a Unix socket. */
  readonly path: string | undefined;
}

/** `open` to `closing` by `close`, to `ended` by `abort` or when the socket is done. */
type State = "open" | "closing" | "ended";

class TcpConnection implements Transport {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly #conn: Deno.TcpConn | Deno.UnixConn;
  readonly #buffers: ReadBuffers;
  readonly #small: Uint8Array<ArrayBuffer> = new Uint8Array(SMALL_BYTES);
  #large: Uint8Array<ArrayBuffer> | undefined;
  #handler: TransportHandler | undefined;
  #state: State = "open";
  #paused = false;
  #peerEnded = false;
  /** What is being written, and how much of it has left. */
  #outgoing: Uint8Array | undefined;
  #written = 0;
  #error: unknown;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Wakes the loop where it waits for `resume` or for a write. */
  #wake: (() => void) | undefined;
  readonly #onWritten = (count: number): void => this.#advance(count);
  readonly #onWriteFailed = (error: unknown): void => {
    this.#outgoing = undefined;
    this.#fail(error);
    this.#wakeUp();
  };

  constructor(conn: Deno.TcpConn | Deno.UnixConn, { buffers, path }: Surroundings) {
    this.#conn = conn;
    this.#buffers = buffers;
    const isTcp = "setNoDelay" in conn;
    this.remoteAddress = isTcp ? conn.remoteAddr.hostname : path ?? "";
    this.remotePort = isTcp ? conn.remoteAddr.port : 0;
    this.localPort = isTcp ? conn.localAddr.port : 0;
    if (isTcp) conn.setNoDelay(true);
  }

  async run(handler: TransportHandler): Promise<void> {
    this.#handler = handler;
    try {
      await this.#readAll(handler);
      await this.#finishWriting();
    } catch (error) {
      this.#fail(error);
    }
    this.abort();
    // A write that was under way still refers to its buffer; it fails now that the socket is gone.
    while (this.#outgoing !== undefined) await this.#sleep();
    clearTimeout(this.#timer);
    this.#returnLarge();
    handler.onClose(this.#error);
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.#state !== "open") return true;
    this.#outgoing = length === bytes.length ? bytes : bytes.subarray(0, length);
    this.#written = 0;
    this.#send(this.#outgoing);
    return false;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wakeUp();
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#limitWaiting();
    if (this.#outgoing === undefined) this.#shutDown();
    this.#wakeUp();
  }

  abort(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#conn.close();
    this.#wakeUp();
  }

  async #readAll(handler: TransportHandler): Promise<void> {
    while (this.#state !== "ended") {
      const buffer = this.#large ?? this.#small;
      const count = await this.#conn.read(buffer);
      while (this.#paused && this.#state === "open") await this.#sleep();
      if (count === null) {
        this.#peerEnded = true;
        return;
      }
      if (this.#state === "open") handler.onBytes(buffer.subarray(0, count));
      if (count < buffer.length) this.#returnLarge();
      else this.#large ??= this.#buffers.borrow();
      while (this.#paused && this.#state === "open") await this.#sleep();
    }
  }

  async #finishWriting(): Promise<void> {
    if (this.#state === "ended") return;
    if (this.#state === "open") {
      this.#limitWaiting();
      await new Promise<void>((resolve) => setTimeout(resolve, HALF_CLOSE_GRACE_MS));
    }
    while (this.#outgoing !== undefined) await this.#sleep();
  }

  #send(bytes: Uint8Array): void {
    this.#conn.write(bytes).then(this.#onWritten, this.#onWriteFailed);
  }

  #advance(count: number): void {
    const outgoing = this.#outgoing!;
    this.#written += count;
    if (this.#written < outgoing.length && this.#state !== "ended") {
      this.#send(outgoing.subarray(this.#written));
      return;
    }
    this.#outgoing = undefined;
    if (this.#state === "closing" && !this.#peerEnded) this.#shutDown();
    else if (this.#state === "open") this.#handler!.onWritable();
    this.#wakeUp();
  }

  /** Ends our writing side; the loop goes on reading until the peer ends its own. */
  #shutDown(): void {
    this.#conn.closeWrite().catch(() => this.abort());
  }

  /** Keeps the first error, unless it is only the echo of our own `close` or `abort`. */
  #fail(error: unknown): void {
    if (this.#state === "open") this.#error = error;
    this.abort();
  }

  #limitWaiting(): void {
    this.#timer ??= setTimeout(() => this.abort(), CLOSE_TIMEOUT_MS);
  }

  #returnLarge(): void {
    if (this.#large === undefined) return;
    this.#buffers.giveBack(this.#large);
    this.#large = undefined;
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
