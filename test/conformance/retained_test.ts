// Retained messages (3.3.1.3): kept, replaced, removed, and given to those who subscribe.

import { assertEquals } from "@std/assert";
import type { QoS } from "../../src/core/codec/protocol.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { test } from "../harness.ts";
import { ack, publish, request, suback, subscribe } from "../support/packets.ts";
import { VirtualBroker } from "../support/virtual_broker.ts";

test("A retained message is given to a new subscription, after its SUBACK and with RETAIN [MQTT-3.3.1-5] [MQTT-3.3.1-8] [MQTT-3.1.1-3.3.1-6] [MQTT-3.1.1-3.3.1-8]", () => {
  for (const version of [3, 4, 5] as const) {
    for (const published of [0, 1, 2] as const) {
      for (const granted of [0, 1, 2] as const) {
        const broker = new VirtualBroker();
        broker.publish("a", { qos: published, retain: true, payload: "x" });
        const client = broker.connect({ protocolVersion: version });
        const qos = Math.min(published, granted) as QoS;
        assertEquals(client.exchange(subscribe(1, [request("a", { qos: granted })])), [
          suback(1, [granted]),
          publish("a", { qos, packetId: qos === 0 ? 0 : 1, retain: true, payload: "x" }),
        ]);
      }
    }
  }
});

test("A retained message replaces the one before, and an empty one removes it [MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-7] [MQTT-3.1.1-3.3.1-7]", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  client.send(publish("a", { retain: true, payload: "1" }));
  client.send(publish("a", { retain: true, payload: "2" }));
  assertEquals(client.exchange(subscribe(1, [request("a")])), [
    suback(1, [0]),
    publish("a", { retain: true, payload: "2" }),
  ]);
  assertEquals(broker.core.retainedCount, 1);
  // To those who are there the empty one is a message like others.
  assertEquals(client.exchange(publish("a", { retain: true })), [publish("a")]);
  assertEquals(client.exchange(subscribe(2, [request("a")])), [suback(2, [0])]);
  assertEquals(broker.core.retainedCount, 0);
});

test("A message without RETAIN leaves the retained one alone [MQTT-3.3.1-8]", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  client.send(publish("a", { retain: true, payload: "kept" }), publish("a", { payload: "live" }));
  client.send(publish("a"));
  assertEquals(client.exchange(subscribe(1, [request("a")])), [
    suback(1, [0]),
    publish("a", { retain: true, payload: "kept" }),
  ]);
});

test("A retained message keeps its properties and the subscription's identifier", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  const properties = { contentType: "t", userProperties: [["k", "v"]] as [string, string][] };
  client.send(publish("a", { retain: true, payload: "x", properties }));
  assertEquals(client.exchange(subscribe(1, [request("a")], { subscriptionIds: [9] })), [
    suback(1, [0]),
    publish("a", {
      retain: true,
      payload: "x",
      properties: { ...properties, subscriptionIds: [9] },
    }),
  ]);
});

test("A retained message set through an alias has its full topic", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  client.send(
    publish("a/b", { properties: { topicAlias: 2 } }),
    publish("", { retain: true, payload: "x", properties: { topicAlias: 2 } }),
  );
  assertEquals(client.exchange(subscribe(1, [request("a/#")])), [
    suback(1, [0]),
    publish("a/b", { retain: true, payload: "x" }),
  ]);
});

test("Retain handling says when retained messages are given [MQTT-3.8.4-4] [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11]", () => {
  const expected = { 0: [true, true], 1: [true, false], 2: [false, false] } as const;
  for (const retainHandling of [0, 1, 2] as const) {
    const broker = new VirtualBroker();
    broker.publish("a", { retain: true, payload: "x" });
    const client = broker.connect();
    expected[retainHandling].forEach((isGiven, i) => {
      assertEquals(client.exchange(subscribe(1 + i, [request("a", { retainHandling })])), [
        suback(1 + i, [0]),
        ...isGiven ? [publish("a", { retain: true, payload: "x" })] : [],
      ]);
    });
  }
});

test("Retain handling 1 knows the subscriptions of a resumed session [MQTT-3.3.1-10]", () => {
  const broker = new VirtualBroker();
  broker.publish("a", { retain: true, payload: "x" });
  const lasting = { cleanStart: false, properties: { sessionExpiryInterval: 9 } };
  const once = request("a", { retainHandling: 1 });
  const client = broker.connect(lasting);
  assertEquals(client.exchange(subscribe(1, [once])).length, 2);
  client.drop();
  assertEquals(broker.connect(lasting).exchange(subscribe(1, [once])), [suback(1, [0])]);
});

test("Version 3 is given retained messages each time that it subscribes [MQTT-3.8.4-3] [MQTT-3.1.1-3.8.4-3]", () => {
  for (const protocolVersion of [3, 4] as const) {
    const broker = new VirtualBroker();
    broker.publish("a", { retain: true, payload: "x" });
    const client = broker.connect({ protocolVersion });
    for (const packetId of [1, 2]) {
      assertEquals(client.exchange(subscribe(packetId, [request("a")])), [
        suback(packetId, [0]),
        publish("a", { retain: true, payload: "x" }),
      ]);
    }
  }
});

