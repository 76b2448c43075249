/**
 * WebSockets of requests to `Bun.serve`, as transports. Bun calls one set of handlers for all
 * sockets of a server, so each socket carries its connection.
 *
 * The idea: `send` copies what does not leave at once, and 'drain' says when that has left; so a
 * write waits for as long as Bun has any of it. Reading cannot be stopped: what arrives while it
 * should is held, up to a bound.
 *
 * @module
 */

import { OperationError } from "../../core/base/operation_error.ts";
import { CLOSE_TIMEOUT_MS } from "../../transport/closing.ts";
import { HeldChunks } from "../../transport/held_chunks.ts";
import { unmapped } from "../../transport/ip_address.ts";
import type { Accept, Transport, TransportHandler } from "../../transport/transport.ts";
import type { UpgradeRequest } from "../runtime.ts";

/** The shape of a socket of `Bun.serve`, as far as it is used; `data` is ours. */
export interface BunWebSocket {
  readonly data: unknown;
  binaryType?: string | undefined;
  /** How much was sent; -1 when it waits, 0 when the socket is closed. */
  send(bytes: Uint8Array<ArrayBuffer>): number;
  getBufferedAmount(): number;
  close(code?: number): void;
  terminate(): void;
}

/** What `Bun.serve` takes as `websocket`. */
export interface BunWebSocketHandlers {
  readonly open: (socket: BunWebSocket) => void;
  readonly message: (socket: BunWebSocket, data: string | Uint8Array) => void;
  readonly drain: (socket: BunWebSocket) => void;
  readonly close: (socket: BunWebSocket) => void;
  /** Seconds; 0: whether a client still lives is told by its Keep Alive. */
  readonly idleTimeout: number;
  readonly sendPings: boolean;
  /** At most one write waits at a time, and how large that is our limits say. */
  readonly backpressureLimit: number;
  readonly perMessageDeflate: boolean;
}

/** The shape of Bun's server, which its fetch handlers get as their second argument. */
interface BunServer {
  upgrade(
    request: Request,
    options: { readonly data: unknown; readonly headers: Headers },
  ): boolean;
  requestIP(request: Request): { readonly address: string; readonly port: number } | null;
}

const NORMAL_CLOSURE = 1000;
const UNSUPPORTED_DATA = 1003;
const UINT32_MAX = 0xffff_ffff;

/** Sends each event to the connection that the socket carries. */
export const WEB_SOCKET_HANDLERS: BunWebSocketHandlers = Object.freeze({
  open: (socket: BunWebSocket) => connectionOf(socket).opened(socket),
  message: (socket: BunWebSocket, data: string | Uint8Array) => connectionOf(socket).received(data),
  drain: (socket: BunWebSocket) => connectionOf(socket).drained(),
  close: (socket: BunWebSocket) => connectionOf(socket).closed(),
  idleTimeout: 0,
  sendPings: false,
  backpressureLimit: UINT32_MAX,
  perMessageDeflate: false,
});

function connectionOf(socket: BunWebSocket): WebSocketConnection {
  if (socket.data instanceof WebSocketConnection) return socket.data;
  throw new TypeError("The WebSocket was not opened by a broker");
}

/** See `BrokerRuntime.upgradeWebSocket`. */
export function upgradeWebSocket(
  { request, context, subprotocol, onError }: UpgradeRequest,
  accept: Accept,
): undefined {
  if (!isBunServer(context)) {
    const hint = "fetch needs the server of Bun.serve as its second argument";
    throw new OperationError("not-supported", `Cannot make a WebSocket: ${hint}`);
  }
  const data = new WebSocketConnection(accept, onError, context.requestIP(request));
  const headers = new Headers({ "Sec-WebSocket-Protocol": subprotocol });
  if (!context.upgrade(request, { data, headers })) {
    throw new TypeError("The request is none for a WebSocket");
  }
}

function isBunServer(context: unknown): context is BunServer {
  return typeof context === "object" && context !== null && "upgrade" in context;
}

class WebSocketConnection implements Transport {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort = 0;
  readonly #accept: Accept;
  readonly #onError: (error: unknown) => void;
  readonly #held: HeldChunks = new HeldChunks();
  #socket: BunWebSocket | undefined;
  #handler: TransportHandler | undefined;
  #state: "open" | "closing" | "closed" = "open";
  #isPaused = false;
  #isWriting = false;
  #error: unknown;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    accept: Accept,
    onError: (error: unknown) => void,
    peer: ReturnType<BunServer["requestIP"]>,
  ) {
    this.#accept = accept;
    this.#onError = onError;
    this.remoteAddress = unmapped(peer?.address ?? "");
    this.remotePort = peer?.port ?? 0;
  }

  opened(socket: BunWebSocket): void {
    this.#socket = socket;
    // Not Node's buffers, whose `slice` does not copy.
    socket.binaryType = "uint8array";
    try {
      this.#handler = this.#accept(this);
    } catch (error) {
      this.#state = "closed";
      socket.terminate();
      this.#onError(error);
    }
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.#state !== "open") return true;
    // A view of ordinary memory: nobody here shares any.
    const sent = this.#socket!.send(bytes.subarray(0, length) as Uint8Array<ArrayBuffer>);
    this.#isWriting = sent < 0;
    return !this.#isWriting;
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
    if (this.#state === "open") this.#close(NORMAL_CLOSURE);
  }

  abort(): void {
    if (this.#state === "closed") return;
    this.#state = "closing";
    // Bun calls 'close' from within.
    this.#socket!.terminate();
  }

  received(data: string | Uint8Array): void {
    if (this.#state !== "open") return;
    // [MQTT-6.0.0-1]
    if (typeof data === "string") {
      this.#error = new OperationError("closed", "The WebSocket sent a text frame");
      return this.#close(UNSUPPORTED_DATA);
    }
    if (data.length === 0) return;
    if (!this.#isPaused && this.#held.isEmpty) return this.#handler!.onBytes(data);
    if (this.#held.add(data)) return;
    this.#error = new OperationError("closed", "Too much arrived that nobody reads");
    this.abort();
  }

  drained(): void {
    if (this.#state !== "open" || !this.#isWriting) return;
    if (this.#socket!.getBufferedAmount() > 0) return;
    this.#isWriting = false;
    this.#handler!.onWritable();
  }

  closed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#timer);
    this.#held.drop();
    queueMicrotask(() => this.#handler!.onClose(this.#error));
  }

  #deliver(): void {
    while (!this.#isPaused && this.#state === "open") {
      const chunk = this.#held.take();
      if (chunk === undefined) return;
      this.#handler!.onBytes(chunk);
    }
  }

  #close(code: number): void {
    this.#state = "closing";
    this.#timer = setTimeout(() => this.abort(), CLOSE_TIMEOUT_MS);
    this.#socket!.close(code);
  }
}
