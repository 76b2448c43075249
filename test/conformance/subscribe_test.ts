// SUBSCRIBE and SUBACK (3.8, 3.9), row by row, and what a subscription brings at once.

import { assertEquals } from "@std/assert";
import { OPEN_POLICY, type Policy } from "../../src/core/broker/question.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { test } from "../harness.ts";
import { disconnect, publish, request, suback, subscribe } from "../support/packets.ts";
import { VirtualBroker } from "../support/virtual_broker.ts";
import { CLOSE, type Exchange, testExchanges, told, toldAndClosed } from "./exchange.ts";

const { MALFORMED_PACKET, NOT_AUTHORIZED, PROTOCOL_ERROR } = ReasonCode;

function cutOff(reasonCode: number): Exchange["expect"] {
  return { 3: CLOSE, 4: CLOSE, 5: toldAndClosed(disconnect(reasonCode)) };
}

function granted(...codes: readonly number[]): Exchange["expect"] {
  const outcome = told(suback(1, codes));
  return { 3: outcome, 4: outcome, 5: outcome };
}

function to(...filters: readonly string[]): Exchange["send"] {
  return () => [subscribe(1, filters.map((filter) => request(filter, { qos: 1 })))];
}

/** Denies one filter. */
const DENYING: Policy = {
  ...OPEN_POLICY,
  subscribe: (_client, filter) => filter === "secret" ? NOT_AUTHORIZED : ReasonCode.SUCCESS,
};

function withOptions(options: number): Exchange["send"] {
  return (version) =>
    version === 5
      ? Uint8Array.of(0x82, 7, 0, 1, 0, 0, 1, 0x61, options)
      : Uint8Array.of(0x82, 6, 0, 1, 0, 1, 0x61, options);
}

const TABLE: readonly Exchange[] = [
  {
    name:
      "grants what was asked for, in that order [MQTT-3.8.4-1] [MQTT-3.8.4-6] [MQTT-3.9.3-1] [MQTT-3.8.4-2] [MQTT-2.2.1-6]",
    send: () => [
      subscribe(1, [
        request("a", { qos: 2 }),
        request("b", { qos: 0 }),
        request("c/#", { qos: 1 }),
      ]),
    ],
    expect: granted(2, 0, 1),
  },
  {
    name: "grants no more than the maximum QoS [MQTT-3.2.2-9] [MQTT-3.8.4-7] [MQTT-3.2.2-10]",
    listener: { maximumQos: 1 },
    send: () => [subscribe(1, [request("a", { qos: 2 }), request("b")])],
    expect: granted(1, 0),
  },
  {
    name: "with the wrong flags is refused [MQTT-3.8.1-1]",
    send: () => Uint8Array.of(0x80, 6, 0, 1, 0, 1, 0x61, 0),
    expect: { 4: CLOSE, 5: toldAndClosed(disconnect(MALFORMED_PACKET)) },
  },
  {
    name: "with identifier 0 is refused [MQTT-2.2.1-3]",
    send: () => Uint8Array.of(0x82, 7, 0, 0, 0, 0, 1, 0x61, 0),
    expect: cutOff(MALFORMED_PACKET),
  },
  ...["a#", "#/a", "a/#/b", "+a", "a+/b", "##"].map((filter): Exchange => ({
    name: `to "${filter}" is refused [MQTT-4.7.1-1] [MQTT-4.7.1-2]`,
    send: to(filter),
    expect: cutOff(MALFORMED_PACKET),
  })),
  {
    name: "to an empty filter is refused [MQTT-4.7.3-1]",
    send: (version) =>
      version === 5
        ? Uint8Array.of(0x82, 6, 0, 1, 0, 0, 0, 0)
        : Uint8Array.of(0x82, 5, 0, 1, 0, 0, 0),
    expect: cutOff(MALFORMED_PACKET),
  },
  {
    name: "to 201 slashes is refused",
    send: to("/".repeat(201)),
    expect: cutOff(MALFORMED_PACKET),
  },
  { name: "to 200 slashes is fine", send: to("/".repeat(200)), expect: granted(1) },
  {
    name: "of QoS 3 is refused [MQTT-3.8.3-5]",
    send: withOptions(3),
    expect: cutOff(MALFORMED_PACKET),
  },
  {
    name: "with reserved options is refused [MQTT-3.8.3-5] [MQTT-3.1.1-3.8.3-4]",
    send: withOptions(0x40),
    expect: cutOff(MALFORMED_PACKET),
  },
  {
    name: "with retain handling 3 is refused",
    send: withOptions(0x30),
    expect: { 5: toldAndClosed(disconnect(MALFORMED_PACKET)) },
  },
  {
    name: "without a filter is tolerated in version 3.1 only [MQTT-3.8.3-2]",
    send: (version) =>
      version === 5 ? Uint8Array.of(0x82, 3, 0, 1, 0) : Uint8Array.of(0x82, 2, 0, 1),
    expect: {
      3: told(suback(1, [])),
      4: CLOSE,
      5: toldAndClosed(disconnect(MALFORMED_PACKET)),
    },
  },
  {
    name: "with the identifier 0 for its subscription is refused",
    send: () => Uint8Array.of(0x82, 9, 0, 1, 2, 0x0b, 0, 0, 1, 0x61, 0),
    expect: { 5: toldAndClosed(disconnect(PROTOCOL_ERROR)) },
  },
  ...["$share/g", "$share/g/", "$share/", "$share/+/a"].map((filter): Exchange => ({
    name: `to "${filter}" is refused [MQTT-4.8.2-1]`,
    send: to(filter),
    expect: cutOff(PROTOCOL_ERROR),
  })),
  ...["$share/g#/a", "$share/+g/a"].map((filter): Exchange => ({
    name: `to "${filter}" is refused [MQTT-4.8.2-2]`,
    send: to(filter),
    expect: cutOff(MALFORMED_PACKET),
  })),
  {
    name: "to a share without a name is granted",
    send: to("$share//a"),
    expect: granted(1),
  },
  {
    name: "to a share without local messages is refused [MQTT-3.8.3-4]",
    send: () =>
      Uint8Array.of(0x82, 16, 0, 1, 0, 0, 10, ...new TextEncoder().encode("$share/g/a"), 4),
    expect: { 5: toldAndClosed(disconnect(PROTOCOL_ERROR)) },
  },
  {
    name:
      "is denied in the words of its version, and what is not denied is granted [MQTT-3.1.1-3.9.3-2] [MQTT-3.9.3-2]",
    policy: DENYING,
    send: to("a", "secret", "b"),
    expect: {
      3: told(suback(1, [1, 1, 1])),
      4: told(suback(1, [1, 0x80, 1])),
      5: told(suback(1, [1, NOT_AUTHORIZED, 1])),
    },
  },
  {
    name: "with one filter that is not well-formed is refused whole [MQTT-4.7.1-1]",
    send: to("a", "b#"),
    expect: cutOff(MALFORMED_PACKET),
  },
];

