/**
 * HTTP/1.1 on one connection: requests without a body, one at a time, each answered by a handler;
 * and the way out of HTTP, when a request asks for an upgrade and gets it.
 *
 * The idea: while a request is answered nothing more is read. Bytes that come nevertheless are not
 * kept; the connection ends after the answer, and what they asked for may be asked again.
 *
 * @module
 */

import type { HttpHandler, HttpResponse } from "./http.ts";
import { textResponse } from "./http.ts";
import {
  hasMember,
  HEAD_INCOMPLETE,
  HEAD_TOO_LARGE,
  type HttpHead,
  HttpHeadReader,
} from "./http_request.ts";
import type { Accept, Transport, TransportHandler } from "./transport.ts";
import { WaitingRoom } from "./waiting_room.ts";

/** How long a request may take to arrive, the time before it included. */
const HEAD_TIMEOUT_MS = 10_000;

/** How long a handler may think. */
const ANSWER_TIMEOUT_MS = 30_000;

/** How long a peer may take for each piece of a response. */
const PIECE_TIMEOUT_MS = 10_000;
const PIECE_BYTES = 65_536;

/** After so many requests a connection has had its share. */
const REQUESTS_MAX = 100;

/** What a connection is told that serves HTTP. */
export interface HttpOptions {
  /** The longest head of a request. */
  readonly headBytesMax: number;
  /** How many connections there may be at one time that speak HTTP. */
  readonly waitingMax?: number;
  /** Told of failures of our own, and of the handler. */
  readonly onError?: (error: unknown) => void;
  /** Told why, before a connection is closed that has not said what it should. */
  readonly onRejected?: (reason: string, transport: Transport) => void;
}

/** The way out of HTTP. */
export interface Upgrade {
  /** Whether a request asks for it; then nobody else sees the request. */
  isAsked(head: HttpHead): boolean;
  /** The whole reply, or `undefined` to close the connection without one. */
  reply(head: HttpHead, transport: Transport): Promise<Uint8Array | undefined>;
  /** Takes the connection over; `isWriting`: the reply is still with the transport. */
  start(transport: Transport, isWriting: boolean): TransportHandler;
}

/** Serves HTTP and nothing else. */
export function serveHttp(handler: HttpHandler, options: HttpOptions): Accept {
  const room = new WaitingRoom(options.waitingMax);
  return (transport) => new HttpConnection(transport, options, room, handler, undefined);
}

type State = "reading" | "answering" | "upgrading" | "upgraded" | "ending";

export class HttpConnection implements TransportHandler {
  readonly #transport: Transport;
  readonly #options: HttpOptions;
  readonly #room: WaitingRoom;
  readonly #handler: HttpHandler | undefined;
  readonly #upgrade: Upgrade | undefined;
  #reader: HttpHeadReader | undefined;
  #state: State = "reading";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #requests = 0;
  /** The answer under way ends the connection. */
  #isLast = false;
  /** What is left to be written of the answer, in order. */
  #pieces: Uint8Array[] = [];
  #isWriting = false;
  #release: (() => void) | undefined;
  /** Who has taken the connection over. */
  #next: TransportHandler | undefined;

  /** Without a handler, or without an upgrade, a request for either closes the connection. */
  constructor(
    transport: Transport,
    options: HttpOptions,
    room: WaitingRoom,
    handler: HttpHandler | undefined,
    upgrade: Upgrade | undefined,
  ) {
    this.#transport = transport;
    this.#options = options;
    this.#room = room;
    this.#handler = handler;
    this.#upgrade = upgrade;
    this.#reader = new HttpHeadReader(options.headBytesMax);
    this.#limit(HEAD_TIMEOUT_MS);
    room.enter(transport);
  }

