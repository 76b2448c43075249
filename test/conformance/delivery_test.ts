// How messages reach subscribers (3.3.4, 4.3): quality, flags, overlaps, wildcards, and what each
// version is given of the same message.

import { assertEquals } from "@std/assert";
import type { Packet } from "../../src/core/codec/packet.ts";
import type { Properties } from "../../src/core/codec/property.ts";
import type { QoS } from "../../src/core/codec/protocol.ts";
import { test } from "../harness.ts";
import { ack, bytesOf, publish, request, subscribe } from "../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../support/virtual_broker.ts";

const VERSIONS = [3, 4, 5] as const;
const LEVELS: readonly QoS[] = [0, 1, 2];

/** Subscribes and forgets the SUBACK. */
function subscribed(
  client: VirtualClient,
  filter: string,
  parts: Parameters<typeof request>[1] = {},
  properties: Properties = {},
): VirtualClient {
  client.send(subscribe(1, [request(filter, parts)], properties));
  client.take();
  return client;
}

test("A message is delivered at the lower of its QoS and that of the subscription [MQTT-3.8.4-8]", () => {
  for (const version of VERSIONS) {
    for (const published of LEVELS) {
      for (const granted of LEVELS) {
        const broker = new VirtualBroker();
        const client = broker.connect({ protocolVersion: version });
        subscribed(client, "a", { qos: granted });
        broker.publish("a", { qos: published, payload: "x" });
        const qos = Math.min(published, granted) as QoS;
        const packetId = qos === 0 ? 0 : 1;
        assertEquals(client.take(), [publish("a", { qos, packetId, payload: "x" })]);
      }
    }
  }
});

test("A live message is delivered without RETAIN unless asked for as published [MQTT-3.3.1-12] [MQTT-3.3.1-13] [MQTT-3.1.1-3.3.1-9]", () => {
  for (const version of VERSIONS) {
    for (const qos of LEVELS) {
      const broker = new VirtualBroker();
      const plain = subscribed(
        broker.connect({ clientId: "plain", protocolVersion: version }),
        "a",
        { qos },
      );
      const asked = subscribed(broker.connect({ clientId: "asked" }), "a", {
        qos,
        retainAsPublished: true,
      });
      const sender = broker.connect({ clientId: "sender", protocolVersion: version });
      for (const retain of [true, false]) {
        sender.send(publish("a", { qos, packetId: qos === 0 ? 0 : 1, retain, payload: "x" }));
        const packetId = qos === 0 ? 0 : retain ? 1 : 2;
        assertEquals(plain.take(), [publish("a", { qos, packetId, payload: "x" })]);
        assertEquals(asked.take(), [publish("a", { qos, packetId, payload: "x", retain })]);
        if (qos === 2) sender.send(ack("pubrel", 1));
      }
    }
  }
});

test("A message goes between all versions, with what each can say [MQTT-3.3.2-17] [MQTT-3.3.2-4] [MQTT-3.3.2-20]", () => {
  const properties: Properties = {
    userProperties: [["b", "1"], ["a", "2"], ["b", "3"]],
    contentType: "text",
    payloadFormatIndicator: 1,
    responseTopic: "answers",
    correlationData: Uint8Array.of(0, 255),
  };
  for (const qos of LEVELS) {
    const broker = new VirtualBroker();
    const receivers = VERSIONS.map((version) =>
      subscribed(broker.connect({ clientId: `to ${version}`, protocolVersion: version }), "a", {
        qos,
      })
    );
    VERSIONS.forEach((version, i) => {
      const sender = broker.connect({ clientId: `from ${version}`, protocolVersion: version });
      const sent = publish("a", {
        qos,
        packetId: qos === 0 ? 0 : 7,
        payload: "x",
        properties: version === 5 ? properties : {},
      });
      sender.send(sent);
      const packetId = qos === 0 ? 0 : i + 1;
      for (const receiver of receivers) {
        const kept = version === 5 && receiver.version === 5 ? properties : {};
        assertEquals(receiver.take(), [{ ...sent, packetId, properties: kept }]);
      }
    });
  }
});

