/**
 * What MQTT may be carried by, and the sockets of the load generator that do: TCP, TLS, and
 * WebSocket over either. Sockets are those of `node:net` and `node:tls`, which all runtimes have.
 *
 * @module
 */

import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Target } from "./load_client.ts";

/** How a broker is reached. */
export type Wire = "tcp" | "tls" | "ws" | "wss";

export const WIRES: readonly Wire[] = ["tcp", "tls", "ws", "wss"];

/** The schemes of URLs, and the ports they mean. */
const SCHEMES: Readonly<Record<string, readonly [wire: Wire, port: number]>> = Object.freeze({
  "mqtt:": ["tcp", 1883],
  "mqtts:": ["tls", 8883],
  "ws:": ["ws", 80],
  "wss:": ["wss", 443],
});

/** What a URL says of how to get there; `undefined` when it is none of ours. */
export function wireOf(url: URL): { readonly wire: Wire; readonly port: number } | undefined {
  const scheme = SCHEMES[url.protocol];
  if (scheme === undefined) return undefined;
  return { wire: scheme[0], port: url.port === "" ? scheme[1] : Number(url.port) };
}

export function isEncrypted(wire: Wire): boolean {
  return wire === "tls" || wire === "wss";
}

export function isWebSocket(wire: Wire): boolean {
  return wire === "ws" || wire === "wss";
}

/** Opens a socket; `onOpen` is called when bytes can be sent. */
export function openSocket({ host, port, wire, authority }: Target, onOpen: () => void): Socket {
  if (!isEncrypted(wire)) return connectTcp({ host, port, noDelay: true }).on("connect", onOpen);
  const ca = authority === undefined ? {} : { ca: authority };
  // The name that the certificates of a test are for.
  const servername = /^[\d.]+$|:/.test(host) ? "localhost" : host;
  const socket = connectTls({ host, port, servername, ...ca });
  socket.setNoDelay(true);
  return socket.on("secureConnect", onOpen);
}
