/**
 * Where a broker is, as a URL: `mqtt://host:1883`, `mqtts://host:8883`, `ws://host/path`,
 * `wss://host/path`, `unix:///path/of/socket`, each but the last with `user:password@` if need be.
 * What a topic in the path means to the command line tools is their business.
 *
 * @module
 */

import type { DialOptions } from "../runtime/runtime.ts";
import { ClientError } from "./client_error.ts";

/** What a URL says. */
export interface Target {
  readonly address: DialOptions["address"];
  readonly isSecure: boolean;
  /** For a WebSocket: what to ask for, and all of it for the platform's own. */
  readonly webSocket: { readonly resource: string; readonly url: string } | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const PORTS: Readonly<Record<string, number>> = Object.freeze({
  "mqtt:": 1883,
  "mqtts:": 8883,
  "ws:": 80,
  "wss:": 443,
});

/**
 * Reads a URL.
 *
 * @throws {ClientError} with code `"invalid-argument"`; the message has no password in it.
 */
export function parseTarget(text: string | URL): Target {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new ClientError("invalid-argument", "Cannot read the URL of the broker", { cause });
  }
  const username = url.username === "" ? undefined : decode(url.username);
  const password = url.password === "" ? undefined : decode(url.password);
  const login = { username, password };
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const address = { hostname, port: Number(url.port || PORTS[url.protocol]) };
  switch (url.protocol) {
    case "mqtt:":
    case "mqtts:":
      requireNothingMore(url);
      return { address, isSecure: url.protocol === "mqtts:", webSocket: undefined, ...login };
    case "ws:":
    case "wss:": {
      const bare = new URL(url);
      bare.username = bare.password = bare.hash = "";
      const webSocket = { resource: url.pathname + url.search, url: bare.href };
      return { address, isSecure: url.protocol === "wss:", webSocket, ...login };
    }
    case "unix:": {
      if (url.hostname !== "" || url.pathname === "") throw unusable("a path", "unix:");
      const path = decode(url.pathname);
      return { address: { path }, isSecure: false, webSocket: undefined, ...login };
    }
  }
  throw unusable("mqtt:, mqtts:, ws:, wss: or unix:", url.protocol);
}

function requireNothingMore(url: URL): void {
  if (url.hostname === "") throw unusable("a host", url.protocol);
  if ((url.pathname !== "" && url.pathname !== "/") || url.search !== "" || url.hash !== "") {
    throw unusable("nothing behind the host and its port", url.pathname);
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new ClientError("invalid-argument", "Cannot read the URL of the broker", { cause });
  }
}

function unusable(expected: string, found: string): ClientError {
  const message = `Cannot use the URL of the broker: expected ${expected}, got "${found}"`;
  return new ClientError("invalid-argument", message);
}
