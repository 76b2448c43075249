/**
 * Requests that a host's HTTP server hands to a fetch handler, where it is the host that makes
 * WebSockets of them: which of them may become one, and what the others are told. Where we are the
 * server ourselves, websocket_handshake.ts judges.
 *
 * The idea: what the host has to know to do its part (the key, the version) it checks itself; here
 * is what only we know, and an answer in words to everything that is refused.
 *
 * @module
 */

import { hasMember } from "./http_request.ts";
import { chooseSubprotocol, type HandshakeRules, isOriginAllowed } from "./websocket_handshake.ts";

const VERSION = "13";

/** As much of a request as is judged, with headers by their lower-case names. */
export interface UpgradeHead {
  readonly method: string;
  readonly headers: { get(name: string): string | null | undefined };
}

/** The subprotocol that is agreed on [MQTT-6.0.0-4], or the answer to a request that is refused. */
export function judgeUpgrade(request: UpgradeHead, rules: HandshakeRules): string | Response {
  const header = (name: string): string | undefined => request.headers.get(name) ?? undefined;
  if (!hasMember(header("upgrade"), "websocket")) {
    return answer(426, "This is an MQTT broker: connect by WebSocket.", { Upgrade: "websocket" });
  }
  if (request.method !== "GET") {
    return answer(405, "A WebSocket begins with a GET.", { Allow: "GET" });
  }
  if ((header("sec-websocket-version") ?? VERSION) !== VERSION) {
    const headers = { Upgrade: "websocket", "Sec-WebSocket-Version": VERSION };
    return answer(426, "The version of WebSocket is not supported.", headers);
  }
  if (!isOriginAllowed(header("origin"), rules.origins)) {
    return answer(403, "Pages of this origin may not connect.");
  }
  const subprotocol = chooseSubprotocol(header("sec-websocket-protocol"), rules.subprotocols);
  if (subprotocol !== undefined) return subprotocol;
  return answer(400, `The WebSocket subprotocol must be ${rules.subprotocols.join(" or ")}.`);
}

/** A plain answer in words. */
export function answer(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { "Content-Type": "text/plain; charset=utf-8", ...headers },
  });
}