test("User properties keep their order [MQTT-3.3.2-18]", () => {
  const broker = new VirtualBroker();
  const client = subscribed(broker.connect(), "a");
  const userProperties: [string, string][] = [["z", "1"], ["a", ""], ["z", "2"], ["", "3"]];
  client.send(publish("a", { properties: { userProperties } }));
  assertEquals(client.take(), [publish("a", { properties: { userProperties } })]);
});

test("Each overlapping subscription brings a copy, with its own QoS and identifier [MQTT-3.3.4-2] [MQTT-3.3.4-3] [MQTT-3.3.4-5]", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  subscribed(client, "a/#", { qos: 0 }, { subscriptionIds: [1] });
  subscribed(client, "a/+", { qos: 2 }, { subscriptionIds: [268_435_455] });
  subscribed(client, "+/b", { qos: 1 });
  assertEquals(broker.publish("a/b", { qos: 2 }), 3);
  const copies = client.take().filter((packet) => packet.type === "publish");
  copies.sort((x, y) => x.qos - y.qos);
  const ids = copies.map((copy) => copy.packetId);
  assertEquals(ids.sort(), [0, 1, 2]);
  assertEquals(copies.map((copy) => ({ ...copy, packetId: 0 })), [
    publish("a/b", { properties: { subscriptionIds: [1] } }),
    publish("a/b", { qos: 1 }),
    publish("a/b", { qos: 2, properties: { subscriptionIds: [268_435_455] } }),
  ]);
});

test("A message has the identifier of its subscription, live, queued and resent [MQTT-3.3.4-4]", () => {
  const broker = new VirtualBroker();
  const lasting = { sessionExpiryInterval: 100 };
  const client = broker.connect({ properties: lasting });
  subscribed(client, "a", { qos: 1 }, { subscriptionIds: [300] });
  const properties = { subscriptionIds: [300] };
  broker.publish("a", { qos: 1, payload: "live" });
  assertEquals(client.take(), [publish("a", { qos: 1, packetId: 1, payload: "live", properties })]);
  client.drop();
  broker.publish("a", { qos: 1, payload: "queued" });
  const back = broker.connect({ cleanStart: false, properties: lasting });
  assertEquals(back.take(), [
    publish("a", { qos: 1, packetId: 1, payload: "live", dup: true, properties }),
    publish("a", { qos: 1, packetId: 2, payload: "queued", properties }),
  ]);
});

test("Own messages stay away from a subscription without local ones [MQTT-3.8.3-3]", () => {
  const broker = new VirtualBroker();
  const client = broker.connect({ clientId: "me" });
  const other = broker.connect({ clientId: "you" });
  subscribed(client, "a", { qos: 1, noLocal: true });
  subscribed(client, "+", { qos: 0 });
  subscribed(other, "a", { noLocal: true });
  client.send(publish("a", { qos: 1, packetId: 1, payload: "mine" }));
  assertEquals(client.take(), [publish("a", { payload: "mine" }), ack("puback", 1)]);
  assertEquals(other.take(), [publish("a", { payload: "mine" })]);
  broker.publish("a", { qos: 1, payload: "the broker's" });
  assertEquals(client.take().length, 2);
});

test("A bridge of version 3 gets no message of its own, and all as they were published", () => {
  const broker = new VirtualBroker();
  for (const version of [3, 4] as const) {
    const bridge = broker.connect({
      clientId: `bridge ${version}`,
      protocolVersion: version,
      isBridge: true,
    });
    subscribed(bridge, "a");
    bridge.send(publish("a", { payload: "its own" }));
    broker.publish("a", { retain: true, payload: "x" });
    assertEquals(bridge.take(), [publish("a", { retain: true, payload: "x" })]);
    broker.publish("a", { retain: true });
  }
});