  onBytes(chunk: Uint8Array): void {
    if (this.#next !== undefined) this.#next.onBytes(chunk);
    else if (this.#state === "reading") this.#read(chunk);
    else if (this.#state === "answering") this.#isLast = true;
    // A client has to wait for the reply before it sends anything else.
    else if (this.#state === "upgrading") this.#turnAway("bytes ahead of the websocket reply");
  }

  onWritable(): void {
    if (this.#next !== undefined) return this.#next.onWritable();
    this.#isWriting = false;
    if (this.#state === "answering") this.#write();
  }

  onClose(error?: unknown): void {
    this.#stopWaiting();
    this.#state = "ending";
    this.#done();
    this.#next?.onClose(error);
  }

  #read(chunk: Uint8Array): void {
    const reader = this.#reader!;
    const end = reader.read(chunk);
    if (end === HEAD_INCOMPLETE) return;
    const head = end < 0 ? undefined : reader.take();
    if (head === undefined) {
      return end === HEAD_TOO_LARGE
        ? this.#refuse(431, "Request header fields too large.\n", "http request too large")
        : this.#refuse(400, "Bad request.\n", "bad http request");
    }
    const hasMore = end < chunk.length;
    if (this.#upgrade?.isAsked(head) === true) this.#leave(head, this.#upgrade, hasMore);
    else this.#answer(head, hasMore);
  }

  /** Answers a request that is none; where no handler is, only the log is told. */
  #refuse(status: number, text: string, reason: string): void {
    if (this.#handler === undefined) return this.#turnAway(reason);
    this.#options.onRejected?.(reason, this.#transport);
    this.#isLast = true;
    this.#state = "answering";
    this.#respond(textResponse(status, text), false);
  }

  #answer(head: HttpHead, hasMore: boolean): void {
    const handler = this.#handler;
    if (handler === undefined) return this.#turnAway("not a websocket request");
    const { method, target, minorVersion, headers } = head;
    if (!target.startsWith("/") || (minorVersion === 1 && !headers.has("host"))) {
      return this.#refuse(400, "Bad request.\n", "bad http request");
    }
    const hasBody = headers.has("transfer-encoding") ||
      (headers.get("content-length") ?? "0") !== "0";
    const isRead = method === "GET" || method === "HEAD";
    // Other methods are the handler's to refuse; their bodies nobody reads.
    if (hasBody && isRead) {
      return this.#refuse(413, "A body is not accepted.\n", "http request with a body");
    }
    this.#state = "answering";
    this.#isLast = hasMore || hasBody || ++this.#requests === REQUESTS_MAX ||
      minorVersion === 0 || hasMember(headers.get("connection"), "close");
    this.#transport.pause();
    this.#limit(ANSWER_TIMEOUT_MS);
    const at = target.indexOf("?");
    this.#ask(
      handler,
      head,
      at < 0 ? target : target.slice(0, at),
      at < 0 ? "" : target.slice(at + 1),
    )
      .then((response) => this.#respond(response, method === "HEAD"))
      .catch((error) => this.#fail(error));
  }

  async #ask(
    handler: HttpHandler,
    { method, headers }: HttpHead,
    path: string,
    query: string,
  ): Promise<HttpResponse> {
    try {
      return await handler({ method, path, query, headers, peer: this.#transport });
    } catch (error) {
      this.#options.onError?.(error);
      return textResponse(500, "Internal server error.\n");
    }
  }

  #respond(response: HttpResponse, isHeadOnly: boolean): void {
    if (this.#state !== "answering") return response.release?.();
    this.#release = response.release;
    const { body } = response;
    this.#pieces = [formatHead(response, this.#isLast)];
    for (let at = 0; body !== undefined && !isHeadOnly && at < body.length; at += PIECE_BYTES) {
      this.#pieces.push(body.subarray(at, at + PIECE_BYTES));
    }
    this.#write();
  }

  #write(): void {
    while (!this.#isWriting) {
      const piece = this.#pieces.shift();
      if (piece === undefined) return this.#answered();
      this.#limit(PIECE_TIMEOUT_MS);
      this.#isWriting = !this.#transport.write(piece, piece.length);
    }
  }

  #answered(): void {
    this.#done();
    if (this.#isLast) return this.#end();
    this.#state = "reading";
    this.#limit(HEAD_TIMEOUT_MS);
    this.#transport.resume();
  }

  /** The body of the answer is not needed any more. */
  #done(): void {
    const release = this.#release;
    this.#release = undefined;
    this.#pieces = [];
    release?.();
  }

  #leave(head: HttpHead, upgrade: Upgrade, hasMore: boolean): void {
    if (hasMore) return this.#turnAway("bytes ahead of the websocket reply");
    this.#state = "upgrading";
    upgrade.reply(head, this.#transport)
      .then((reply) => this.#takeOver(upgrade, reply))
      .catch((error) => this.#fail(error));
  }

  #takeOver(upgrade: Upgrade, reply: Uint8Array | undefined): void {
    if (this.#state !== "upgrading") return;
    if (reply === undefined) return this.#end();
    this.#stopWaiting();
    this.#state = "upgraded";
    this.#reader = undefined;
    const isWriting = !this.#transport.write(reply, reply.length);
    this.#next = upgrade.start(this.#transport, isWriting);
  }

  #fail(error: unknown): void {
    this.#options.onError?.(error);
    this.#state = "ending";
    this.#transport.abort();
  }

  #turnAway(reason: string): void {
    this.#options.onRejected?.(reason, this.#transport);
    this.#end();
  }

  #end(): void {
    this.#state = "ending";
    this.#transport.close();
  }

  #limit(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#transport.abort(), ms);
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer);
    this.#room.leave(this.#transport);
  }
}

const REASONS: Readonly<Record<number, string>> = Object.freeze({
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
});

function formatHead({ status, headers, body }: HttpResponse, isLast: boolean): Uint8Array {
  const lines = [`HTTP/1.1 ${status} ${REASONS[status] ?? "Unknown"}`];
  // A handler may have made a value of what a file or a client is called.
  for (const [name, value] of Object.entries(headers ?? {})) {
    lines.push(`${name}: ${value.replaceAll(/[^\t\x20-\x7e]/g, "?")}`);
  }
  lines.push(`Content-Length: ${body?.length ?? 0}`);
  lines.push(`Connection: ${isLast ? "close" : "keep-alive"}`);
  return new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);
}
