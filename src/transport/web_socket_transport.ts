/**
 * A standard `WebSocket` object as a transport, at either end: binary frames in, binary frames out
 * [MQTT-6.0.0-1]. Where a connection can be had as bytes, websocket.ts and websocket_client.ts put
 * the frames on it themselves, which is cheaper and can be paused; this is for platforms that give
 * nothing but the object.
 *
 * The idea: such an object cannot be told to stop reading. What arrives while it should is held
 * here up to a bound, beyond which the connection is given up. How much of what was written has not
 * left is what it calls `bufferedAmount`, and nobody tells when that has become little.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import { CLOSE_TIMEOUT_MS } from "./closing.ts";
import { HeldChunks } from "./held_chunks.ts";
import type { Accept, Transport, TransportHandler } from "./transport.ts";

/** As much of a `WebSocket` as is needed: the platform's own, or that of a package. */
export interface StandardWebSocket {
  binaryType: string;
  readonly readyState: number;
  /** Some platforms do not tell. */
  readonly bufferedAmount?: number;
  /** Of whatever types its maker has given it. */
  readonly addEventListener: (type: never, listener: never) => void;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

/** Where the other side is, as far as that is known, and what the object does with bytes. */
export interface WebSocketPlace {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localPort?: number | undefined;
  /** `send` may go on reading bytes after it has returned, as no platform's own does. */
  readonly keepsBytes?: boolean;
}

/** Bytes on their way out above which a write waits. */
const BUFFERED_BYTES_MAX = 65_536;
const POLL_MS = 5;
const CONNECTING = 0;
const OPEN = 1;
const NORMAL_CLOSURE = 1000;

/** Serves a WebSocket from when it is open; resolves when the connection is over. */
export async function serveWebSocket(
  socket: StandardWebSocket,
  accept: Accept,
  place: WebSocketPlace = {},
): Promise<void> {
  if (socket.readyState === CONNECTING) {
    await new Promise<void>((resolve) => {
      for (const type of ["open", "error", "close"]) hear(socket, type, () => resolve());
    });
  }
  if (socket.readyState !== OPEN) return;
  const transport = new WebSocketTransport(socket, place);
  let handler: TransportHandler;
  try {
    handler = accept(transport);
  } catch (error) {
    socket.close();
    throw error;
  }
  await new Promise<void>((resolve) => {
    transport.start({
      onBytes: (chunk) => handler.onBytes(chunk),
      onWritable: () => handler.onWritable(),
      onClose(error) {
        resolve();
        handler.onClose(error);
      },
    });
  });
}

function hear(socket: StandardWebSocket, type: string, listener: (event: unknown) => void): void {
  socket.addEventListener(type as never, listener as never);
}

/** An open WebSocket. */
export class WebSocketTransport implements Transport {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly #socket: StandardWebSocket;
  readonly #keepsBytes: boolean;
  #handler: TransportHandler | undefined;
  #state: "open" | "closing" | "closed" = "open";
  #error: unknown;
  #isPaused = false;
  readonly #held: HeldChunks = new HeldChunks();
  #pollTimer: ReturnType<typeof setTimeout> | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: StandardWebSocket, place: WebSocketPlace = {}) {
    this.#socket = socket;
    this.remoteAddress = place.remoteAddress ?? "";
    this.remotePort = place.remotePort ?? 0;
    this.localPort = place.localPort ?? 0;
    this.#keepsBytes = place.keepsBytes ?? false;
    socket.binaryType = "arraybuffer";
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    const socket = this.#socket;
    hear(socket, "message", (event) => this.#received((event as MessageEvent<unknown>).data));
    hear(socket, "error", () => this.#fail("The WebSocket failed"));
    hear(socket, "close", () => this.#finish());
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.#state !== "open") return true;
    // A view of ordinary memory: nobody here shares any.
    const view = bytes.subarray(0, length) as Uint8Array<ArrayBuffer>;
    this.#socket.send(this.#keepsBytes ? view.slice() : view);
    if (this.#buffered <= BUFFERED_BYTES_MAX) return true;
    this.#poll();
    return false;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (!this.#held.isEmpty) queueMicrotask(() => this.#deliver());
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

  get #buffered(): number {
    return this.#socket.bufferedAmount ?? 0;
  }

  #received(data: unknown): void {
    if (this.#state !== "open") return;
    // [MQTT-6.0.0-1]
    if (!(data instanceof ArrayBuffer)) return this.#fail("The WebSocket sent a text frame");
    const chunk = new Uint8Array(data);
    if (chunk.length === 0) return;
    if (!this.#isPaused && this.#held.isEmpty) return this.#handler!.onBytes(chunk);
    if (!this.#held.add(chunk)) this.#fail("Too much arrived that nobody reads");
  }

  #deliver(): void {
    while (!this.#isPaused && this.#state === "open") {
      const chunk = this.#held.take();
      if (chunk === undefined) return;
      this.#handler!.onBytes(chunk);
    }
  }

  #poll(): void {
    this.#pollTimer = setTimeout(() => {
      if (this.#state !== "open") return;
      if (this.#buffered > BUFFERED_BYTES_MAX / 2) this.#poll();
      else this.#handler!.onWritable();
    }, POLL_MS);
  }

  #fail(message: string): void {
    if (this.#state !== "open") return;
    this.#error = new OperationError("closed", message);
    this.abort();
  }

  #finish(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#pollTimer);
    clearTimeout(this.#closeTimer);
    this.#held.drop();
    this.#handler!.onClose(this.#error);
  }
}
