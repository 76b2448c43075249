/**
 * The server's side of the opening handshake of a WebSocket (RFC 6455, section 4.2): what a request
 * must have, and the reply to it. No extension is ever agreed to, so there is no compression, and
 * no bomb made of it.
 *
 * @module
 */

import { hasMember, type HttpHead, listMembers } from "./http_request.ts";

/** What MQTT is called in a WebSocket, the better name first [MQTT-6.0.0-3]. */
export const SUBPROTOCOLS: readonly string[] = Object.freeze(["mqtt", "mqttv3.1"]);

/** What a listener accepts. */
export interface HandshakeRules {
  /** Where pages may come from that connect; none given: anywhere. */
  readonly origins: readonly string[];
  /** What is spoken, the best first. */
  readonly subprotocols: readonly string[];
}

/** What was agreed, or why nothing was. */
export type Handshake =
  | { readonly isAccepted: true; readonly key: string; readonly subprotocol: string }
  | { readonly isAccepted: false; readonly reason: string };

/** Whether a request means to become a WebSocket, rightly or not. */
export function asksForWebSocket(head: HttpHead): boolean {
  return hasMember(head.headers.get("upgrade"), "websocket");
}

/** Judges a request that means to become a WebSocket. */
export function judgeHandshake(head: HttpHead, rules: HandshakeRules): Handshake {
  const { headers } = head;
  if (head.method !== "GET" || head.minorVersion !== 1) return refused("not a GET of HTTP/1.1");
  if (!hasMember(headers.get("connection"), "upgrade")) return refused("no connection upgrade");
  const version = headers.get("sec-websocket-version");
  if (version !== undefined && version !== "13") return refused("unknown websocket version");
  const key = headers.get("sec-websocket-key");
  // Sixteen bytes in base64.
  if (key === undefined || !/^[A-Za-z\d+/]{22}==$/.test(key)) return refused("bad websocket key");
  if (!isOriginAllowed(headers.get("origin"), rules.origins)) {
    return refused("non-matching http origin");
  }
  const subprotocol = chooseSubprotocol(headers.get("sec-websocket-protocol"), rules.subprotocols);
  if (subprotocol === undefined) return refused("no known websocket subprotocol");
  return { isAccepted: true, key, subprotocol };
}

/** The best of what is offered in such a header. */
export function chooseSubprotocol(
  offer: string | undefined,
  subprotocols: readonly string[],
): string | undefined {
  const offered = listMembers(offer);
  return subprotocols.find((known) => offered.includes(known));
}

/**
 * Where origins are listed, a client that does not say where it comes from is not let in either: a
 * list that a client can step around by leaving a line out protects nothing but what browsers do.
 */
export function isOriginAllowed(origin: string | undefined, origins: readonly string[]): boolean {
  return origins.length === 0 || (origin !== undefined && origins.includes(origin));
}

function refused(reason: string): Handshake {
  return { isAccepted: false, reason };
}

/** The reply that accepts. */
export async function formatReply(key: string, subprotocol: string): Promise<Uint8Array> {
  return new TextEncoder().encode([
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: WebSocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${await acceptKey(key)}`,
    `Sec-WebSocket-Protocol: ${subprotocol}`,
    "\r\n",
  ].join("\r\n"));
}

const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** What shows that the key was understood. */
export async function acceptKey(key: string): Promise<string> {
  const bytes = new TextEncoder().encode(key + KEY_SUFFIX);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", bytes));
  return btoa(String.fromCharCode(...digest));
}
