/**
 * Where a broker is, as a URL: `mqtt://host:1883`, `mqtts://host:8883`, `ws://host/path`,
 * `wss://host/path`, `unix:///path/of/socket`, each but the last with `user:password@` if need be.
 * What a topic in the path means to the command line tools is their business.
 *
 * @module
 */

import { ClientError } from "./client_error.ts";

/** What a URL says. */
export interface Target {
  readonly kind: "tcp" | "tls" | "unix" | "websocket";
  readonly hostname: string;
  readonly port: number;
  /** The path of a Unix socket. */
  readonly path: string;
  /** What to open a WebSocket with. */
  readonly url: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const PORT = 1883;
const PORT_TLS = 8883;

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
  const base = { hostname: "", port: 0, path: "", url: "", username, password };
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  switch (url.protocol) {
    case "mqtt:":
      requireNothingMore(url);
      return { ...base, kind: "tcp", hostname, port: Number(url.port || PORT) };
    case "mqtts:":
      requireNothingMore(url);
      return { ...base, kind: "tls", hostname, port: Number(url.port || PORT_TLS) };
    case "ws:":
    case "wss:": {
      const bare = new URL(url);
      bare.username = bare.password = bare.hash = "";
      return { ...base, kind: "websocket", hostname, url: bare.href };
    }
    case "unix:":
      if (url.hostname !== "" || url.pathname === "") throw unusable("a path", "unix:");
      return { ...base, kind: "unix", path: decode(url.pathname) };
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
