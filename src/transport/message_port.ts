/**
 * A MessagePort as a transport, the same at both ends: between a page and the worker that is its
 * broker, or between any two workers. Bytes are transferred, never cloned.
 *
 * A port takes whatever it is given and has no end of its own, so both are agreed upon here. What
 * is posted is a `Uint8Array` of bytes; a number, which says how many of them have been dealt with;
 * `"end"`, after which its sender neither writes nor reads, answered by the same; `"abort"`; or
 * `"lock:"` and a name (`life_lock.ts`). Who has `WINDOW_BYTES` out that have not been dealt with
 * posts no more of them.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import { CLOSE_TIMEOUT_MS } from "./closing.ts";
import { holdLifeLock, watchLifeLock } from "./life_lock.ts";
import type { Accept, Transport, TransportHandler } from "./transport.ts";

/** Bytes under way above which a write waits. */
const WINDOW_BYTES = 65_536;
/** Bytes that have been dealt with before the other end is told: a message for each costs more. */
const CREDIT_BYTES = WINDOW_BYTES / 2;
const LOCK = "lock:";
/** What has been posted may arrive later than the news that its sender is gone. */
const GONE_GRACE_MS = 100;

type PortAddress = Partial<Pick<Transport, "remoteAddress" | "remotePort" | "localPort">>;

/** Serves a port until its connection ends; rejects only with what `onClose` throws. */
export function servePort(
  port: MessagePort,
  accept: Accept,
  address: PortAddress = {},
): Promise<void> {
  const connection = new PortConnection(port, address);
  return connection.run(accept(connection));
}

class PortConnection implements Transport {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly #port: MessagePort;
  #handler: TransportHandler | undefined;
  #onEnd: () => void = () => {};
  #state: "open" | "closing" | "ended" = "open";
  #error: unknown;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Bytes that left and that the other end has not dealt with. */
  #sentBytes = 0;
  #isWriting = false;
  #isPaused = false;
  /** What arrived and waits for `resume`. */
  #held: Uint8Array[] = [];
  /** Bytes that arrived and that the other end does not know to be dealt with. */
  #owedBytes = 0;
  #dealtBytes = 0;
  /** The other end neither writes nor reads any more. */
  #isPeerGone = false;
  #isWatching = false;
  readonly #ending = new AbortController();

  constructor(port: MessagePort, address: PortAddress) {
    const { remoteAddress = "", remotePort = 0, localPort = 0 } = address;
    this.#port = port;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.localPort = localPort;
  }

  async run(handler: TransportHandler): Promise<void> {
    this.#handler = handler;
    await new Promise<void>((resolve) => {
      // It may have been aborted while it was accepted.
      if (this.#state === "ended") return resolve();
      this.#onEnd = resolve;
      const port = this.#port;
      port.addEventListener("close", this.#onGone);
      port.onmessageerror = () => this.#fail("The port cannot take what was sent");
      port.onmessage = ({ data }) => this.#take(data);
      holdLifeLock(this.#ending.signal, (name) => port.postMessage(LOCK + name));
    });
    handler.onClose(this.#error);
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.#state !== "open" || this.#isPeerGone) return true;
    const chunk = new Uint8Array(length);
    chunk.set(bytes.subarray(0, length));
    this.#port.postMessage(chunk, [chunk.buffer]);
    this.#sentBytes += length;
    this.#isWriting = this.#sentBytes >= WINDOW_BYTES;
    return !this.#isWriting;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    queueMicrotask(() => this.#deliver());
  }

  close(): void {
    if (this.#state !== "open") return;
    if (this.#isPeerGone) return this.#end("end");
    this.#state = "closing";
    this.#held = [];
    this.#port.postMessage("end");
    this.#timer ??= setTimeout(() => this.#end("abort"), CLOSE_TIMEOUT_MS);
  }

  abort(): void {
    this.#end("abort");
  }

  #take(data: unknown): void {
    if (data instanceof Uint8Array) this.#receive(data);
    else if (typeof data === "number") this.#credit(data);
    else if (data === "end") this.#losePeer(undefined);
    else if (data === "abort") this.#losePeer("The other end of the port aborted");
    else if (typeof data === "string" && data.startsWith(LOCK)) this.#watch(data);
    else this.#fail("The other end of the port sent neither bytes nor a word");
  }

  #watch(word: string): void {
    if (this.#isWatching) return this.#fail("The other end of the port named a second lock");
    this.#isWatching = true;
    const onGone = (): void => {
      if (this.#state === "closing") this.#onGone();
      else this.#timer ??= setTimeout(this.#onGone, GONE_GRACE_MS);
    };
    watchLifeLock(word.slice(LOCK.length), this.#ending.signal, onGone)
      .catch((error) => this.#fail(error));
  }

  #receive(chunk: Uint8Array): void {
    if (this.#state !== "open" || this.#isPeerGone || chunk.length === 0) return;
    if (this.#owedBytes >= WINDOW_BYTES) {
      return this.#fail("The other end of the port sent more than it may");
    }
    this.#owedBytes += chunk.length;
    this.#held.push(chunk);
    this.#deliver();
  }

  #deliver(): void {
    const held = this.#held;
    let count = 0;
    while (count < held.length && !this.#isPaused && this.#state === "open") {
      const chunk = held[count++]!;
      this.#dealtBytes += chunk.length;
      this.#tell((handler) => handler.onBytes(chunk));
    }
    held.splice(0, count);
    if (this.#state !== "open" || this.#isPaused) return;
    if (this.#isPeerGone) this.#end("end");
    else if (this.#dealtBytes >= CREDIT_BYTES) {
      this.#port.postMessage(this.#dealtBytes);
      this.#owedBytes -= this.#dealtBytes;
      this.#dealtBytes = 0;
    }
  }

  #credit(bytes: number): void {
    if (this.#state !== "open" || this.#isPeerGone) return;
    if (!(bytes > 0 && bytes <= this.#sentBytes)) {
      return this.#fail("The other end of the port dealt with what was not sent");
    }
    this.#sentBytes -= bytes;
    if (this.#isWriting && this.#sentBytes < WINDOW_BYTES) this.#freeWrite();
  }

  #freeWrite(): void {
    this.#isWriting = false;
    this.#tell((handler) => handler.onWritable());
  }

  /** What has arrived is still delivered; without a reason the other end has said good-bye. */
  #losePeer(reason: string | undefined): void {
    if (this.#state === "closing") return this.#end("end");
    if (this.#state === "ended" || this.#isPeerGone) return;
    this.#isPeerGone = true;
    if (reason !== undefined) this.#error = new OperationError("closed", reason);
    // Who reads no more because nobody takes what it wrote would wait for ever.
    if (this.#isPaused && this.#isWriting) this.#freeWrite();
    this.#deliver();
  }

  /** The page or worker of the other end has gone. */
  readonly #onGone = (): void => this.#losePeer("The other end of the port is gone");

  #tell(call: (handler: TransportHandler) => void): void {
    try {
      call(this.#handler!);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#state === "open") {
      this.#error = typeof error === "string" ? new OperationError("closed", error) : error;
    }
    this.#end("abort");
  }

  #end(word: "end" | "abort"): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    clearTimeout(this.#timer);
    this.#ending.abort();
    this.#held = [];
    const port = this.#port;
    port.postMessage(word);
    port.onmessage = port.onmessageerror = null;
    port.removeEventListener("close", this.#onGone);
    port.close();
    this.#onEnd();
  }
}
