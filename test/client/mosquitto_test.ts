// The client library against Debian's Mosquitto, in every version of the protocol.

import { assertEquals, assertRejects } from "@std/assert";
import { Client } from "../../src/client/client.ts";
import { ClientError } from "../../src/client/client_error.ts";
import type { ClientOptions } from "../../src/client/client_options.ts";
import { currentRuntime } from "../../src/runtime/current.ts";
import { test } from "../harness.ts";
import { openMosquitto } from "../interop/site.ts";
import { makeCertificates } from "../support/certificates.ts";
import { runtimeName } from "../support/current_runtime.ts";
import { withMosquitto } from "../support/mosquitto_process.ts";

const decoder = new TextDecoder();

for (const protocolVersion of [3, 4, 5] as const) {
  test(`Client exchanges messages, wills and sessions with Mosquitto, version ${protocolVersion}`, async () => {
    const site = await openMosquitto();
    const address = `mqtt://127.0.0.1:${site.port}`;
    const own = { runtime: currentRuntime, protocolVersion };
    const session = {
      ...own,
      clientId: "reader",
      cleanStart: false,
      properties: { sessionExpiryInterval: 60 },
    };
    const reader = await Client.connect(address, session);
    const granted = await reader.subscribe(["a/#", { filter: "will", qos: 0 }], { qos: 2 });
    assertEquals(granted.reasonCodes, [2, 0]);
    const wills = reader.messages("will");
    const doomed = await Client.connect(address, {
      ...own,
      clientId: "doomed",
      reconnect: false,
      will: { topic: "will", payload: "gone" },
    });
    const controller = new AbortController();
    controller.abort();
    await doomed.disconnect({ signal: controller.signal });
    assertEquals(decoder.decode((await wills.next()).value!.payload), "gone");
    await reader.disconnect();
    await site.gone("reader");

    // Mosquitto drops what comes while it holds twenty of a client's messages that are not done.
    const writer = await Client.connect(address, { ...own, clientId: "writer", inflightMax: 10 });
    const count = 50;
    await Promise.all(
      Array.from(
        { length: count },
        (_, number) =>
          writer.publish(`a/${number % 3}`, String(number), { qos: number % 2 === 0 ? 2 : 1 }),
      ),
    );
    await writer.disconnect();

    const back = new Client(address, session);
    const messages = back.messages("a/+");
    await back.open();
    assertEquals(back.connack!.sessionPresent, protocolVersion !== 3);
    const numbers: number[] = [];
    for await (const { payload } of messages) {
      if (numbers.push(Number(decoder.decode(payload))) === count) break;
    }
    // It passes QoS 2 on when it is released, so other messages may come first.
    numbers.sort((a, b) => a - b);
    assertEquals(numbers, Array.from({ length: count }, (_, number) => number));
    await back.disconnect();
    await site.close();
  });
}

test("Client comes back to Mosquitto after it was cut off, with its subscriptions", async () => {
  const site = await openMosquitto();
  const address = `mqtt://127.0.0.1:${site.port}`;
  const options = { runtime: currentRuntime, clientId: "same" };
  const first = await Client.connect(address, { ...options, reconnect: { initialMs: 1 } });
  const messages = first.messages("a");
  await first.subscribe("a", { qos: 1 });
  // Mosquitto ends the older of the two, and then the younger for the older's return.
  const second = await Client.connect(address, { ...options, reconnect: false });
  const error = await second.closed;
  assertEquals(error instanceof ClientError, true);
  await site.subscribed("same", 2);
  await first.publish("a", "still here", { qos: 1 });
  assertEquals(decoder.decode((await messages.next()).value!.payload), "still here");
  await first.disconnect();
  const late = await assertRejects(() => second.publish("a", ""), ClientError);
  assertEquals(late.code, "closed");
  await site.close();
});

async function exchange(address: string, options: ClientOptions): Promise<void> {
  const client = await Client.connect(address, { runtime: currentRuntime, ...options });
  const messages = client.messages("a");
  await client.subscribe("a", { qos: 2 });
  const large = "x".repeat(200_000);
  for (const payload of ["small", large]) {
    await client.publish("a", payload, { qos: 2 });
    assertEquals(decoder.decode((await messages.next()).value!.payload), payload);
  }
  await client.disconnect();
}

test("Client speaks WebSocket over TLS with Mosquitto, whose authority only it knows", async () => {
  const { server, authority } = await makeCertificates();
  const files = { "server.pem": server.certificate, "server.key": server.key };
  const config = [
    // Mosquitto 2.0 does not start when all it has is a WebSocket.
    "listener 0 $DIR/socket",
    "listener $PORT1 127.0.0.1",
    "protocol websockets",
    "certfile $DIR/server.pem",
    "keyfile $DIR/server.key",
    "allow_anonymous true",
  ].join("\n");
  await withMosquitto({ config, files }, async (port) => {
    const tls = { authorities: authority.certificate };
    await exchange(`wss://127.0.0.1:${port}/mqtt`, { tls });
    const stranger = () =>
      Client.connect(`wss://127.0.0.1:${port}/mqtt`, { runtime: currentRuntime });
    assertEquals((await assertRejects(stranger, ClientError)).code, "tls-failed");
  });
});

test("Client uses a pre-shared key with Mosquitto, or says that its runtime cannot", async () => {
  const files = { "keys": "me:0a0b0c0d\n" };
  const config = [
    "listener $PORT1 127.0.0.1",
    "psk_hint hint",
    "psk_file $DIR/keys",
    "allow_anonymous true",
  ].join("\n");
  const psk = { identity: "me", key: Uint8Array.of(10, 11, 12, 13) };
  if (runtimeName !== "node") {
    const unable = () =>
      Client.connect("mqtts://127.0.0.1:1", { runtime: currentRuntime, tls: { psk } });
    assertEquals((await assertRejects(unable, ClientError)).code, "not-supported");
    return;
  }
  await withMosquitto({ config, files }, async (port) => {
    await exchange(`mqtts://127.0.0.1:${port}`, { tls: { psk } });
    const tls = { psk: { ...psk, key: Uint8Array.of(1) } };
    const wrong = () =>
      Client.connect(`mqtts://127.0.0.1:${port}`, { runtime: currentRuntime, tls });
    assertEquals((await assertRejects(wrong, ClientError)).code, "tls-failed");
  });
});