test("Overlapping filters of one SUBSCRIBE bring a retained message once each", () => {
  const broker = new VirtualBroker();
  broker.publish("a", { qos: 1, retain: true, payload: "x" });
  const client = broker.connect();
  const filters = [request("a", { qos: 1 }), request("+"), request("b"), request("#", { qos: 1 })];
  assertEquals(client.exchange(subscribe(1, filters)), [
    suback(1, [1, 0, 0, 1]),
    publish("a", { qos: 1, packetId: 1, retain: true, payload: "x" }),
    publish("a", { retain: true, payload: "x" }),
    publish("a", { qos: 1, packetId: 2, retain: true, payload: "x" }),
  ]);
});

test("Shared subscriptions are given nothing that is retained", () => {
  const broker = new VirtualBroker();
  broker.publish("a", { retain: true, payload: "x" });
  const client = broker.connect();
  assertEquals(client.exchange(subscribe(1, [request("$share/g/a")])), [suback(1, [0])]);
});

test("Wildcards do not find retained messages of the broker's own topics [MQTT-4.7.2-1]", () => {
  const broker = new VirtualBroker();
  broker.publish("$SYS/x", { retain: true, payload: "x" });
  broker.publish("a/x", { retain: true, payload: "y" });
  const client = broker.connect();
  assertEquals(client.exchange(subscribe(1, [request("#"), request("+/x")])), [
    suback(1, [0, 0]),
    publish("a/x", { retain: true, payload: "y" }),
    publish("a/x", { retain: true, payload: "y" }),
  ]);
  assertEquals(client.exchange(subscribe(2, [request("$SYS/+")])), [
    suback(2, [0]),
    publish("$SYS/x", { retain: true, payload: "x" }),
  ]);
});

test("More retained messages than the window are given as they are acknowledged, and none is lost", () => {
  const broker = new VirtualBroker({ limits: { inflightMessagesMax: 3, queuedMessagesMax: 5 } });
  const topics = Array.from({ length: 50 }, (_, i) => `a/${i}`);
  for (const topic of topics) broker.publish(topic, { qos: 1, retain: true, payload: topic });
  const client = broker.connect();
  client.send(subscribe(1, [request("a/+", { qos: 1 })]));
  assertEquals(client.connection.isStalled, true);
  const given = client.settle().flatMap((packet) => packet.type === "publish" ? packet.topic : []);
  assertEquals(given.sort(), topics.sort());
  assertEquals(client.connection.isStalled, false);
});

test("A retained message that is replaced before it is given is not given after its successor", () => {
  const broker = new VirtualBroker({ limits: { inflightMessagesMax: 1 } });
  broker.publish("a/1", { qos: 1, retain: true, payload: "old" });
  broker.publish("a/2", { qos: 1, retain: true, payload: "old" });
  const client = broker.connect();
  client.send(subscribe(1, [request("a/+", { qos: 1 })]));
  const [, first] = client.take();
  const [given, waiting] = first?.type === "publish" && first.topic === "a/1"
    ? ["a/1", "a/2"]
    : ["a/2", "a/1"];
  broker.publish(waiting, { qos: 1, retain: true, payload: "new" });
  assertEquals(first, publish(given, { qos: 1, packetId: 1, retain: true, payload: "old" }));
  assertEquals(client.exchange(ack("puback", 1)), [
    publish(waiting, { qos: 1, packetId: 2, payload: "new" }),
  ]);
  assertEquals(client.exchange(ack("puback", 2)), []);
});

test("No more topics are retained than the limit says, and those that are can change", () => {
  const broker = new VirtualBroker({ limits: { retainedMessagesMax: 2 } });
  for (const topic of ["a", "b", "c"]) broker.publish(topic, { retain: true, payload: "1" });
  broker.publish("a", { retain: true, payload: "2" });
  const client = broker.connect();
  const given = client.exchange(subscribe(1, [request("a"), request("b"), request("c")]));
  assertEquals(given, [
    suback(1, [0, 0, 0]),
    publish("a", { retain: true, payload: "2" }),
    publish("b", { retain: true, payload: "1" }),
  ]);
});

test("A denied message is not retained", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  const sent = publish("$SYS/x", { qos: 1, packetId: 1, retain: true, payload: "x" });
  assertEquals(client.exchange(sent), [ack("puback", 1, ReasonCode.NOT_AUTHORIZED)]);
  assertEquals(broker.core.retainedCount, 0);
});

test("What is retained outlives the session of whoever had it retained [MQTT-3.1.1-3.1.2-7]", () => {
  for (const protocolVersion of [3, 4, 5] as const) {
    const broker = new VirtualBroker();
    const author = broker.connect({ clientId: "author", protocolVersion });
    author.send(publish("a", { retain: true, payload: "x" }));
    author.drop();
    assertEquals(broker.core.sessionCount, 0);
    const client = broker.connect({ protocolVersion });
    assertEquals(client.exchange(subscribe(1, [request("a")])), [
      suback(1, [0]),
      publish("a", { retain: true, payload: "x" }),
    ]);
  }
});
