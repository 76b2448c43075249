// The gate that every delivery passes.

import { assertEquals } from "@std/assert";
import { DEFAULT_LISTENER } from "../../../src/core/broker/limits.ts";
import { OPEN_POLICY, type Policy } from "../../../src/core/broker/question.ts";
import type { Packet } from "../../../src/core/codec/packet.ts";
import type { QoS } from "../../../src/core/codec/protocol.ts";
import { MemoryStore } from "../../../src/store/memory_store.ts";
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
    const other = publish("other", { qos, packetId: 2, dup: true });
    // Who may hold the identifier of what was denied is told to release it.
    assertEquals(back.take(), qos === 1 ? [other] : [ack("pubrel", 1), other]);
    assertEquals(back.exchange(ack(qos === 1 ? "puback" : "pubcomp", 1)), []);
  }
});

test("What was denied on its way leaves no identifier held, also when the broker dies [MQTT-4.3.3-10]", () => {
  const gate = new Gate();
  const { policy } = gate;
  const store = new MemoryStore();
  const before = new VirtualBroker({ policy, store });
  gate.isShut = false;
  before.connect({ ...LASTING, clientId: "shut" }).exchange(
    subscribe(1, [request("#", { qos: 2 })]),
  );
  before.publish("secret", { qos: 2 });
  gate.isShut = true;
  const between = new VirtualBroker({ policy, store });
  between.core.restore(store.load(), between.now);
  assertEquals(between.connect({ ...LASTING, clientId: "shut" }).take(), [ack("pubrel", 1)]);
  const after = new VirtualBroker({ policy, store });
  after.core.restore(store.load(), after.now);
  const back = after.connect({ ...LASTING, clientId: "shut" });
  assertEquals(back.take(), [ack("pubrel", 1)]);
  assertEquals(back.exchange(ack("pubcomp", 1)), []);
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

// Quality of service, and how much is in flight.

test("deliver() raises messages to the QoS of the subscription where it is told to", () => {
  for (const upgradesOutgoingQos of [false, true]) {
    const broker = new VirtualBroker({ limits: { upgradesOutgoingQos, inflightMessagesMax: 1 } });
    broker.publish("a", { retain: true, payload: "r" });
    const client = broker.connect();
    client.send(subscribe(1, [request("a", { qos: 2 }), request("+", { qos: 0 })]));
    broker.publish("a", { payload: "x" });
    broker.publish("a", { payload: "y", qos: 1 });
    const got = client.settle().flatMap((packet) =>
      packet.type === "publish" ? [[packet.qos, new TextDecoder().decode(packet.payload)]] : []
    );
    const [low, middle] = upgradesOutgoingQos ? [2, 2] : [0, 1];
    const byQos = (a: (string | number)[], b: (string | number)[]) => `${a}` < `${b}` ? -1 : 1;
    assertEquals(
      got.sort(byQos),
      [[low, "r"], [0, "r"], [low, "x"], [0, "x"], [middle, "y"], [0, "y"]].sort(byQos),
    );
  }
});

test("deliver() gives no more than the QoS of where a client has come in now", () => {
  const broker = new VirtualBroker();
  const listener = (maximumQos: QoS) => ({ listener: { ...DEFAULT_LISTENER, maximumQos } });
  const first = broker.connect(LASTING, listener(2));
  first.exchange(subscribe(1, [request("a", { qos: 2 })]));
  first.drop();
  for (const qos of [2, 1, 0] as const) {
    for (const queued of [0, 1, 2] as const) broker.publish("a", { qos: queued });
    const back = broker.connect(LASTING, listener(qos));
    for (const live of [0, 1, 2] as const) broker.publish("a", { qos: live });
    const given = back.settle().flatMap((packet) => packet.type === "publish" ? packet.qos : []);
    const most = (all: QoS[]) => all.map((each) => Math.min(each, qos));
    assertEquals(given.sort(), most([0, 1, 1, 2, 2]).sort());
    back.drop();
  }
});

test("deliver() lets messages wait while too many bytes are in flight", () => {
  const broker = new VirtualBroker({ limits: { inflightBytesMax: 10 } });
  for (const clientId of ["lasting", "brief"]) {
    const properties = clientId === "lasting" ? { sessionExpiryInterval: 60 } : {};
    const client = broker.connect({ clientId, properties });
    client.exchange(subscribe(1, [request(clientId, { qos: 2 })]));
    const send = (payload: string) => broker.publish(clientId, { qos: 2, payload });
    send("123456789");
    // What begins below the limit goes, however long; one alone is never too long.
    send("x".repeat(100));
    send("a");
    send("b");
    const sizes = () =>
      client.take().flatMap((packet) => packet.type === "publish" ? packet.payload.length : []);
    assertEquals(sizes(), [9, 100]);
    // Received is not yet finished.
    client.send(ack("pubrec", 2));
    assertEquals(sizes(), []);
    client.send(ack("pubcomp", 2));
    assertEquals(sizes(), [1]);
    client.send(ack("pubrec", 1), ack("pubcomp", 1));
    assertEquals(sizes(), [1]);
    // QoS 0 does not count.
    broker.publish(clientId, { payload: "x".repeat(50) });
    assertEquals(sizes(), [50]);
    send("c");
    assertEquals(sizes(), [1]);
  }
});

test("What was in flight counts again when its client comes back", () => {
  const broker = new VirtualBroker({ limits: { inflightBytesMax: 10 } });
  const client = broker.connect(LASTING);
  client.exchange(subscribe(1, [request("a", { qos: 1 })]));
  broker.publish("a", { qos: 1, payload: "x".repeat(12) });
  client.drop();
  broker.publish("a", { qos: 1, payload: "y" });
  const back = broker.connect(LASTING);
  assertEquals(back.take(), [
    publish("a", { qos: 1, packetId: 1, payload: "x".repeat(12), dup: true }),
  ]);
  assertEquals(back.exchange(ack("puback", 1)), [
    publish("a", { qos: 1, packetId: 2, payload: "y" }),
  ]);
});

test("deliver() drops the newest beyond the queue, says so once for each connection, and counts", () => {
  const limits = { queuedMessagesMax: 2, inflightMessagesMax: 1 };
  const broker = new VirtualBroker({ limits });
  const client = broker.connect(LASTING);
  client.exchange(subscribe(1, [request("a", { qos: 1 })]));
  const send = (from: number, count: number) => {
    for (let i = 0; i < count; i++) broker.publish("a", { qos: 1, payload: `${from + i}` });
  };
  const told = () => broker.takeEvents().filter(({ kind }) => kind === "dropping").length;
  // One is in flight; while connected as many more as may be in flight wait beside the two.
  send(1, 6);
  assertEquals([told(), broker.core.counters.publishDropped], [1, 2]);
  client.drop();
  send(7, 2);
  assertEquals([told(), broker.core.counters.publishDropped], [0, 4]);
  const back = broker.connect(LASTING);
  send(9, 2);
  assertEquals([told(), broker.core.counters.publishDropped], [1, 6]);
  const payloads = back.settle().flatMap((packet) =>
    packet.type === "publish" ? new TextDecoder().decode(packet.payload) : []
  );
  assertEquals(payloads, ["1", "2", "3", "4"]);
});

test("deliver() says of a client that is away as well that messages to it are dropped", () => {
  const broker = new VirtualBroker({ limits: { queuedMessagesMax: 1 } });
  const client = broker.connect(LASTING);
  client.exchange(subscribe(1, [request("a", { qos: 1 })]));
  client.drop();
  broker.takeEvents();
  for (const payload of ["1", "2", "3"]) broker.publish("a", { qos: 1, payload });
  const told = broker.takeEvents().filter(({ kind }) => kind === "dropping");
  assertEquals(told, [{ kind: "dropping", clientId: "client" }]);
});
