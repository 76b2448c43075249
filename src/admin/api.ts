/**
 * What listeners with `protocol http_api` answer: the version, the listeners, the figures of $SYS,
 * and the files of a directory. Reading only; there is nothing here that changes anything.
 *
 * The idea: every request passes the same gates in the same order (is it meant for us, is it a
 * method we have, is its path clear, may whoever asks read it); only then is anything looked up.
 *
 * @module
 */

import type { Peer } from "../core/session/peer.ts";
import { type HttpHandler, type HttpResponse, textResponse } from "../transport/http.ts";
import { type Credentials, parseBasicAuth } from "./basic_auth.ts";
import { isHostAllowed } from "./host_check.ts";
import { methodNotAllowed, notFound, type ServeFile } from "./static_files.ts";
import { decodePath } from "./url_path.ts";

/** The client identifier by which whoever asks is known to the deciders. */
export const HTTP_API_CLIENT_ID = "http-api";

/** A listener as it is shown; it has a port or a path. */
export interface ApiListener {
  readonly port?: number;
  readonly path?: string;
  readonly protocol: "mqtt" | "websockets" | "httpapi";
  readonly hasTls: boolean;
  readonly requiresCertificate: boolean;
  readonly allowsAnonymous: boolean;
}

/** Who asks, and what for. */
export interface ApiAccess {
  readonly peer: Peer;
  /** `undefined`: somebody anonymous. */
  readonly credentials: Credentials | undefined;
  /** The decoded path, to be checked for reading as if it were a topic. */
  readonly path: string;
}

export interface ApiOptions {
  readonly version: string;
  /** As they are at present. */
  listeners(): readonly ApiListener[];
  /** The present figures by their topics, those of the load averages left out, uptime included. */
  systree(): Iterable<readonly [topic: string, value: number]>;
  /** Authenticates as `HTTP_API_CLIENT_ID` and asks whether that client may read the path. */
  isAllowed(access: ApiAccess): Promise<boolean>;
  /** Answers what is not of the API. */
  readonly files?: ServeFile | undefined;
  /** Host names that browsers may know us by; see `isHostAllowed`. */
  readonly hosts?: readonly string[] | undefined;
}

export function createApi(options: ApiOptions): HttpHandler {
  return async (request) => {
    if (!isHostAllowed(request, options.hosts)) return textResponse(421, "Unknown host.\n");
    if (request.method !== "GET" && request.method !== "HEAD") return methodNotAllowed();
    const path = decodePath(request.path);
    // Access rules are about topics, so a path with wildcards could be allowed for another's sake.
    if (path === undefined || /[+#]/.test(path)) return notFound();
    const credentials = parseBasicAuth(request.headers.get("authorization"));
    if (credentials === "malformed") return unauthorized();
    if (await options.isAllowed({ peer: request.peer, credentials, path }) !== true) {
      return unauthorized();
    }
    if (path === "/api" || path.startsWith("/api/")) return answerApi(path, options);
    return options.files === undefined ? notFound() : await options.files(path);
  };
}

function answerApi(path: string, options: ApiOptions): HttpResponse {
  switch (path) {
    case "/api/v1/version":
      return textResponse(200, options.version, FOR_ALL_PAGES);
    case "/api/v1/listeners":
      return json({ listeners: options.listeners().map(plainListener) });
    case "/api/v1/systree":
      return json(Object.fromEntries(options.systree()));
    default:
      return notFound();
  }
}

/** Other pages may show our figures; what needs a password their browsers do not send along. */
const FOR_ALL_PAGES: Readonly<Record<string, string>> = Object.freeze({
  "Access-Control-Allow-Origin": "*",
});

function plainListener(listener: ApiListener): Record<string, unknown> {
  const { port, path, protocol, hasTls, requiresCertificate, allowsAnonymous } = listener;
  return {
    ...path === undefined ? { port } : { path },
    protocol,
    tls: hasTls,
    mtls: requiresCertificate,
    allow_anonymous: allowsAnonymous,
  };
}

function json(value: unknown): HttpResponse {
  return {
    status: 200,
    headers: { "Content-Type": "application/json", ...FOR_ALL_PAGES },
    body: new TextEncoder().encode(JSON.stringify(value)),
  };
}

function unauthorized(): HttpResponse {
  return textResponse(401, "Not authorised", {
    "WWW-Authenticate": 'Basic realm="Mosquitto API"',
  });
}
