/**
 * A client's end of a WebSocket as a transport, over the platform's own `WebSocket`: binary frames
 * and the subprotocol `mqtt` [MQTT-6.0.0-3].
 *
 * A WebSocket cannot be told to stop reading. What arrives while it should is held here up to a
 * bound, beyond which the connection is given up; a Receive Maximum keeps a broker below it.
 *
 * @module
 */

import { CLOSE_TIMEOUT_MS } from "../transport/closing.ts";
import type { Accept, Transport, TransportHandler } from "../transport/transport.ts";
import { ClientError } from "./client_error.ts";

const SUBPROTOCOL = "mqtt";
/** Bytes on their way out above which a write waits. */
const BUFFERED_BYTES_MAX = 65_536;
const HELD_BYTES_MAX = 16_777_216;
/** A WebSocket does not say when its buffer has become empty. */
const POLL_MS = 5;
const NORMAL_CLOSURE = 1000;

/** Opens a WebSocket; rejects with a {@linkcode ClientError}, or with the reason of the signal. */
export function dialWebSocket(
  url: string,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
  accept: Accept,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = new WebSocket(url, SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      socket.onopen = socket.onerror = socket.onclose = null;
    };
    const fail = (error: unknown): void => {
      end();
      socket.close();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    const onFailed = (): void =>
      fail(new ClientError("connect-failed", `Cannot open a WebSocket to "${url}"`));
    const timer = setTimeout(() => {
      const message = `Cannot open a WebSocket to "${url}" within ${timeoutMs} ms`;
      fail(new ClientError("timed-out", message));
    }, timeoutMs);
    signal.addEventListener("abort", onAbort);
    socket.onerror = socket.onclose = onFailed;
    socket.onopen = () => {
      end();
      const transport = new WebSocketTransport(socket);
      try {
        transport.start(accept(transport));
        resolve();
      } catch (error) {
        socket.close();
        reject(error);
      }
    };
  });
}

class WebSocketTransport implements Transport {
  readonly remoteAddress = "";
  readonly remotePort = 0;
  readonly localPort = 0;
  readonly #socket: WebSocket;
  #handler: TransportHandler | undefined;
  #state: "open" | "closing" | "closed" = "open";
  #error: unknown;
  #isPaused = false;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #pollTimer: ReturnType<typeof setTimeout> | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    const socket = this.#socket;
    socket.onmessage = ({ data }) => this.#received(data);
    socket.onerror = () => this.#fail("The WebSocket failed");
    socket.onclose = () => this.#finish();
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.#state !== "open") return true;
    // A view of ordinary memory: nobody here shares any.
    const view = bytes.subarray(0, length) as Uint8Array<ArrayBuffer>;
    this.#socket.send(view);
    if (this.#socket.bufferedAmount <= BUFFERED_BYTES_MAX) return true;
    this.#poll();
    return false;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#held.length > 0) queueMicrotask(() => this.#deliver());
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#socket.close(NORMAL_CLOSURE);
    this.#closeTimer = setTimeout(() => this.#finish(), CLOSE_TIMEOUT_MS);
  }

  abort(): void {
    if (this.#state === "closed") return;
    this.#state = "closing";
    this.#socket.close();
    // The other end may never answer; nobody waits for it.
    queueMicrotask(() => this.#finish());
  }

  #received(data: unknown): void {
    if (this.#state !== "open") return;
    // [MQTT-6.0.0-1]
    if (!(data instanceof ArrayBuffer)) return this.#fail("The WebSocket sent a text frame");
    const chunk = new Uint8Array(data);
    if (!this.#isPaused && this.#held.length === 0) return this.#handler!.onBytes(chunk);
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > HELD_BYTES_MAX) this.#fail("Too much arrived that nobody reads");
  }

  #deliver(): void {
    let count = 0;
    while (count < this.#held.length && !this.#isPaused && this.#state === "open") {
      const chunk = this.#held[count++]!;
      this.#heldBytes -= chunk.length;
      this.#handler!.onBytes(chunk);
    }
    this.#held.splice(0, count);
  }

  #poll(): void {
    this.#pollTimer = setTimeout(() => {
      if (this.#state !== "open") return;
      if (this.#socket.bufferedAmount > BUFFERED_BYTES_MAX / 2) this.#poll();
      else this.#handler!.onWritable();
    }, POLL_MS);
  }

  #fail(message: string): void {
    if (this.#state !== "open") return;
    this.#error = new ClientError("connection-lost", message);
    this.abort();
  }

  #finish(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#pollTimer);
    clearTimeout(this.#closeTimer);
    const socket = this.#socket;
    socket.onmessage = socket.onerror = socket.onclose = null;
    this.#held = [];
    this.#handler!.onClose(this.#error);
  }
}
