// A library's broker listening: over TLS, WebSockets and a Unix socket, with settings of its own.

import { assertEquals } from "@std/assert";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectSocket, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { connect as connectMqtt } from "mqtt";
import { Broker } from "../../mod.ts";
import { test } from "../harness.ts";
import { makeCertificates } from "../support/certificates.ts";
import { WireClient } from "../support/wire_client.ts";

const OPTIONS = { timeout: 30_000 };

async function withBroker(body: (broker: Broker) => Promise<void>): Promise<void> {
  const broker = new Broker({ listener: { autoIdPrefix: "own-" } });
  try {
    await body(broker);
  } finally {
    await broker.close();
  }
}

function opened(socket: Socket, event: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once(event, () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

test(
  "Broker.listen() serves TLS with the certificate that it is given",
  OPTIONS,
  () =>
    withBroker(async (broker) => {
      const { server, authority } = await makeCertificates();
      const { port } = await broker.listen({
        port: 0,
        tls: { certificate: server.certificate, key: server.key },
      });
      const socket = connectTls({
        host: "127.0.0.1",
        port,
        servername: "localhost",
        ca: authority.certificate,
      });
      const client = new WireClient(await opened(socket, "secureConnect"), 5);
      assertEquals((await client.handshake({ clientId: "" })).reasonCode, 0);
      client.destroy();
    }),
);

test("Broker.listen() serves MQTT over WebSockets", OPTIONS, () =>
  withBroker(async (broker) => {
    const { port } = await broker.listen({ port: 0, protocol: "websockets" });
    const client = connectMqtt(`ws://127.0.0.1:${port}`, { reconnectPeriod: 0 });
    try {
      const topic = await new Promise<string>((resolve, reject) => {
        client.on("error", reject);
        client.on("message", resolve);
        client.subscribe("a", () => client.publish("a", "x"));
      });
      assertEquals(topic, "a");
    } finally {
      client.end(true);
    }
  }));

test(
  "Broker.listen() serves a Unix socket, and grants what it is told",
  OPTIONS,
  () =>
    withBroker(async (broker) => {
      const folder = await mkdtemp(join(tmpdir(), "midge-test-"));
      try {
        const path = join(folder, "socket");
        await broker.listen({ path, settings: { maximumQos: 1 } });
        const client = new WireClient(await opened(connectSocket(path), "connect"), 5);
        const { properties } = await client.handshake({ clientId: "" });
        assertEquals([properties.maximumQos, properties.assignedClientId?.slice(0, 4)], [
          1,
          "own-",
        ]);
        client.destroy();
      } finally {
        await rm(folder, { recursive: true });
      }
    }),
);
