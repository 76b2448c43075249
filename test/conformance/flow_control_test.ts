// Flow control (4.9) towards the client: its Receive Maximum, our own window, and what waits.

import { assertEquals } from "@std/assert";
import type { QoS } from "../../src/core/codec/protocol.ts";
import { test } from "../harness.ts";
import { ack, publish, request, subscribe } from "../support/packets.ts";
import {
  VirtualBroker,
  type VirtualBrokerOptions,
  type VirtualClient,
} from "../support/virtual_broker.ts";

function subscribed(broker: VirtualBroker, receiveMaximum?: number): VirtualClient {
  const client = broker.connect({
    properties: {
      sessionExpiryInterval: 60,
      ...receiveMaximum === undefined ? {} : { receiveMaximum },
    },
  });
  client.send(subscribe(1, [request("a", { qos: 2 })]));
  client.take();
  return client;
}

function numbered(i: number, qos: QoS, packetId: number, dup = false) {
  return publish("a", { qos, packetId, dup, payload: `${i}` });
}

function publishMany(broker: VirtualBroker, count: number, qos: QoS, first = 1): void {
  for (let i = 0; i < count; i++) broker.publish("a", { qos, payload: `${first + i}` });
}

test("No more is in flight than the client's Receive Maximum [MQTT-3.3.4-9] [MQTT-4.9.0-1]", () => {
  const broker = new VirtualBroker();
  const client = subscribed(broker, 2);
  publishMany(broker, 4, 1);
  assertEquals(client.take(), [numbered(1, 1, 1), numbered(2, 1, 2)]);
  assertEquals(client.exchange(ack("puback", 2)), [numbered(3, 1, 3)]);
  assertEquals(client.exchange(ack("puback", 1), ack("puback", 3)), [numbered(4, 1, 4)]);
});

test("No more is in flight than the broker's own maximum", () => {
  const broker = new VirtualBroker({ limits: { inflightMessagesMax: 1 } });
  const client = subscribed(broker, 100);
  publishMany(broker, 2, 1);
  assertEquals(client.take(), [numbered(1, 1, 1)]);
  assertEquals(client.exchange(ack("puback", 1)), [numbered(2, 1, 2)]);
});

test("A window without a limit is as large as there are identifiers", () => {
  const broker = new VirtualBroker({ limits: { inflightMessagesMax: 0 } });
  const client = subscribed(broker);
  publishMany(broker, 70, 1);
  assertEquals(client.take().length, 70);
});

test("A QoS 2 message holds its place until PUBCOMP [MQTT-4.9.0-2]", () => {
  const broker = new VirtualBroker();
  const client = subscribed(broker, 1);
  publishMany(broker, 2, 2);
  assertEquals(client.take(), [numbered(1, 2, 1)]);
  assertEquals(client.exchange(ack("pubrec", 1)), [ack("pubrel", 1)]);
  assertEquals(client.exchange(ack("pubcomp", 1)), [numbered(2, 2, 2)]);
});

test("A PUBREC that refuses gives its place free", () => {
  const broker = new VirtualBroker();
  const client = subscribed(broker, 1);
  publishMany(broker, 2, 2);
  client.take();
  assertEquals(client.exchange(ack("pubrec", 1, 0x97)), [numbered(2, 2, 2)]);
});

test("QoS 0 and all other packets go on when the window is full [MQTT-4.9.0-3] [MQTT-3.3.4-10]", () => {
  const broker = new VirtualBroker();
  const client = subscribed(broker, 1);
  publishMany(broker, 2, 1);
  client.take();
  broker.publish("a", { payload: "0" });
  assertEquals(client.exchange({ type: "pingreq" }), [
    publish("a", { payload: "0" }),
    { type: "pingresp" },
  ]);
});

test("A smaller window on resume is kept by what is sent again [MQTT-4.9.0-1]", () => {
  const broker = new VirtualBroker();
  const client = subscribed(broker, 10);
  publishMany(broker, 4, 1);
  client.drop();
  publishMany(broker, 1, 1, 5);
  const back = broker.connect({
    cleanStart: false,
    properties: { receiveMaximum: 2, sessionExpiryInterval: 60 },
  });
  assertEquals(back.take(), [numbered(1, 1, 1, true), numbered(2, 1, 2, true)]);
  assertEquals(back.exchange(ack("puback", 1)), [numbered(3, 1, 3, true)]);
  assertEquals(back.exchange(ack("puback", 2)), [numbered(4, 1, 4, true)]);
  assertEquals(back.exchange(ack("puback", 3)), [numbered(5, 1, 5)]);
});

test("Acknowledgements from before the break count on resume, also of what was not sent again yet", () => {
  const broker = new VirtualBroker();
  const client = subscribed(broker, 10);
  publishMany(broker, 3, 1);
  client.drop();
  const back = broker.connect({
    cleanStart: false,
    properties: { receiveMaximum: 1, sessionExpiryInterval: 60 },
  });
  assertEquals(back.exchange(ack("puback", 2)), [numbered(1, 1, 1, true)]);
  assertEquals(back.exchange(ack("puback", 1)), [numbered(3, 1, 3, true)]);
  assertEquals(back.exchange(ack("puback", 3)), []);
});

const QUEUE: VirtualBrokerOptions = {
  limits: { inflightMessagesMax: 2, queuedMessagesMax: 3 },
};

test("What does not fit the queue of somebody who is away is dropped, the newest first", () => {
  const broker = new VirtualBroker(QUEUE);
  const client = subscribed(broker);
  client.drop();
  publishMany(broker, 5, 1);
  assertEquals(broker.core.counters.publishDropped, 2);
  const back = broker.connect({ cleanStart: false, properties: { sessionExpiryInterval: 60 } });
  assertEquals(back.settle(), [numbered(1, 1, 1), numbered(2, 1, 2), numbered(3, 1, 3)]);
});

test("Somebody who is connected may have a window's worth more in the queue, and is reported once", () => {
  const broker = new VirtualBroker(QUEUE);
  const client = subscribed(broker);
  broker.takeEvents();
  publishMany(broker, 10, 1);
  assertEquals(broker.core.counters.publishDropped, 3);
  assertEquals(broker.takeEvents(), [{ kind: "dropping", clientId: "client" }]);
  const arrived = client.settle().map((packet) => packet.type === "publish" && packet.packetId);
  assertEquals(arrived, [1, 2, 3, 4, 5, 6, 7]);
});

test("The queue is bounded in bytes, of topic, properties and payload", () => {
  const broker = new VirtualBroker({ limits: { queuedBytesMax: 30 } });
  const client = subscribed(broker);
  client.drop();
  // A topic of one byte, and nine of payload.
  for (let i = 1; i <= 4; i++) broker.publish("a", { qos: 1, payload: `${i}23456789` });
  broker.publish("a", { qos: 1, payload: "" });
  assertEquals(broker.core.counters.publishDropped, 2);
  const back = broker.connect({ cleanStart: false, properties: { sessionExpiryInterval: 60 } });
  assertEquals(back.settle().length, 3);
});
