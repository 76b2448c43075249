// Clients that reach a broker under test by TLS: MQTT to the letter of its packets, over a port or a
// Unix socket, plain or in a WebSocket.

import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import type { Certificate } from "./certificates.ts";
import { openWebSocket } from "./websocket_stream.ts";
import { WireClient } from "./wire_client.ts";

export interface TlsClientOptions {
  /** A port of this machine, or the path of a Unix socket. */
  readonly to: number | string;
  /** The authorities that the client trusts. */
  readonly ca: string;
  readonly certificate?: Certificate | undefined;
  readonly version?: ProtocolVersion;
  readonly isWebSocket?: boolean;
  readonly settings?: ConnectionOptions;
}

/** A socket whose handshake is done, as far as the client knows: rejects if it fails. */
export function openTls(options: TlsClientOptions): Promise<TLSSocket> {
  const { to, ca, certificate, settings } = options;
  return new Promise((resolve, reject) => {
    // Not a socket of our own below it: Deno loses its way when that one ends in the handshake.
    const socket = connectTls({
      ...typeof to === "number" ? { host: "127.0.0.1", port: to } : { path: to },
      servername: "localhost",
      ca,
      ...certificate === undefined ? {} : { cert: certificate.certificate, key: certificate.key },
      ...settings,
    }, () => resolve(socket));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("The connection was closed in its handshake")));
  });
}

/** A client that has sent nothing yet. */
export async function openTlsClient(options: TlsClientOptions): Promise<WireClient> {
  const socket = await openTls(options);
  const stream = options.isWebSocket === true ? await openWebSocket(socket) : socket;
  return new WireClient(stream, options.version ?? 5);
}

/**
 * What becomes of a CONNECT: the reason code of the CONNACK, or `"refused"` when there is none.
 * A server that refuses a certificate may say so only after the client believes to be through.
 */
export async function knockByTls(
  options: TlsClientOptions,
  connect: Parameters<WireClient["connectBytes"]>[0] = {},
): Promise<number | "refused"> {
  const client = await openTlsClient(options).catch(() => undefined);
  if (client === undefined) return "refused";
  client.send(client.connectBytes(connect));
  const packet = await client.next("the CONNACK").catch(() => undefined);
  if (packet?.type !== "connack") {
    client.destroy();
    return "refused";
  }
  if (packet.reasonCode === 0) client.leave();
  await client.untilClosed();
  return packet.reasonCode;
}
