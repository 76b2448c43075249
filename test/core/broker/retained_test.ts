// What is noted of retained messages, and what a subscription is owed of them.

import { assertEquals } from "@std/assert";
import { DEFAULT_LIMITS } from "../../../src/core/broker/limits.ts";
import { test } from "../../harness.ts";
import { ack, publish, request, suback, subscribe, will } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

test("retain() notes what is set and removed, and nothing when there was nothing", () => {
  const broker = new VirtualBroker({ keepsJournal: true });
  broker.publish("a", { retain: true });
  broker.publish("a", { retain: true, payload: "x" });
  broker.publish("a", { payload: "y" });
  broker.publish("a", { retain: true });
  broker.publish("a", { retain: true });
  const changes = broker.takeChanges().map((change) =>
    change.kind === "retained-set"
      ? [change.kind, change.message.topic]
      : change.kind === "retained-removed"
      ? [change.kind, change.topic]
      : []
  );
  assertEquals(changes, [["retained-set", "a"], ["retained-removed", "a"]]);
});

test("A subscription is owed what was retained when it was made, and gets the rest live, once", () => {
  const broker = new VirtualBroker({ limits: { inflightMessagesMax: 1 } });
  broker.publish("a/1", { qos: 1, retain: true, payload: "old" });
  broker.publish("a/2", { qos: 1, retain: true, payload: "old" });
  const client = broker.connect();
  client.send(subscribe(1, [request("a/+", { qos: 1 })]));
  broker.publish("a/3", { qos: 1, retain: true, payload: "new" });
  const arrived = client.settle().flatMap((packet) =>
    packet.type === "publish" ? `${packet.topic} ${packet.retain}` : []
  );
  assertEquals(arrived.sort(), ["a/1 true", "a/2 true", "a/3 false"]);
});

test("A subscription that asks again while it waits is owed once, and once more when it has had some", () => {
  const broker = new VirtualBroker({ limits: { inflightMessagesMax: 1 } });
  for (const topic of ["a/1", "a/2", "b"]) {
    broker.publish(topic, { qos: 1, retain: true, payload: "x" });
  }
  const client = broker.connect();
  const count = () => client.settle().filter((packet) => packet.type === "publish").length;
  const again = subscribe(1, [request("a/+", { qos: 1 })]);
  // The window is full with the first: nothing of "a/+" has been given yet.
  client.send(subscribe(1, [request("b", { qos: 1 })]), again, again, again);
  assertEquals(count(), 3);
  client.send(again);
  const [, first] = client.take();
  assertEquals(first?.type, "publish");
  client.send(again);
  client.send(ack("puback", first?.type === "publish" ? first.packetId : 0));
  assertEquals(count(), 2);
});

test("A session that resumes is still owed what it was", () => {
  const broker = new VirtualBroker({ limits: { inflightMessagesMax: 1 } });
  for (const topic of ["a/1", "a/2", "a/3"]) {
    broker.publish(topic, { qos: 1, retain: true, payload: "x" });
  }
  const lasting = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };
  const client = broker.connect(lasting);
  client.send(subscribe(1, [request("a/+", { qos: 1 })]));
  client.drop();
  const back = broker.connect(lasting);
  const arrived = back.settle().flatMap((packet) => packet.type === "publish" ? [packet] : []);
  assertEquals(arrived.map(({ topic }) => topic).sort(), ["a/1", "a/2", "a/3"]);
  assertEquals(arrived.map(({ dup, retain }) => [dup, retain]), [
    [true, true],
    [false, true],
    [false, true],
  ]);
  assertEquals(broker.publish("a/1", { payload: "live" }), 1);
  assertEquals(back.take(), [publish("a/1", { payload: "live" })]);
});

