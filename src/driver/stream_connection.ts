/**
 * Any pair of Web Streams of bytes as a transport: WebTransport, WebSocketStream, a pipe between
 * workers, or whatever an embedder has. TCP does not go this way, because a stream costs promises
 * for each chunk; the runtimes' adapters do that natively.
 *
 * The idea: one loop reads for the whole life of the connection, and `onClose` is called at its
 * end. What is written is copied, since a stream may keep a chunk for long after it took it.
 *
 * @module
 */

import { CLOSE_TIMEOUT_MS, HALF_CLOSE_GRACE_MS } from "../transport/closing.ts";
import type { Accept, Transport, TransportHandler } from "../transport/transport.ts";

/** Both directions of a connection. */
export interface ByteDuplex {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** Where the other side is, if there is such a place. */
export interface StreamAddress {
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly localPort?: number;
}

/** Serves a duplex until it ends; rejects only with what `onClose` throws. */
export function serveStream(
  duplex: ByteDuplex,
  accept: Accept,
  address: StreamAddress = {},
): Promise<void> {
  const connection = new StreamConnection(duplex, address);
  return connection.run(accept(connection));
}

/** `open` to `closing` by `close`, to `ended` by `abort` or when both streams are done. */
type State = "open" | "closing" | "ended";

class StreamConnection implements Transport {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #handler: TransportHandler | undefined;
  #state: State = "open";
  #isPaused = false;
  #isWriting = false;
  #error: unknown;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isFlushing = false;
  #isFlushed = false;
  /** Wakes the loop where it waits for `resume` or for a write. */
  #wake: (() => void) | undefined;
  readonly #onReady = (): void => this.#written();
  readonly #onFailed = (error: unknown): void => this.#fail(error);

  constructor(duplex: ByteDuplex, address: StreamAddress) {
    this.remoteAddress = address.remoteAddress ?? "";
    this.remotePort = address.remotePort ?? 0;
    this.localPort = address.localPort ?? 0;
    this.#reader = duplex.readable.getReader();
    this.#writer = duplex.writable.getWriter();
  }

  async run(handler: TransportHandler): Promise<void> {
    this.#handler = handler;
    this.#writer.closed.catch(this.#onFailed);
    try {
      await this.#readAll(handler);
      await this.#finishWriting();
    } catch (error) {
      this.#fail(error);
    }
    this.abort();
    clearTimeout(this.#timer);
    handler.onClose(this.#error);
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.#state !== "open") return true;
    const writer = this.#writer;
    writer.write(bytes.slice(0, length)).catch(this.#onFailed);
    if ((writer.desiredSize ?? 0) > 0) return true;
    this.#isWriting = true;
    writer.ready.then(this.#onReady, this.#onFailed);
    return false;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#wakeUp();
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#limitWaiting();
    this.#flush();
    this.#wakeUp();
  }

  abort(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    const reason = this.#error ?? new DOMException("The connection has ended", "AbortError");
    // A stream that is done or broken refuses both, which is where we want it.
    this.#reader.cancel(reason).catch(this.#onFailed);
    this.#writer.abort(reason).catch(this.#onFailed);
    this.#wakeUp();
  }

  async #readAll(handler: TransportHandler): Promise<void> {
    while (this.#state !== "ended") {
      while (this.#isPaused && this.#state === "open") await this.#sleep();
      const { done, value } = await this.#reader.read();
      while (this.#isPaused && this.#state === "open") await this.#sleep();
      if (done) return;
      if (this.#state === "open") handler.onBytes(value);
    }
  }

  /** The peer has ended its side: it gets the answers to what it sent, then we end ours. */
  async #finishWriting(): Promise<void> {
    if (this.#state === "open") {
      this.#limitWaiting();
      await new Promise<void>((resolve) => setTimeout(resolve, HALF_CLOSE_GRACE_MS));
      while (this.#isWriting && this.#state === "open") await this.#sleep();
    }
    this.#flush();
    // Not awaited itself: a sink that hangs never settles it, but an abort wakes us.
    while (!this.#isFlushed && this.#state !== "ended") await this.#sleep();
  }

  #written(): void {
    this.#isWriting = false;
    if (this.#state === "open") this.#handler!.onWritable();
    this.#wakeUp();
  }

  #flush(): void {
    if (this.#isFlushing || this.#state === "ended") return;
    this.#isFlushing = true;
    this.#writer.close().then(() => {
      this.#isFlushed = true;
      this.#wakeUp();
    }, this.#onFailed);
  }

  /** Keeps the first error, unless it is only the echo of our own `close` or `abort`. */
  #fail(error: unknown): void {
    if (this.#state === "open") this.#error = error;
    this.abort();
  }

  #limitWaiting(): void {
    this.#timer ??= setTimeout(() => this.abort(), CLOSE_TIMEOUT_MS);
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
