/**
 * The client's side of the opening handshake of a WebSocket (RFC 6455, section 4.1), over any
 * transport: so `wss` with an authority of one's own, a Unix socket or a proxy works wherever a
 * connection can be dialled, which the platform's own `WebSocket` does not offer.
 *
 * The idea: what the server has to answer is known before anything is asked. Its reply is gathered
 * up to a bound and judged once; from then on the frames have the word.
 *
 * @module
 */

import { BufferPool } from "../core/base/buffer_pool.ts";
import { OperationError } from "../core/base/operation_error.ts";
import { hasMember, trimBlanks } from "./http_request.ts";
import type { Accept, Transport, TransportHandler } from "./transport.ts";
import { WebSocketConnection } from "./websocket_connection.ts";
import { acceptKey } from "./websocket_handshake.ts";
import { WebSocketMasks } from "./websocket_mask.ts";

/** What to ask the server for. */
export interface WebSocketRequest {
  /** The host, with its port where that is not the usual one. */
  readonly host: string;
  /** The path, with a query if there is one. */
  readonly resource: string;
  /** What is to be spoken; `mqtt` unless given. */
  readonly subprotocol?: string;
  /** What else to say, for example an `Origin` or a cookie. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long all of it may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Where frames are made, for those who open many WebSockets; each has its own unless given. */
  readonly pool?: BufferPool;
}

/** Idle buffers of one connection. */
const POOL_BYTES_MAX = 262_144;
/** [MQTT-6.0.0-3] */
const SUBPROTOCOL = "mqtt";
const REPLY_BYTES_MAX = 16_384;

/**
 * Opens a WebSocket over the connection that `dial` makes, and hands it to `accept`.
 *
 * @throws {OperationError} with code `"connect-failed"` or `"timed-out"`; the reason of the signal;
 * whatever `dial` throws; a `TypeError` for headers that cannot be.
 */
export async function openWebSocket(
  dial: (accept: Accept) => Promise<void>,
  request: WebSocketRequest,
  accept: Accept,
): Promise<void> {
  const startedAt = performance.now();
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  const head = headOf(request, key);
  const expected = await acceptKey(key);
  let onOpened = (): void => {};
  let onFailed = (_error: unknown): void => {};
  const opened = new Promise<void>((resolve, reject) => {
    onOpened = resolve;
    onFailed = reject;
  });
  // The dialling may fail before anybody waits for it.
  opened.catch(() => {});
  await dial((transport) => {
    const opening = new Opening(transport, request, {
      ...{ startedAt, expected, accept, onOpened, onFailed },
    });
    opening.start(head);
    return opening;
  });
  await opened;
}

interface OpeningParts {
  readonly startedAt: number;
  /** What the server has to answer to our key. */
  readonly expected: string;
  readonly accept: Accept;
  readonly onOpened: () => void;
  readonly onFailed: (error: unknown) => void;
}

class Opening implements TransportHandler {
  readonly #transport: Transport;
  readonly #request: WebSocketRequest;
  readonly #parts: OpeningParts;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #onAbort = (): void => this.#fail(this.#request.signal.reason);
  #reply = "";
  #isWriting = false;
  #isOver = false;
  #connection: WebSocketConnection | undefined;

