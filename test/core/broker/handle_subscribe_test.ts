// What SUBSCRIBE and UNSUBSCRIBE ask of the outside, report, and note for the store.

import { assertEquals } from "@std/assert";
import { ASK, OPEN_POLICY, type Policy } from "../../../src/core/broker/question.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import {
  ack,
  publish,
  request,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
} from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

const { NOT_AUTHORIZED, SUCCESS } = ReasonCode;

const ASKING: Policy = {
  ...OPEN_POLICY,
  subscribe: (_client, filter) =>
    filter.startsWith("asked") ? ASK : filter === "denied" ? NOT_AUTHORIZED : SUCCESS,
};

const FILTERS = ["free", "asked/1", "denied", "asked/2", "asked/3"];

test("handleSubscribe() asks about the filters that it must, and grants all at once", () => {
  const broker = new VirtualBroker({ policy: ASKING });
  for (const topic of FILTERS) broker.publish(topic, { retain: true, payload: topic });
  const client = broker.connect();
  client.send(subscribe(1, FILTERS.map((filter) => request(filter, { qos: 1 }))));
  client.send({ type: "pingreq" });
  assertEquals([client.take(), client.isPaused, broker.core.subscriptionCount], [[], true, 0]);
  const [question] = broker.questions;
  assertEquals(question?.kind === "subscribe" && question.filters, [
    { filter: "asked/1", qos: 1 },
    { filter: "asked/2", qos: 1 },
    { filter: "asked/3", qos: 1 },
  ]);
  // Who answers too few has not granted the others.
  broker.answer({ kind: "subscribe", reasonCodes: [NOT_AUTHORIZED, SUCCESS] });
  assertEquals(client.take(), [
    suback(1, [1, NOT_AUTHORIZED, NOT_AUTHORIZED, 1, NOT_AUTHORIZED]),
    publish("free", { retain: true, payload: "free" }),
    publish("asked/2", { retain: true, payload: "asked/2" }),
    { type: "pingresp" },
  ]);
  assertEquals([client.isPaused, broker.core.subscriptionCount], [false, 2]);
});

test("A late answer to a SUBSCRIBE grants nothing", () => {
  const broker = new VirtualBroker({ policy: ASKING });
  const client = broker.connect({ properties: { sessionExpiryInterval: 60 } });
  client.send(subscribe(1, [request("asked")]));
  client.drop();
  assertEquals(broker.answer({ kind: "subscribe", reasonCodes: [SUCCESS] }), false);
  assertEquals(broker.core.subscriptionCount, 0);
});

test("handleSubscribe() and handleUnsubscribe() report and note what has changed", () => {
  const broker = new VirtualBroker({ keepsJournal: true, policy: ASKING });
  const client = broker.connect({ properties: { sessionExpiryInterval: 60 } });
  broker.takeEvents();
  broker.takeChanges();
  const shared = request("$share/g/a", { qos: 2, retainAsPublished: true });
  const plain = request("b", { qos: 1, noLocal: true });
  client.send(subscribe(1, [shared, request("denied"), plain], { subscriptionIds: [7] }));
  client.send(unsubscribe(2, ["b", "c"]));
  const clientId = "client";
  assertEquals(broker.takeEvents(), [
    { kind: "subscribed", clientId, filter: "$share/g/a", qos: 2 },
    { kind: "subscribed", clientId, filter: "b", qos: 1 },
    { kind: "unsubscribed", clientId, filter: "b" },
    { kind: "unsubscribed", clientId, filter: "c" },
  ]);
  assertEquals(broker.takeChanges(), [
    {
      kind: "subscription-set",
      clientId,
      filter: "$share/g/a",
      qos: 2,
      noLocal: false,
      retainAsPublished: true,
      subscriptionId: 7,
    },
    {
      kind: "subscription-set",
      clientId,
      filter: "b",
      qos: 1,
      noLocal: true,
      retainAsPublished: false,
      subscriptionId: 7,
    },
    { kind: "subscription-removed", clientId, filter: "b" },
  ]);
});

test("handleSubscribe() and handleUnsubscribe() report packets when they are traced", () => {
  const broker = new VirtualBroker({ tracesPackets: true, policy: ASKING });
  const client = broker.connect({ protocolVersion: 4 });
  broker.takeEvents();
  client.send(subscribe(1, [request("a", { qos: 1 }), request("denied")]), unsubscribe(2, ["a"]));
  assertEquals(client.settle(), [suback(1, [1, 0x80]), unsuback(2, [])]);
  const clientId = "client";
  assertEquals(broker.takeEvents().filter((event) => event.kind === "packet"), [
    {
      kind: "packet",
      action: "received",
      type: "subscribe",
      clientId,
      packetId: 1,
      filters: [
        { filter: "a", reasonCode: 1 },
        { filter: "denied", reasonCode: NOT_AUTHORIZED },
      ],
    },
    { kind: "packet", action: "sending", type: "suback", clientId, packetId: 1 },
    {
      kind: "packet",
      action: "received",
      type: "unsubscribe",
      clientId,
      packetId: 2,
      filters: [{ filter: "a", reasonCode: 0 }],
    },
    { kind: "packet", action: "sending", type: "unsuback", clientId, packetId: 2 },
  ]);
});

test("UNSUBSCRIBE of what would have to be asked about is not asked about", () => {
  const broker = new VirtualBroker({ policy: { ...OPEN_POLICY, unsubscribe: () => ASK } });
  const client = broker.connect();
  client.send(subscribe(1, [request("a")]));
  client.take();
  assertEquals(client.exchange(unsubscribe(2, ["a"]), publish("a", { qos: 1, packetId: 1 })), [
    unsuback(2, [0]),
    ack("puback", 1, ReasonCode.NO_MATCHING_SUBSCRIBERS),
  ]);
});

test("handleSubscribe() gives a bridge of 3.1.1 its own messages only through shared filters", () => {
  for (const [filter, received] of [["a", 0], ["$share/g/a", 1]] as const) {
    const broker = new VirtualBroker();
    const bridge = broker.connect({ protocolVersion: 4, isBridge: true });
    bridge.exchange(subscribe(1, [request(filter)]));
    assertEquals(bridge.exchange(publish("a")).length, received);
  }
});