testExchanges(
  "SUBSCRIBE",
  TABLE,
  (broker, version) => broker.connect({ protocolVersion: version }),
);

test("SUBSCRIBE that is denied brings nothing, live or retained", () => {
  const broker = new VirtualBroker({ policy: DENYING });
  broker.publish("secret", { retain: true, payload: "kept" });
  for (const version of [3, 4, 5] as const) {
    const client = broker.connect({ clientId: `${version}`, protocolVersion: version });
    client.send(subscribe(1, [request("secret")]));
    client.take();
    assertEquals(broker.publish("secret", { payload: "live" }), 0);
    assertEquals(client.take(), []);
  }
  assertEquals(broker.core.subscriptionCount, 0);
});

test("SUBSCRIBE refused halfway leaves no subscription behind", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  client.send(subscribe(1, [request("a"), request("b#")]));
  assertEquals([client.isClosed, broker.core.subscriptionCount], [true, 0]);
});

test("SUBSCRIBE again replaces the subscription [MQTT-3.8.4-3]", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  client.send(subscribe(1, [request("a", { qos: 2 })], { subscriptionIds: [5] }));
  client.send(subscribe(2, [request("a", { qos: 1, retainAsPublished: true })]));
  assertEquals(client.take(), [suback(1, [2]), suback(2, [1])]);
  assertEquals(broker.publish("a", { qos: 2, retain: true, payload: "x" }), 1);
  assertEquals(client.take(), [publish("a", { qos: 1, packetId: 1, retain: true, payload: "x" })]);
});

test("SUBSCRIBE with many filters is one as of each of them [MQTT-3.8.4-5]", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  const requests = Array.from({ length: 1000 }, (_, i) => request(`a/${i}`, { qos: 1 }));
  assertEquals(client.exchange(subscribe(3, requests)), [suback(3, requests.map(() => 1))]);
  assertEquals(broker.core.subscriptionCount, 1000);
});
