// The client library against our own broker, in every way that there is to reach it and in every
// version: one exchange of each kind, and nothing left open.

import { assertEquals } from "@std/assert";
import { Client } from "../../src/client/client.ts";
import type { Message } from "../../src/client/message.ts";
import { test } from "../harness.ts";
import { makeCertificates } from "../support/certificates.ts";
import { openSite, type Way } from "./client_site.ts";

const WAYS: readonly Way[] = [
  "pipe",
  "stream",
  "tcp",
  "tls",
  "unix",
  "proxy",
  "websocket",
  "secure websocket",
  "websocket over unix",
  "websocket of the platform",
];
const decoder = new TextDecoder();
const certificates = await makeCertificates();

for (const way of WAYS) {
  for (const protocolVersion of [3, 4, 5] as const) {
    test(`Client exchanges messages of every QoS by way of "${way}", version ${protocolVersion}`, async () => {
      const site = await openSite(way, certificates);
      const client = await Client.connect(site.address, {
        ...site.options,
        protocolVersion,
        clientId: "one",
      });
      assertEquals(client.clientId, "one");
      assertEquals(client.isConnected, true);
      const messages = client.messages("a/#");
      const { reasonCodes } = await client.subscribe(["a/+", { filter: "b", qos: 1 }], { qos: 2 });
      assertEquals(reasonCodes, [2, 1]);
      const large = "x".repeat(300_000);
      for (const qos of [0, 1, 2] as const) {
        const { reasonCode } = await client.publish("a/b", `of ${qos}`, { qos });
        assertEquals(reasonCode, 0);
      }
      const sent = client.publish("a/large", large, { qos: 1 });
      const received: [string, string, number][] = [];
      for await (const { topic, payload, qos } of messages) {
        const text = decoder.decode(payload);
        received.push([topic, text === large ? "large" : text, qos]);
        if (received.length === 4) break;
      }
      await sent;
      assertEquals(received, [
        ["a/b", "of 0", 0],
        ["a/b", "of 1", 1],
        ["a/b", "of 2", 2],
        ["a/large", "large", 1],
      ]);
      const gone = await client.unsubscribe(["a/+", "c"]);
      assertEquals(gone.reasonCodes, protocolVersion === 5 ? [0, 0x11] : []);
      await client.disconnect();
      assertEquals(await client.closed, undefined);
      await site.close();
    });
  }
}

test("Client carries every property of a message in both directions", async () => {
  const site = await openSite("pipe");
  const client = await Client.connect(site.address);
  const properties = {
    payloadFormatIndicator: 1,
    contentType: "text/plain",
    responseTopic: "answers",
    correlationData: new Uint8Array([1, 2]),
    userProperties: [["k", "v"], ["k", "w"]] as [string, string][],
  };
  const messages = client.messages();
  await client.subscribe("a", { properties: { subscriptionIds: [7] } });
  await client.publish("a", new Uint8Array([0, 255]), { properties });
  const { value } = await messages.next();
  const expected: Message = {
    topic: "a",
    payload: new Uint8Array([0, 255]),
    qos: 0,
    retain: false,
    dup: false,
    properties: { ...properties, subscriptionIds: [7] },
  };
  assertEquals(value, expected);
  await client.disconnect();
  await site.close();
});
