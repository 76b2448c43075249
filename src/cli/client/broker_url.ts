/**
 * The URL of `-L`: broker, login and topic in one word. It is read as Mosquitto's tools read it,
 * which is not quite as URLs are: nothing is percent-decoded, because a topic may hold anything.
 *
 * @module
 */

import type { Draft } from "./draft.ts";
import { addTopic } from "./options/message.ts";
import { UsageError } from "./usage_error.ts";
import { wholeNumber } from "./values.ts";

const PORT = 1883;
const PORT_TLS = 8883;
const PORT_MAX = 65_535;

/** Whether a scheme stands for TLS and for WebSocket. */
const SCHEMES: Readonly<Record<string, { readonly tls: boolean; readonly webSocket: boolean }>> = {
  "mqtt://": { tls: false, webSocket: false },
  "mqtts://": { tls: true, webSocket: false },
  "ws://": { tls: false, webSocket: true },
  "wss://": { tls: true, webSocket: true },
};

/** Reads the URL into the draft. */
export function readBrokerUrl(draft: Draft, url: string): void {
  const schemeEnd = url.indexOf("://") + 3;
  const name = url.slice(0, schemeEnd).toLowerCase();
  const scheme = Object.hasOwn(SCHEMES, name) ? SCHEMES[name] : undefined;
  if (scheme === undefined) throw new UsageError("Error: Unsupported URL scheme.");
  const rest = url.slice(schemeEnd);
  const slash = rest.indexOf("/");
  if (slash < 0) {
    throw new UsageError("Error: Invalid URL for -L argument specified - topic missing.");
  }
  const authority = rest.slice(0, slash);
  const at = authority.indexOf("@");
  if (at >= 0) readLogin(draft, authority.slice(0, at));
  const place = authority.slice(at + 1);
  const colon = place.indexOf(":");
  draft.hostname = colon < 0 ? place : place.slice(0, colon);
  draft.port = colon < 0 ? (scheme.tls ? PORT_TLS : PORT) : portOf(place.slice(colon + 1));
  if (scheme.tls) draft.trustsSystem = true;
  if (scheme.webSocket) draft.usesWebSocket = true;
  // Its topics are its modules'.
  if (draft.tool !== "ctrl") addTopic(draft, rest.slice(slash + 1));
}

function readLogin(draft: Draft, login: string): void {
  const colon = login.indexOf(":");
  draft.username = colon < 0 ? login : login.slice(0, colon);
  if (colon >= 0) draft.password = login.slice(colon + 1);
}

function portOf(text: string): number {
  const port = wholeNumber(text, 0, PORT_MAX);
  if (port === undefined) throw new UsageError(`Error: Invalid port given: ${text}`);
  return port;
}
