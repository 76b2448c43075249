/**
 * One accepted TCP connection on Node, over a socket of `node:net`.
 *
 * The idea: a socket made with `onread` reads into one buffer that all connections share, which
 * spares an allocation for each chunk. Only a socket's constructor takes that option, so the handle
 * of an accepted socket is moved into a new one; a secure socket, which has to keep its handle, is
 * made to look as if it had been constructed so. Where that cannot be done, 'data' serves.
 *
 * @module
 */

import { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { TlsPeer } from "../../core/session/peer.ts";
import { CLOSE_TIMEOUT_MS, HALF_CLOSE_GRACE_MS } from "../../transport/closing.ts";
import { unmapped } from "../../transport/ip_address.ts";
import type { Accept, Transport, TransportHandler } from "../../transport/transport.ts";

const NOTHING = new Uint8Array(0);

/** Serves a socket that was accepted paused, until it ends; on a Unix socket it has a path. */
export function serveTcp(
  accepted: Socket,
  shared: Uint8Array,
  accept: Accept,
  path?: string,
): void {
  new TcpConnection(accepted, { shared, path }).start(accept);
}

/** Serves a socket whose handshake is done, until it ends. */
export function serveSecure(
  accepted: TLSSocket,
  { tls, path, shared }: SocketKind & { readonly tls: TlsPeer },
  accept: Accept,
): void {
  new TcpConnection(accepted, { tls, path, shared }).start(accept);
}

interface SocketKind {
  /** Where to read into. */
  readonly shared: Uint8Array;
  readonly tls?: TlsPeer;
  readonly path: string | undefined;
}

/** `open` to `closing` by `close`, to `ended` by `abort` or when the socket is done. */
type State = "open" | "closing" | "ended";

class TcpConnection implements Transport {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly tls: TlsPeer | undefined;
  readonly #socket: Socket;
  #handler: TransportHandler | undefined;
  #state: State = "open";
  #paused = false;
  #peerEnded = false;
  #isWriting = false;
  #error: unknown;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #onWritten = (error?: Error | null): void => {
    if (!error) this.#written();
  };

  constructor(accepted: Socket, { shared, tls, path }: SocketKind) {
    this.remoteAddress = path ?? unmapped(accepted.remoteAddress ?? "");
    this.remotePort = accepted.remotePort ?? 0;
    this.localPort = accepted.localPort ?? 0;
    this.tls = tls;
    const onChunk = (chunk: Uint8Array): boolean => {
      // `false` stops the reading.
      if (this.#state === "open") this.#handler!.onBytes(chunk);
      return !this.#paused || this.#state !== "open";
    };
    this.#socket = tls === undefined
      ? withSharedBuffer(accepted, shared, onChunk)
      : readingInto(accepted, shared, onChunk);
  }

  start(accept: Accept): void {
    const socket = this.#socket as ServedSocket;
    try {
      this.#handler = accept(this);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    socket[SERVED_BY] = this;
    socket.on("end", onEnd);
    socket.on("error", onError);
    socket.on("close", onClose);
    if (!this.#paused) socket.resume();
  }

  write(bytes: Uint8Array, length: number): boolean {
    const socket = this.#socket;
    if (this.#state !== "open" || !socket.writable) return true;
    const written = length === bytes.length ? bytes : bytes.subarray(0, length);
    if (this.tls !== undefined) {
      // Encrypted bytes never leave at once.
      this.#isWriting = true;
      socket.write(written, this.#onWritten);
      return false;
    }
    socket.write(written);
    // What left at once needs no callback. What did not is followed by an empty write, whose
    // callback says that everything before it has left: 'drain' is not emitted below the mark.
    if (socket.writableLength === 0) return true;
    this.#isWriting = true;
    socket.write(NOTHING, this.#onWritten);
    return false;
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket.resume();
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#limitWaiting();
    this.#socket.end();
    this.#socket.resume();
  }

  abort(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#socket.destroy();
  }

  #written(): void {
    this.#isWriting = false;
    if (this.#state !== "open") return;
    this.#handler!.onWritable();
    if (this.#peerEnded && !this.#isWriting) this.#endSoon();
  }

  failed(error: Error): void {
    if (this.#state === "open") this.#error = error;
  }

  peerFinished(): void {
    this.#peerEnded = true;
    if (this.#state !== "open") return;
    this.#limitWaiting();
    if (!this.#isWriting) this.#endSoon();
  }

  #endSoon(): void {
    setTimeout(() => {
      if (!this.#isWriting) this.#socket.end();
    }, HALF_CLOSE_GRACE_MS);
  }

  finish(): void {
    this.#state = "ended";
    clearTimeout(this.#timer);
    this.#handler!.onClose(this.#error);
  }

  #limitWaiting(): void {
    this.#timer ??= setTimeout(() => this.abort(), CLOSE_TIMEOUT_MS);
  }
}

/** The connection that a socket belongs to; its listeners are then shared by all of them. */
const SERVED_BY = Symbol("connection");

type ServedSocket = Socket & { [SERVED_BY]?: TcpConnection };

function onEnd(this: ServedSocket): void {
  this[SERVED_BY]?.peerFinished();
}

function onError(this: ServedSocket, error: Error): void {
  this[SERVED_BY]?.failed(error);
}

function onClose(this: ServedSocket): void {
  this[SERVED_BY]?.finish();
}

/** What an accepted socket holds on to, and what `onread` asks of it. Neither is documented. */
interface Handle {
  readonly useUserBuffer?: (buffer: Uint8Array) => void;
}

function withSharedBuffer(
  accepted: Socket,
  shared: Uint8Array,
  onChunk: (chunk: Uint8Array) => boolean,
): Socket {
  // True of every Node so far; where it is not, the first test below sends us the documented way.
  const holder = accepted as unknown as { _handle?: Handle | null };
  const handle = holder._handle;
  // One that has been read from (of a proxy) may hold bytes that only it can give.
  if (typeof handle?.useUserBuffer !== "function" || accepted.bytesRead > 0) {
    return accepted.on("data", (chunk: Uint8Array) => void onChunk(chunk));
  }
  holder._handle = null;
  return new Socket(
    {
      handle,
      allowHalfOpen: true,
      onread: {
        buffer: shared,
        callback: (count: number) => onChunk(shared.subarray(0, count)),
      },
      // `handle` is the option that is missing in the types.
    } as unknown as ConstructorParameters<typeof Socket>[0],
  );
}

/** What a socket that was constructed with `onread` has of it, by the names of the symbols. */
const ONREAD_PARTS = ["kBuffer", "kBufferCb", "kBufferGen"] as const;

/** As above, but the socket stays the owner of its handle. */
function readingInto(
  socket: Socket,
  shared: Uint8Array,
  onChunk: (chunk: Uint8Array) => boolean,
): Socket {
  const symbols = Object.getOwnPropertySymbols(socket);
  const [buffer, callback, generator] = ONREAD_PARTS.map((name) =>
    symbols.find(({ description }) => description === name)
  );
  // All of it was true of every Node so far; the tests below tell where it is not.
  const parts = socket as unknown as { _handle?: Handle | null; [name: symbol]: unknown };
  const handle = parts._handle;
  if (
    buffer === undefined || callback === undefined || generator === undefined ||
    parts[buffer] !== null || parts[generator] !== null || socket.readableLength > 0 ||
    typeof handle?.useUserBuffer !== "function"
  ) return socket.on("data", onChunk);
  parts[buffer] = shared;
  parts[callback] = (count: number) =>
    // A record may still come that was read before the pause: it waits, and so do those after it.
    socket.isPaused() || socket.readableLength > 0
      ? socket.push(shared.slice(0, count))
      : onChunk(shared.subarray(0, count));
  handle.useUserBuffer(shared);
  return socket.on("data", onChunk);
}
