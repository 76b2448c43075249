// The gate that every delivery passes.

import { assertEquals } from "@std/assert";
import { OPEN_POLICY, type Policy } from "../../../src/core/broker/question.ts";
import type { Packet } from "../../../src/core/codec/packet.ts";
import { test } from "../../harness.ts";
import { ack, publish, request, subscribe, will } from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

/** A policy that denies deliveries of one topic to one client while it is told to. */
class Gate {
  isShut = true;
  readonly asked: string[] = [];
  readonly policy: Policy = {
    ...OPEN_POLICY,
    deliver: (client, topic) => {
      this.asked.push(`${client.clientId} ${topic}`);
      return !this.isShut || client.clientId !== "shut" || topic !== "secret";
    },
  };
}

const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };

interface Scene {
  readonly gate: Gate;
  readonly broker: VirtualBroker;
  readonly shut: VirtualClient;
  readonly open: VirtualClient;
}

function scene(filter = "#", limits = {}): Scene {
  const gate = new Gate();
  const broker = new VirtualBroker({ policy: gate.policy, limits });
  const [shut, open] = ["shut", "open"].map((clientId) => {
    const client = broker.connect({ ...LASTING, clientId });
    client.send(subscribe(1, [request(filter, { qos: 2 })]));
    client.take();
    return client;
  }) as [VirtualClient, VirtualClient];
  return { gate, broker, shut, open };
}

function topics(packets: readonly Packet[]): string[] {
  return packets.flatMap((packet) => packet.type === "publish" ? packet.topic : []);
}

test("deliver() asks about live messages, one subscriber at a time", () => {
  for (const qos of [0, 1, 2] as const) {
    const { broker, shut, open } = scene();
    broker.publish("secret", { qos });
    broker.publish("other", { qos });
    assertEquals([topics(shut.settle()), topics(open.settle())], [["other"], ["secret", "other"]]);
  }
});

test("deliver() asks about retained messages", () => {
  const { broker, shut, gate } = scene("x");
  broker.publish("secret", { retain: true, payload: "x" });
  broker.publish("other", { retain: true, payload: "x" });
  assertEquals(topics(shut.exchange(subscribe(2, [request("#")]))), ["other"]);
  gate.isShut = false;
  assertEquals(topics(shut.exchange(subscribe(3, [request("secret")]))), ["secret"]);
});

test("pump() asks about queued messages when they are sent, not only when they are queued", () => {
  const { broker, shut, gate } = scene();
  gate.isShut = false;
  shut.drop();
  broker.publish("secret", { qos: 1 });
  broker.publish("other", { qos: 1 });
  gate.isShut = true;
  const back = broker.connect({ ...LASTING, clientId: "shut" });
  assertEquals(topics(back.settle()), ["other"]);
  // What was denied is gone for good.
  gate.isShut = false;
  back.drop();
  assertEquals(broker.connect({ ...LASTING, clientId: "shut" }).take(), []);
});

test("deliver() asks about messages before they are queued", () => {
  const { broker, shut, gate } = scene();
  shut.drop();
  broker.publish("secret", { qos: 1 });
  gate.isShut = false;
  assertEquals(broker.connect({ ...LASTING, clientId: "shut" }).take(), []);
});

test("pump() asks about messages that are sent again", () => {
  for (const qos of [1, 2] as const) {
    const { broker, shut, gate } = scene();
    gate.isShut = false;
    broker.publish("secret", { qos });
    broker.publish("other", { qos });
    assertEquals(topics(shut.take()), ["secret", "other"]);
    shut.drop();
    gate.isShut = true;
    const back = broker.connect({ ...LASTING, clientId: "shut" });
    assertEquals(back.take(), [publish("other", { qos, packetId: 2, dup: true })]);
    // The exchange that was denied is over: an acknowledgement of it is one of nothing.
    assertEquals(back.exchange(ack(qos === 1 ? "puback" : "pubcomp", 1)), []);
  }
});

test("deliver() asks about Wills", () => {
  const { broker, shut, open } = scene();
  broker.connect({ clientId: "dying", will: will("secret") }).drop();
  assertEquals([topics(shut.take()), topics(open.take())], [[], ["secret"]]);
});

test("publish() passes over members of a share who may not have the message", () => {
  const { broker, shut, open } = scene("$share/g/#");
  for (let i = 0; i < 4; i++) broker.publish("secret", { qos: 1 });
  assertEquals([topics(shut.settle()), topics(open.settle()).length], [[], 4]);
  open.drop();
  broker.advance(60_000);
  assertEquals(broker.publish("secret", { qos: 1 }), 1);
  assertEquals(shut.take(), []);
});

test("deliver() asks about the topic itself, not about alias or filter", () => {
  const { broker, shut, gate } = scene("+");
  const sender = broker.connect({ clientId: "sender" });
  gate.asked.length = 0;
  sender.send(publish("secret", { properties: { topicAlias: 1 } }));
  sender.send(publish("", { properties: { topicAlias: 1 } }));
  assertEquals(shut.take(), []);
  assertEquals(gate.asked.sort(), ["open secret", "open secret", "shut secret", "shut secret"]);
});

test("deliver() reports what it denies when packets are traced", () => {
  const { policy } = new Gate();
  const broker = new VirtualBroker({ policy, tracesPackets: true });
  const shut = broker.connect({ clientId: "shut" });
  shut.send(subscribe(1, [request("#")]));
  broker.takeEvents();
  broker.publish("secret", { payload: "12345", qos: 1 });
  assertEquals(broker.takeEvents(), [{
    kind: "packet",
    action: "denied-delivery",
    type: "publish",
    clientId: "shut",
    qos: 1,
    retain: false,
    topic: "secret",
    payloadBytes: 5,
  }]);
});

// Slow readers.
