/**
 * The contract between what speaks HTTP on a connection and what answers requests: plain data in,
 * plain data out. The broker's own pages and figures are answered by it, and nothing else: there
 * are no bodies in requests and no streams in responses.
 *
 * @module
 */

import type { Peer } from "../core/session/peer.ts";

/** A request as a handler sees it. Requests with a body never get there. */
export interface HttpRequest {
  readonly method: string;
  /** As it was sent, percent-encoding and all, without the query. */
  readonly path: string;
  /** What follows the question mark; `""` without one. */
  readonly query: string;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly peer: Peer;
}

export interface HttpResponse {
  readonly status: number;
  /** Besides `Content-Length` and `Connection`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Not changed until `release` is called. */
  readonly body?: Uint8Array;
  /** Called once, when the body has left or nobody is there any more to take it. */
  readonly release?: () => void;
}

/** Answers a request. A failure is a response with status 500. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse>;

/** A response of plain text. */
export function textResponse(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    status,
    headers: { "Content-Type": "text/plain; charset=utf-8", ...headers },
    body: new TextEncoder().encode(text),
  };
}
