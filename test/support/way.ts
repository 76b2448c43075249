// The ways by which a client comes to a broker under test: plain TCP, TLS, WebSocket, and WebSocket
// within TLS. Whoever runs over one of them runs over all by a parameter: the way opens the broker's
// listener and the client's connection, and nothing else knows which it is.

import type { Broker } from "../../mod.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { Authority, type Certificate } from "./certificates.ts";
import { openTls } from "./tls_client.ts";
import { openWebSocket } from "./websocket_stream.ts";
import { WireClient } from "./wire_client.ts";

/** How a client comes to the broker. */
export type Way = "TCP" | "TLS" | "WebSocket" | "WebSocket in TLS";

export const WAYS: readonly Way[] = ["TCP", "TLS", "WebSocket", "WebSocket in TLS"];

interface Identity {
  readonly ca: string;
  readonly server: Certificate;
}

let identity: Promise<Identity> | undefined;

/** Listens for clients that come this way, on any free port. */
export async function listenBy(way: Way, broker: Broker): Promise<number> {
  const tls = way.includes("TLS") ? (await identityOfAll()).server : undefined;
  const { port } = await broker.listen({
    port: 0,
    protocol: way.startsWith("WebSocket") ? "websockets" : "mqtt",
    ...tls === undefined ? {} : { tls: { certificate: tls.certificate, key: tls.key } },
  });
  return port;
}

/** Connects this way and sends nothing of MQTT. */
export async function openBy(
  way: Way,
  port: number,
  version: ProtocolVersion = 5,
): Promise<WireClient> {
  switch (way) {
    case "TCP":
      return WireClient.open(port, version);
    case "WebSocket":
      return new WireClient(await openWebSocket(port), version);
    case "TLS":
    case "WebSocket in TLS": {
      const socket = await openTls({ to: port, ca: (await identityOfAll()).ca });
      return new WireClient(way === "TLS" ? socket : await openWebSocket(socket), version);
    }
  }
}

/** Made once: it is the same for everybody. */
function identityOfAll(): Promise<Identity> {
  return identity ??= Authority.create("CN=Midge Test Root").then(async (authority) => ({
    ca: authority.certificate,
    server: await authority.issue("CN=localhost"),
  }));
}