test("Expired retained messages are looked for when that is wanted, in steps of bounded length", () => {
  const broker = new VirtualBroker({ limits: { retainSweepMs: 60_000 }, keepsJournal: true });
  assertEquals(broker.core.nextDeadline, Infinity);
  broker.publish("lasting", { retain: true, payload: "x" });
  // Nothing that expires, nothing to look for.
  assertEquals(broker.core.nextDeadline, Infinity);
  const brief = { retain: true, payload: "x", properties: { messageExpiryInterval: 30 } };
  for (let i = 0; i < 2500; i++) broker.publish(`brief/${i}`, brief);
  broker.advance(30_000);
  broker.publish("late", brief);
  assertEquals(broker.core.retainedCount, 2502);
  broker.takeChanges();
  broker.now = broker.core.nextDeadline;
  broker.core.advance(broker.now);
  const { retainedCount } = broker.core;
  assertEquals([retainedCount > 1000, retainedCount < 2000], [true, true]);
  broker.advance(100);
  assertEquals(broker.core.retainedCount, 1);
  const removed = broker.takeChanges().length;
  assertEquals([removed, broker.core.storedCount, broker.core.nextDeadline], [2501, 1, Infinity]);
});

test("A search for expired messages spares those that have time left, and comes again", () => {
  const broker = new VirtualBroker({ limits: { retainSweepMs: 60_000 } });
  const expiring = (seconds: number) => ({
    retain: true,
    payload: "x",
    properties: { messageExpiryInterval: seconds },
  });
  broker.publish("a", expiring(60));
  broker.publish("b", expiring(61));
  broker.advance(60_000);
  assertEquals(broker.core.retainedCount, 1);
  broker.publish("b", { retain: true, payload: "for ever" });
  broker.advance(60_000);
  assertEquals([broker.core.retainedCount, broker.core.nextDeadline], [1, Infinity]);
});

test("What the broker says of itself takes no room from clients, and is not noted", () => {
  const broker = new VirtualBroker({ limits: { retainedMessagesMax: 1 }, keepsJournal: true });
  const client = broker.connect();
  broker.takeChanges();
  for (const topic of ["$SYS/a", "$SYS/b", "$SYS/a"]) {
    broker.publish(topic, { retain: true, payload: "x" });
  }
  client.send(publish("one", { retain: true, payload: "x" }));
  client.send(publish("two", { retain: true, payload: "x" }));
  broker.publish("$SYS/c", { retain: true, payload: "x" });
  assertEquals([broker.core.retainedCount, broker.core.counters.retainedRefused], [4, 1]);
  broker.publish("$SYS/a", { retain: true });
  client.send(publish("one", { retain: true }), publish("two", { retain: true, payload: "x" }));
  assertEquals([broker.core.retainedCount, broker.core.counters.retainedRefused], [3, 1]);
  const kinds = broker.takeChanges().map(({ kind }) => kind);
  assertEquals(kinds, ["retained-set", "retained-removed", "retained-set"]);
});

test("The broker retains nothing where nothing may be retained", () => {
  const broker = new VirtualBroker({ limits: { retainAvailable: false } });
  const client = broker.connect();
  client.exchange(subscribe(1, [request("$SYS/#", { retainAsPublished: true })]));
  broker.publish("$SYS/a", { retain: true, payload: "x" });
  assertEquals(client.take(), [publish("$SYS/a", { payload: "x" })]);
  assertEquals(broker.core.retainedCount, 0);
});

test("Where retaining is switched off, what is retained stays and is given to nobody meanwhile", () => {
  const broker = new VirtualBroker();
  broker.publish("a", { retain: true, payload: "x" });
  const dying = broker.connect({ clientId: "dying", will: will("w", { retain: true }) });
  const retainAvailable = (is: boolean) =>
    broker.core.configure({ limits: { ...DEFAULT_LIMITS, retainAvailable: is } }, broker.now);
  retainAvailable(false);
  dying.drop();
  const client = broker.connect();
  assertEquals(client.exchange(subscribe(1, [request("#")])), [suback(1, [0])]);
  retainAvailable(true);
  assertEquals(client.exchange(subscribe(2, [request("#")])), [
    suback(2, [0]),
    publish("a", { retain: true, payload: "x" }),
  ]);
});

test("A search for expired messages begins when a reload asks for one", () => {
  const broker = new VirtualBroker();
  const properties = { messageExpiryInterval: 1 };
  broker.publish("a", { retain: true, payload: "x", properties });
  broker.advance(60_000);
  assertEquals(broker.core.retainedCount, 1);
  broker.core.configure({ limits: { ...DEFAULT_LIMITS, retainSweepMs: 1000 } }, broker.now);
  broker.advance(1000);
  assertEquals([broker.core.retainedCount, broker.core.nextDeadline], [0, Infinity]);
});
