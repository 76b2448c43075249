// Message Expiry Interval (3.3.2.3.3): what is left of it is passed on, and what is late is not.

import { assertEquals } from "@std/assert";
import type { Packet } from "../../src/core/codec/packet.ts";
import type { QoS } from "../../src/core/codec/protocol.ts";
import { test } from "../harness.ts";
import { ack, publish, request, suback, subscribe } from "../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../support/virtual_broker.ts";

const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 1000 } };

function message(messageExpiryInterval: number, qos: QoS = 1, retain = false): Packet {
  const packetId = qos === 0 ? 0 : 1;
  return publish("a", {
    qos,
    packetId,
    retain,
    payload: "x",
    properties: { messageExpiryInterval },
  });
}

interface Scene {
  readonly broker: VirtualBroker;
  readonly sender: VirtualClient;
  readonly client: VirtualClient;
}

function scene(): Scene {
  const broker = new VirtualBroker({ limits: { inflightMessagesMax: 1 } });
  const client = broker.connect(LASTING);
  client.send(subscribe(1, [request("a", { qos: 1 })]));
  client.take();
  return { broker, client, sender: broker.connect({ clientId: "sender" }) };
}

test("A live message keeps its expiry interval, also one of 0", () => {
  for (const qos of [0, 1] as const) {
    for (const seconds of [0, 1, 60, 0xffffffff]) {
      const { client, sender } = scene();
      sender.send(message(seconds, qos));
      assertEquals(client.take(), [message(seconds, qos)]);
    }
  }
});

test("A message that waited has the rest of its interval [MQTT-3.3.2-6]", () => {
  const { broker, client, sender } = scene();
  client.drop();
  sender.send(message(60));
  broker.advance(20_500);
  assertEquals(broker.connect(LASTING).take(), [message(40)]);
});

test("A message that waited too long is not delivered [MQTT-3.3.2-5]", () => {
  const { broker, client, sender } = scene();
  client.drop();
  sender.send(message(60), publish("a", { qos: 1, packetId: 2, payload: "lasting" }), message(0));
  broker.advance(60_000);
  assertEquals(broker.connect(LASTING).take(), [
    publish("a", { qos: 1, packetId: 1, payload: "lasting" }),
  ]);
});

test("A message that expires while the window is full makes room for the next [MQTT-3.3.2-5]", () => {
  const { broker, client, sender } = scene();
  sender.send(publish("a", { qos: 1, packetId: 1, payload: "first" }), message(1));
  sender.send(publish("a", { qos: 1, packetId: 2, payload: "last" }));
  broker.advance(1000);
  assertEquals(client.settle(), [
    publish("a", { qos: 1, packetId: 1, payload: "first" }),
    publish("a", { qos: 1, packetId: 2, payload: "last" }),
  ]);
});

test("A message in flight is sent again although its time is up: its delivery has begun [MQTT-4.3.3-7]", () => {
  const { broker, client, sender } = scene();
  sender.send(message(60));
  client.drop();
  broker.advance(100_000);
  assertEquals(broker.connect(LASTING).take(), [
    publish("a", {
      qos: 1,
      packetId: 1,
      dup: true,
      payload: "x",
      properties: { messageExpiryInterval: 0 },
    }),
  ]);
});

test("A retained message has the rest of its interval, and is gone when that is over [MQTT-3.3.2-6]", () => {
  const { broker, sender } = scene();
  sender.send(message(60, 0, true));
  sender.take();
  broker.advance(59_999);
  assertEquals(sender.exchange(subscribe(1, [request("a")])), [
    suback(1, [0]),
    message(1, 0, true),
  ]);
  broker.advance(1);
  assertEquals(sender.exchange(subscribe(1, [request("a")])), [suback(1, [0])]);
  assertEquals(broker.core.retainedCount, 0);
});

test("Version 3 is not told of expiry, and its queue keeps it all the same", () => {
  const { broker, sender } = scene();
  const old = { clientId: "old", protocolVersion: 4, cleanStart: false } as const;
  const client = broker.connect(old);
  client.send(subscribe(1, [request("a", { qos: 1 })]));
  client.drop();
  sender.send(message(60));
  broker.advance(10_000);
  const back = broker.connect(old);
  assertEquals(back.settle(), [publish("a", { qos: 1, packetId: 1, payload: "x" })]);
  back.drop();
  sender.send(message(60));
  broker.advance(60_000);
  assertEquals(broker.connect(old).take(), []);
});

test("The host's messages expire too", () => {
  const { broker, client } = scene();
  client.drop();
  broker.publish("a", { qos: 1, payload: "x", properties: { messageExpiryInterval: 5 } });
  broker.advance(2000);
  assertEquals(broker.connect(LASTING).take(), [message(3)]);
});

test("A message of interval 0 that cannot be delivered now takes nobody's place in the queue", () => {
  const broker = new VirtualBroker({ limits: { queuedMessagesMax: 1 } });
  const client = broker.connect(LASTING);
  client.send(subscribe(1, [request("a", { qos: 1 })]));
  client.drop();
  const properties = { messageExpiryInterval: 0 };
  broker.publish("a", { qos: 1, payload: "never", properties });
  broker.publish("a", { qos: 1, payload: "kept" });
  assertEquals(broker.connect(LASTING).take(), [
    publish("a", { qos: 1, packetId: 1, payload: "kept" }),
  ]);
});

test("An exchange of QoS 2 goes on to its end although the message has expired [MQTT-4.3.3-13]", () => {
  const { sender, client } = scene();
  client.drop();
  assertEquals(sender.exchange(message(0, 2), ack("pubrel", 1)), [
    ack("pubrec", 1),
    ack("pubcomp", 1),
  ]);
});
