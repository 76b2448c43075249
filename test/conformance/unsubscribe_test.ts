// UNSUBSCRIBE and UNSUBACK (3.10, 3.11).

import { assertEquals } from "@std/assert";
import { OPEN_POLICY } from "../../src/core/broker/question.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { test } from "../harness.ts";
import {
  ack,
  disconnect,
  publish,
  request,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
} from "../support/packets.ts";
import { VirtualBroker } from "../support/virtual_broker.ts";
import { CLOSE, testExchanges, told, toldAndClosed } from "./exchange.ts";

const malformed = toldAndClosed(disconnect(ReasonCode.MALFORMED_PACKET));
const plain = told(unsuback(4, []));

testExchanges("UNSUBSCRIBE", [
  {
    name:
      "says of each filter whether there was one [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-2.2.1-6]",
    given: (client) => client.send(subscribe(1, [request("a"), request("b")])),
    send: () => [unsubscribe(4, ["b", "c", "a", "a"])],
    expect: {
      3: plain,
      4: plain,
      5: told(unsuback(4, [
        ReasonCode.SUCCESS,
        ReasonCode.NO_SUBSCRIPTION_EXISTED,
        ReasonCode.SUCCESS,
        ReasonCode.NO_SUBSCRIPTION_EXISTED,
      ])),
    },
  },
  {
    name: "compares filters character by character [MQTT-3.10.4-1]",
    given: (client) => client.send(subscribe(1, [request("a/+")])),
    send: () => [unsubscribe(4, ["a/b", "a/#"])],
    expect: { 5: told(unsuback(4, [0x11, 0x11])) },
  },
  {
    name: "that is denied is told so where that can be said",
    policy: { ...OPEN_POLICY, unsubscribe: () => ReasonCode.NOT_AUTHORIZED },
    send: () => [unsubscribe(4, ["a"])],
    expect: { 3: plain, 4: plain, 5: told(unsuback(4, [ReasonCode.NOT_AUTHORIZED])) },
  },
  {
    name: "with the wrong flags is refused [MQTT-3.10.1-1]",
    send: () => Uint8Array.of(0xa0, 5, 0, 1, 0, 1, 0x61),
    expect: { 4: CLOSE, 5: malformed },
  },
  {
    name: "without a filter is refused [MQTT-3.10.3-2]",
    send: (version) =>
      version === 5 ? Uint8Array.of(0xa2, 3, 0, 1, 0) : Uint8Array.of(0xa2, 2, 0, 1),
    expect: { 4: CLOSE, 5: malformed },
  },
  {
    name: "with identifier 0 is refused [MQTT-2.2.1-3]",
    send: () => Uint8Array.of(0xa2, 6, 0, 0, 0, 0, 1, 0x61),
    expect: { 3: CLOSE, 4: CLOSE, 5: malformed },
  },
  {
    name: "of what is not a filter is refused [MQTT-4.7.1-1]",
    send: () => [unsubscribe(4, ["a/#/b"])],
    expect: { 3: CLOSE, 4: CLOSE, 5: malformed },
  },
], (broker, version) => broker.connect({ protocolVersion: version }));

test("UNSUBSCRIBE ends deliveries, and lets those in flight go on [MQTT-3.10.4-2] [MQTT-3.10.4-3]", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  client.send(subscribe(1, [request("a", { qos: 2 })]));
  broker.publish("a", { qos: 2, payload: "x" });
  client.send(unsubscribe(2, ["a"]));
  assertEquals(broker.publish("a", { qos: 2, payload: "y" }), 0);
  assertEquals(client.take(), [
    suback(1, [2]),
    publish("a", { qos: 2, packetId: 1, payload: "x" }),
    unsuback(2, [0]),
  ]);
  assertEquals(client.exchange(ack("pubrec", 1)), [ack("pubrel", 1)]);
});

test("UNSUBSCRIBE of a shared subscription names it as it was made", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  client.send(subscribe(1, [request("$share/g/a")]));
  client.take();
  assertEquals(client.exchange(unsubscribe(2, ["a", "$share/h/a", "$share/g/a"])), [
    unsuback(2, [0x11, 0x11, 0]),
  ]);
  assertEquals(broker.core.subscriptionCount, 0);
});

test("UNSUBSCRIBE forgets the retained messages that the subscription is still owed", () => {
  const broker = new VirtualBroker({ limits: { inflightMessagesMax: 1 } });
  for (const topic of ["a/1", "a/2", "a/3"]) {
    broker.publish(topic, { qos: 1, retain: true, payload: "x" });
  }
  const client = broker.connect();
  client.send(subscribe(1, [request("a/+", { qos: 1 })]), unsubscribe(2, ["a/+"]));
  assertEquals(client.settle().map((packet) => packet.type), ["suback", "publish", "unsuback"]);
});
