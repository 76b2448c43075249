// Which changes a delivery leaves, and how few those are between two commits.

import { assertEquals } from "@std/assert";
import type { Change } from "../../../src/core/broker/change.ts";
import type { QoS } from "../../../src/core/codec/protocol.ts";
import { test } from "../../harness.ts";
import { ack, connect, publish, request, subscribe, unsubscribe } from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };

/** In a few words, without what the test does not look at. */
function inShort(change: Change): string {
  const { kind } = change;
  switch (change.kind) {
    case "delivery-queued":
      return `${kind} ${change.delivery.sequence}`;
    case "delivery-sent":
      return `${kind} ${change.delivery.sequence} as ${change.packetId}` +
        (change.wasQueued ? " from the queue" : "");
    case "delivery-dropped":
      return `${kind} ${change.sequence}`;
    case "delivery-received":
    case "delivery-finished":
      return `${kind} ${change.packetId}`;
    case "retained-owed":
      return `${kind} ${change.filter} ${change.after}-${change.upTo}`;
    case "retained-paid":
      return `${kind} ${change.filter}`;
    case "retained-set":
      return `${kind} ${new TextDecoder().decode(change.message.payloadBytes)}`;
    default:
      return kind;
  }
}

function taken(broker: VirtualBroker): string[] {
  return broker.takeChanges().map(inShort);
}

function subscriber(broker: VirtualBroker, qos: QoS): VirtualClient {
  const client = broker.connect(LASTING);
  broker.commit();
  client.readConnack();
  client.send(subscribe(1, [request("a", { qos })]));
  broker.commit();
  client.take();
  broker.takeChanges();
  return client;
}

test("A delivery to somebody who is there leaves two changes with QoS 1, and three with QoS 2", () => {
  const broker = new VirtualBroker({ keepsJournal: true });
  const client = subscriber(broker, 2);
  broker.publish("a", { qos: 1 });
  client.settle();
  broker.publish("a", { qos: 2 });
  client.settle();
  broker.commit();
  assertEquals(taken(broker), [
    "delivery-sent 1 as 1",
    "delivery-finished 1",
    "delivery-sent 2 as 2",
    "delivery-received 2",
    "delivery-finished 2",
  ]);
});

test("A QoS 1 delivery that begins and ends between two commits leaves no change", () => {
  const broker = new VirtualBroker({ keepsJournal: true, holdsCommits: true });
  const client = subscriber(broker, 1);
  for (let i = 0; i < 50; i++) {
    broker.publish("a", { qos: 1 });
    assertEquals(client.settle().length, 1);
  }
  broker.commit();
  assertEquals(taken(broker), []);
});

test("What waited and was sent between two commits is recorded once, and what was lost not at all", () => {
  const limits = { inflightMessagesMax: 1 };
  const broker = new VirtualBroker({ keepsJournal: true, holdsCommits: true, limits });
  const client = subscriber(broker, 1);
  const expiring = { qos: 1, properties: { messageExpiryInterval: 1 } } as const;
  broker.publish("a", { qos: 1 });
  broker.publish("a", expiring);
  broker.publish("a", { qos: 1 });
  broker.advance(2000);
  client.send(ack("puback", 1));
  broker.commit();
  assertEquals(taken(broker), ["delivery-sent 3 as 2"]);
});

test("A QoS 1 delivery that was queued leaves one change more when it is over at once", () => {
  const limits = { inflightMessagesMax: 1 };
  const broker = new VirtualBroker({ keepsJournal: true, holdsCommits: true, limits });
  subscriber(broker, 1).drop();
  for (let i = 0; i < 3; i++) broker.publish("a", { qos: 1 });
  broker.commit();
  broker.takeChanges();
  const client = broker.connect(LASTING);
  broker.commit();
  assertEquals(client.settle().length, 4);
  assertEquals(taken(broker), ["session-set", "delivery-sent 1 as 1 from the queue"]);
  broker.commit();
  assertEquals(taken(broker), ["delivery-finished 1", "delivery-dropped 2", "delivery-dropped 3"]);
});

test("Of messages retained for one topic between two commits only the last one is recorded", () => {
  const broker = new VirtualBroker({ keepsJournal: true, holdsCommits: true });
  for (const payload of ["1", "2", "3"]) broker.publish("r", { retain: true, payload });
  broker.publish("gone", { retain: true, payload: "x" });
  broker.publish("gone", { retain: true });
  broker.commit();
  assertEquals(taken(broker), ["retained-set r3", "retained-removed"]);
  broker.publish("r", { retain: true, payload: "4" });
  broker.commit();
  assertEquals(taken(broker), ["retained-set r4"]);
});

test("What a subscription is owed of retained messages is recorded until it is paid [MQTT-3.3.1-9]", () => {
  const broker = new VirtualBroker({ keepsJournal: true, limits: { inflightMessagesMax: 2 } });
  for (const topic of ["b/1", "b/2", "b/3"]) {
    broker.publish(topic, { retain: true, qos: 1, payload: "x" });
  }
  const client = broker.connect(LASTING);
  broker.takeChanges();
  client.send(subscribe(1, [request("b/+", { qos: 1 })]));
  assertEquals(taken(broker), [
    "subscription-set",
    "delivery-sent 1 as 1",
    "delivery-sent 2 as 2",
    "retained-owed b/+ 2-3",
  ]);
  client.settle();
  broker.commit();
  assertEquals(taken(broker).slice(-2), ["delivery-finished 2", "delivery-finished 3"]);
  // Paid at once it was never owed.
  client.send(subscribe(1, [request("c", { qos: 1 })]));
  assertEquals(taken(broker), ["subscription-set"]);
});

test("SUBACK, UNSUBACK, CONNACK and PUBACK leave when what they promise is durable, others at once", () => {
  const broker = new VirtualBroker({ keepsJournal: true, holdsCommits: true });
  const types = (client: VirtualClient) => client.take().map(({ type }) => type);
  const both = [broker.open(), broker.open()];
  const [lasting, brief] = both;
  lasting!.send(connect({ ...LASTING, clientId: "lasting" }));
  brief!.send(connect({ clientId: "brief" }));
  assertEquals(both.map(types), [[], ["connack"]]);
  broker.commit();
  assertEquals(both.map(types), [["connack"], []]);
  for (const client of both) client.send(subscribe(1, [request("a", { qos: 1 })]));
  assertEquals(both.map(types), [[], ["suback"]]);
  broker.commit();
  assertEquals(both.map(types), [["suback"], []]);
  for (const client of both) client.send(unsubscribe(3, ["a"]));
  assertEquals(both.map(types), [[], ["unsuback"]]);
  broker.commit();
  assertEquals(both.map(types), [["unsuback"], []]);
  for (const client of both) client.send(subscribe(4, [request("a", { qos: 1 })]));
  broker.commit();
  for (const client of both) client.take();
  lasting!.drop();
  broker.commit();
  brief!.send(publish("a", { qos: 1, packetId: 1 }), publish("nobody", { qos: 1, packetId: 2 }));
  assertEquals(types(brief!), []);
  broker.commit();
  assertEquals(types(brief!), ["publish", "puback", "puback"]);
  brief!.send(publish("nobody", { qos: 1, packetId: 3 }));
  assertEquals(types(brief!), ["puback"]);
});