  constructor(transport: Transport, request: WebSocketRequest, parts: OpeningParts) {
    this.#transport = transport;
    this.#request = request;
    this.#parts = parts;
    const { timeoutMs, signal } = request;
    this.#timer = setTimeout(() => {
      const message = `Cannot open a WebSocket to "${request.host}" within ${timeoutMs} ms`;
      this.#fail(new OperationError("timed-out", message));
    }, timeoutMs - (performance.now() - parts.startedAt));
    signal.addEventListener("abort", this.#onAbort);
  }

  start(head: Uint8Array): void {
    // Not before the caller knows whom its bytes go to.
    queueMicrotask(() => {
      if (this.#request.signal.aborted) return this.#onAbort();
      if (!this.#isOver) this.#isWriting = !this.#transport.write(head, head.length);
    });
  }

  onBytes(chunk: Uint8Array): void {
    if (this.#connection !== undefined) return this.#connection.onBytes(chunk);
    for (let at = 0; at < chunk.length && !this.#isOver; at++) {
      this.#reply += String.fromCharCode(chunk[at]!);
      if (this.#reply.length > REPLY_BYTES_MAX) return this.#refuse("its answer is too long");
      if (!this.#reply.endsWith("\r\n\r\n")) continue;
      const { subprotocol = SUBPROTOCOL } = this.#request;
      const fault = judgeReply(this.#reply, this.#parts.expected, subprotocol);
      if (fault !== undefined) return this.#refuse(fault);
      return this.#open(chunk.subarray(at + 1));
    }
  }

  onWritable(): void {
    this.#isWriting = false;
    this.#connection?.onWritable();
  }

  onClose(error?: unknown): void {
    if (this.#connection !== undefined) return this.#connection.onClose(error);
    if (!this.#isOver) this.#refuse("it closed the connection", error);
  }

  #open(rest: Uint8Array): void {
    this.#end();
    const { accept, onOpened, onFailed } = this.#parts;
    const connection = new WebSocketConnection(this.#transport, {
      isWriting: this.#isWriting,
      pool: this.#request.pool ?? new BufferPool(POOL_BYTES_MAX),
      masks: new WebSocketMasks(),
    });
    try {
      connection.start(accept(connection));
    } catch (error) {
      this.#transport.abort();
      return onFailed(error);
    }
    this.#connection = connection;
    onOpened();
    if (rest.length > 0) connection.onBytes(rest);
  }

  #refuse(reason: string, cause?: unknown): void {
    const message = `Cannot open a WebSocket to "${this.#request.host}": ${reason}`;
    this.#fail(new OperationError("connect-failed", message, { reason, cause }));
  }

  #fail(error: unknown): void {
    this.#end();
    this.#transport.abort();
    this.#parts.onFailed(error);
  }

  #end(): void {
    this.#isOver = true;
    this.#reply = "";
    clearTimeout(this.#timer);
    this.#request.signal.removeEventListener("abort", this.#onAbort);
  }
}

function headOf(request: WebSocketRequest, key: string): Uint8Array {
  const headers = new Headers(request.headers);
  if (!headers.has("host")) headers.set("host", request.host);
  headers.set("connection", "Upgrade");
  headers.set("upgrade", "websocket");
  headers.set("sec-websocket-key", key);
  headers.set("sec-websocket-protocol", request.subprotocol ?? SUBPROTOCOL);
  headers.set("sec-websocket-version", "13");
  const lines = Array.from(headers, ([name, value]) => `${name}: ${value}`);
  const head = [`GET ${request.resource} HTTP/1.1`, ...lines, "", ""].join("\r\n");
  return new TextEncoder().encode(head);
}

/** What is wrong with the server's reply; `undefined` when it agrees. */
function judgeReply(text: string, expected: string, subprotocol: string): string | undefined {
  const [statusLine, ...lines] = text.slice(0, -4).split("\r\n");
  const status = /^HTTP\/1\.[01] (\d{3}(?: .*)?)$/.exec(statusLine!)?.[1];
  if (status === undefined) return "it does not speak HTTP";
  if (!/^101( |$)/.test(status)) return `it answered "${status.trimEnd()}"`;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([^:\s]+):(.*)$/.exec(line) ?? [];
    if (name === undefined) return "its answer is no head of HTTP";
    headers.set(name.toLowerCase(), trimBlanks(value!));
  }
  if (
    !hasMember(headers.get("upgrade"), "websocket") ||
    !hasMember(headers.get("connection"), "upgrade") ||
    headers.get("sec-websocket-accept") !== expected
  ) return "it did not agree to a WebSocket";
  // Nothing was offered that could change the frames.
  if ((headers.get("sec-websocket-extensions") ?? "") !== "") return "it uses an extension";
  // [MQTT-6.0.0-4]
  if (headers.get("sec-websocket-protocol") !== subprotocol) return "it does not speak MQTT";
  return undefined;
}