const MATCHES: readonly [filter: string, topic: string, isMatch: boolean][] = [
  ["a", "a", true],
  ["a", "A", false],
  ["a/", "a", false],
  ["/a", "a", false],
  ["a//b", "a//b", true],
  ["a/+/b", "a//b", true],
  ["+", "a", true],
  ["+", "a/b", false],
  ["+/+", "/a", true],
  ["/+", "/a", true],
  ["+", "/a", false],
  ["a/#", "a", true],
  ["a/#", "a/b/c", true],
  ["a/+/#", "a", false],
  ["#", "a/b", true],
  ["#", "$x", false],
  ["+/b", "$x/b", false],
  ["$x/#", "$x/b", true],
  ["$x/+", "$x/b", true],
  ["a/$x/#", "a/$x/b", true],
  ["é", "e\u0301", false],
];

test("Filters match topics level by level, character by character [MQTT-4.7.1-2] [MQTT-4.7.2-1] [MQTT-4.7.3-4] [MQTT-3.3.2-3]", () => {
  for (const [filter, topic, isMatch] of MATCHES) {
    const broker = new VirtualBroker();
    const client = subscribed(broker.connect(), filter);
    client.send(publish(topic));
    assertEquals(client.take(), isMatch ? [publish(topic)] : [], `${filter} and ${topic}`);
  }
});

test("Messages of one sender arrive in order, each QoS by itself [MQTT-4.6.0-5] [MQTT-4.6.0-6]", () => {
  const broker = new VirtualBroker();
  const client = subscribed(broker.connect(), "a", { qos: 2 });
  const sent: number[] = [];
  const arrived: number[] = [];
  for (let i = 0; i < 300; i++) {
    sent.push(i);
    broker.publish("a", { qos: (1 + i % 2) as QoS, payload: Uint8Array.of(i >> 8, i) });
  }
  for (const packet of client.settle()) {
    if (packet.type === "publish") arrived.push(packet.payload[0]! << 8 | packet.payload[1]!);
  }
  assertEquals(arrived, sent);
});

test("Packet identifiers go from 1 to 65,535 and around, past those in use [MQTT-2.2.1-3] [MQTT-4.3.2-1] [MQTT-4.3.3-1]", () => {
  const broker = new VirtualBroker();
  const client = subscribed(broker.connect(), "a", { qos: 1 });
  broker.publish("a", { qos: 1, payload: "held" });
  client.take();
  const seen: number[] = [];
  for (let i = 0; i < 65_540; i++) {
    broker.core.publish({ topic: "a", payload: bytesOf(""), qos: 1 }, broker.now);
    if (i % 16 !== 15 && i !== 65_539) continue;
    broker.endTurn();
    for (const packet of client.take()) {
      if (packet.type !== "publish") continue;
      seen.push(packet.packetId);
      client.send(ack("puback", packet.packetId));
    }
  }
  assertEquals(seen.slice(0, 3), [2, 3, 4]);
  assertEquals(seen.filter((id) => id < 1 || id > 65_535), []);
  // Around once, past the one that is in use.
  assertEquals(seen.filter((id, i) => i > 0 && id <= seen[i - 1]!), [2]);
  assertEquals(seen.includes(1), false);
  assertEquals(seen.length, 65_540);
});

test("An empty message is a message", () => {
  const broker = new VirtualBroker();
  const client = subscribed(broker.connect(), "a", { qos: 1 });
  broker.publish("a", { qos: 1 });
  const expected: Packet[] = [publish("a", { qos: 1, packetId: 1 })];
  assertEquals(client.take(), expected);
});

test("QoS 1 and 2 for somebody who is away wait, QoS 0 does not unless it is to [MQTT-3.1.2-5] [MQTT-4.5.0-1] [MQTT-3.1.1-3.1.2-5]", () => {
  for (const queueQos0Messages of [false, true]) {
    const broker = new VirtualBroker({ limits: { queueQos0Messages } });
    const client = broker.connect({ protocolVersion: 4, cleanStart: false });
    subscribed(client, "a", { qos: 2 });
    client.drop();
    for (const qos of LEVELS) broker.publish("a", { qos, payload: `${qos}` });
    const back = broker.connect({ protocolVersion: 4, cleanStart: false });
    assertEquals(back.take(), [
      ...queueQos0Messages ? [publish("a", { payload: "0" })] : [],
      publish("a", { qos: 1, packetId: 1, payload: "1" }),
      publish("a", { qos: 2, packetId: 2, payload: "2" }),
    ]);
  }
});
