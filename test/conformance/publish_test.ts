// PUBLISH from a client and its answers (3.3 to 3.7), row by row, for each quality of service.

import { assertEquals } from "@std/assert";
import { OPEN_POLICY, type Policy } from "../../src/core/broker/question.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { test } from "../harness.ts";
import {
  ack,
  bytesOf,
  disconnect,
  publish,
  request,
  suback,
  subscribe,
} from "../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../support/virtual_broker.ts";
import {
  CLOSE,
  type Exchange,
  type Outcome,
  rawPacket,
  SILENCE,
  testExchanges,
  told,
  toldAndClosed,
} from "./exchange.ts";

function cutOff(reasonCode: number): Exchange["expect"] {
  return { 3: CLOSE, 4: CLOSE, 5: toldAndClosed(disconnect(reasonCode)) };
}

function everybody(outcome: Outcome): Exchange["expect"] {
  return { 3: outcome, 4: outcome, 5: outcome };
}

/** What 3.x clients are told of a refusal, and what those of version 5 are. */
function acked(type: "puback" | "pubrec", reasonCode: number): Exchange["expect"] {
  const plain = told(ack(type, 1));
  return { 3: plain, 4: plain, 5: told(ack(type, 1, reasonCode)) };
}

function rawPublish(firstByte: number, topic: Uint8Array, rest: readonly number[] = []) {
  return rawPacket(firstByte, (writer) => {
    writer.binary(topic);
    for (const byte of rest) writer.u8(byte);
  });
}

const DENYING: Policy = { ...OPEN_POLICY, publish: () => ReasonCode.NOT_AUTHORIZED };
const OVER_QUOTA: Policy = { ...OPEN_POLICY, publish: () => ReasonCode.QUOTA_EXCEEDED };

const A = bytesOf("a");
const { MALFORMED_PACKET, PROTOCOL_ERROR, TOPIC_ALIAS_INVALID } = ReasonCode;

/** Somebody for whom the message is. */
function listener(_client: VirtualClient, broker: VirtualBroker): void {
  broker.connect({ clientId: "listener" }).send(subscribe(1, [request("#", { qos: 2 })]));
}

const FORM: readonly Exchange[] = [
  {
    name: "of QoS 3 is refused [MQTT-3.3.1-4]",
    send: () => rawPublish(0x36, A, [0, 1]),
    expect: cutOff(MALFORMED_PACKET),
  },
  {
    name: "of QoS 0 with DUP is refused [MQTT-3.3.1-2]",
    send: () => rawPublish(0x38, A, [0]),
    expect: cutOff(MALFORMED_PACKET),
  },
  {
    name: "above the maximum QoS is refused [MQTT-3.2.2-11]",
    listener: { maximumQos: 1 },
    send: () => [publish("a", { qos: 2, packetId: 1 })],
    expect: cutOff(ReasonCode.QOS_NOT_SUPPORTED),
  },
  {
    name: "to be retained is refused where nothing is retained [MQTT-3.2.2-14]",
    limits: { retainAvailable: false },
    send: () => [publish("a", { retain: true })],
    expect: cutOff(ReasonCode.RETAIN_NOT_SUPPORTED),
  },
  {
    name: "without a topic is refused [MQTT-4.7.3-1]",
    send: () => rawPublish(0x30, new Uint8Array(0), [0]),
    expect: cutOff(MALFORMED_PACKET),
  },
  ...["a/+", "#", "a+"].map((topic): Exchange => ({
    name: `to the filter "${topic}" is refused [MQTT-3.3.2-2] [MQTT-4.7.0-1]`,
    send: () => [publish(topic)],
    expect: cutOff(MALFORMED_PACKET),
  })),
  {
    name: "with 201 slashes in its topic is refused",
    send: () => [publish("/".repeat(201))],
    expect: cutOff(MALFORMED_PACKET),
  },
  {
    name: "with 200 slashes in its topic is fine",
    send: () => [publish("/".repeat(200))],
    expect: everybody(SILENCE),
  },
  {
    name: "with a topic that is not UTF-8 is refused [MQTT-3.3.2-1]",
    send: () => rawPublish(0x30, Uint8Array.of(0xed, 0xa0, 0x80), [0]),
    expect: cutOff(MALFORMED_PACKET),
  },
  {
    name: "with U+0000 in its topic is refused [MQTT-4.7.3-2]",
    send: () => rawPublish(0x30, Uint8Array.of(0x61, 0), [0]),
    expect: cutOff(MALFORMED_PACKET),
  },
  {
    name: "of QoS 1 with identifier 0 is refused [MQTT-2.2.1-3]",
    send: () => rawPublish(0x32, A, [0, 0, 0]),
    expect: cutOff(PROTOCOL_ERROR),
  },
  {
    name: "above the maximum packet size is refused before it has arrived",
    limits: { maximumPacketSize: 1000 },
    send: () => Uint8Array.of(0x30, 0xe6, 0x07),
    expect: cutOff(ReasonCode.PACKET_TOO_LARGE),
  },
  {
    name: "of just the maximum packet size is fine",
    limits: { maximumPacketSize: 1000 },
    send: (version) => [
      publish("a", { payload: new Uint8Array(1000 - (version === 5 ? 7 : 6)) }),
    ],
    expect: everybody(SILENCE),
  },
];

const FORM_5: readonly Exchange[] = [
  {
    name: "with alias 0 is refused [MQTT-3.3.2-8]",
    send: () => rawPublish(0x30, A, [3, 0x23, 0, 0]),
    expect: { 5: toldAndClosed(disconnect(TOPIC_ALIAS_INVALID)) },
  },
  {
    name: "with an alias above the maximum is refused [MQTT-3.3.2-9]",
    listener: { topicAliasMaximum: 3 },
    send: () => [publish("a", { properties: { topicAlias: 4 } })],
    expect: { 5: toldAndClosed(disconnect(TOPIC_ALIAS_INVALID)) },
  },
  {
    name: "with an alias that was never set is refused",
    send: () => [publish("", { properties: { topicAlias: 1 } })],
    expect: { 5: toldAndClosed(disconnect(PROTOCOL_ERROR)) },
  },
  {
    name: "with an alias that stands for a topic is fine",
    send: () => [
      publish("a", { properties: { topicAlias: 1 } }),
      publish("", { properties: { topicAlias: 1 } }),
    ],
    expect: { 5: SILENCE },
  },
  {
    name: "with the identifier of a subscription is refused [MQTT-3.3.4-6]",
    send: () => [publish("a", { properties: { subscriptionIds: [1] } })],
    expect: { 5: toldAndClosed(disconnect(PROTOCOL_ERROR)) },
  },
  {
    name: "with a payload format above 1 is refused",
    send: () => rawPublish(0x30, A, [2, 0x01, 2]),
    expect: { 5: toldAndClosed(disconnect(PROTOCOL_ERROR)) },
  },
  {
    name: "with a filter as its response topic is refused [MQTT-3.3.2-14]",
    send: () => [publish("a", { properties: { responseTopic: "a/#" } })],
    expect: { 5: toldAndClosed(disconnect(PROTOCOL_ERROR)) },
  },
  {
    name: "with a property that comes twice is refused",
    send: () => rawPublish(0x30, A, [4, 0x01, 0, 0x01, 0]),
    expect: { 5: toldAndClosed(disconnect(PROTOCOL_ERROR)) },
  },
  {
    name: "with properties beyond its end is refused",
    send: () => rawPublish(0x30, A, [5, 0x01, 0]),
    expect: { 5: toldAndClosed(disconnect(MALFORMED_PACKET)) },
  },
];

const ANSWERS: readonly Exchange[] = [
  {
    name: "of QoS 0 is not answered [MQTT-3.3.4-1]",
    given: listener,
    send: () => [publish("a")],
    expect: everybody(SILENCE),
  },
  {
    name: "of QoS 1 is answered by a PUBACK [MQTT-4.3.2-4] [MQTT-2.2.1-5]",
    given: listener,
    send: () => [publish("a", { qos: 1, packetId: 1 })],
    expect: everybody(told(ack("puback", 1))),
  },
  {
    name: "of QoS 1 for nobody is answered so",
    send: () => [publish("a", { qos: 1, packetId: 1 })],
    expect: acked("puback", ReasonCode.NO_MATCHING_SUBSCRIBERS),
  },
  {
    name: "of QoS 2 for nobody is answered as ever [MQTT-4.3.3-8]",
    send: () => [publish("a", { qos: 2, packetId: 1 })],
    expect: everybody(told(ack("pubrec", 1))),
  },
  {
    name: "of QoS 2 goes through to its PUBCOMP [MQTT-4.3.3-11] [MQTT-2.2.1-5]",
    given: listener,
    send: () => [publish("a", { qos: 2, packetId: 1 }), ack("pubrel", 1)],
    expect: everybody(told(ack("pubrec", 1), ack("pubcomp", 1))),
  },
  {
    name: "of QoS 1 that is denied is answered so where that can be said [MQTT-3.1.1-3.3.5-2]",
    policy: DENYING,
    send: () => [publish("a", { qos: 1, packetId: 1 })],
    expect: acked("puback", ReasonCode.NOT_AUTHORIZED),
  },
  {
    name: "of QoS 2 that is denied is answered so where that can be said [MQTT-3.1.1-3.3.5-2]",
    policy: DENYING,
    send: () => [publish("a", { qos: 2, packetId: 1 })],
    expect: acked("pubrec", ReasonCode.NOT_AUTHORIZED),
  },
  {
    name: "of QoS 0 that is denied is not answered",
    policy: DENYING,
    send: () => [publish("a")],
    expect: everybody(SILENCE),
  },
  ...["$SYS/x", "$CONTROL/x", "$share/g/x"].map((topic): Exchange => ({
    name: `to the broker's own topic "${topic}" is denied`,
    send: () => [publish(topic, { qos: 1, packetId: 1 })],
    expect: acked("puback", ReasonCode.NOT_AUTHORIZED),
  })),
  {
    name: "to a topic that merely begins with a dollar sign is fine",
    send: () => [publish("$SYSTEM/x", { qos: 1, packetId: 1 })],
    expect: acked("puback", ReasonCode.NO_MATCHING_SUBSCRIBERS),
  },
  {
    name: "above a quota is answered so where that can be said",
    policy: OVER_QUOTA,
    send: () => [publish("a", { qos: 1, packetId: 1 })],
    expect: acked("puback", ReasonCode.QUOTA_EXCEEDED),
  },
  {
    name:
      "may repeat its identifier as soon as that is free [MQTT-2.2.1-4] [MQTT-4.3.2-5] [MQTT-4.3.3-12]",
    send: () => [
      publish("a", { qos: 2, packetId: 1 }),
      ack("pubrel", 1),
      publish("a", { qos: 2, packetId: 1 }),
    ],
    expect: everybody(told(ack("pubrec", 1), ack("pubcomp", 1), ack("pubrec", 1))),
  },
];

const REPEATED = publish("a", { qos: 2, packetId: 1, dup: true });

const REPETITION: readonly Exchange[] = [
  {
    name: "of QoS 2 may come three times before its PUBREL [MQTT-4.3.3-10]",
    send: () => [publish("a", { qos: 2, packetId: 1 }), REPEATED, REPEATED],
    expect: everybody(told(ack("pubrec", 1), ack("pubrec", 1), ack("pubrec", 1))),
  },
  {
    name: "of QoS 2 may not be repeated without an end",
    send: () => [publish("a", { qos: 2, packetId: 1 }), REPEATED, REPEATED, REPEATED],
    expect: {
      3: toldAndClosed(ack("pubrec", 1), ack("pubrec", 1), ack("pubrec", 1)),
      4: toldAndClosed(ack("pubrec", 1), ack("pubrec", 1), ack("pubrec", 1)),
      5: toldAndClosed(
        ack("pubrec", 1),
        ack("pubrec", 1),
        ack("pubrec", 1),
        disconnect(PROTOCOL_ERROR),
      ),
    },
  },
  {
    name: "of QoS 2 beyond the window is refused where a window was told [MQTT-3.3.4-7]",
    limits: { receiveMaximum: 1 },
    send: () => [publish("a", { qos: 2, packetId: 1 }), publish("a", { qos: 2, packetId: 2 })],
    expect: {
      3: told(ack("pubrec", 1), ack("pubrec", 2)),
      4: told(ack("pubrec", 1), ack("pubrec", 2)),
      5: told(ack("pubrec", 1), ack("pubrec", 2, ReasonCode.QUOTA_EXCEEDED)),
    },
  },
];

const ACKS: readonly Exchange[] = [
  {
    name: "PUBREL of an unknown identifier is completed",
    send: () => [ack("pubrel", 7)],
    expect: everybody(told(ack("pubcomp", 7))),
  },
  {
    name: "PUBREC of an unknown identifier is released",
    send: () => [ack("pubrec", 7)],
    expect: everybody(told(ack("pubrel", 7))),
  },
  {
    name: "PUBACK and PUBCOMP of unknown identifiers are ignored",
    send: () => [ack("puback", 7), ack("pubcomp", 7)],
    expect: everybody(SILENCE),
  },
  {
    name: "PUBREL with the wrong flags is refused [MQTT-3.6.1-1]",
    send: () => Uint8Array.of(0x60, 2, 0, 1),
    expect: { 4: CLOSE, 5: toldAndClosed(disconnect(MALFORMED_PACKET)) },
  },
  {
    name: "PUBACK of identifier 0 is refused [MQTT-2.2.1-3]",
    send: () => Uint8Array.of(0x40, 2, 0, 0),
    expect: cutOff(PROTOCOL_ERROR),
  },
  {
    name: "PUBACK with a reason of another packet is refused [MQTT-3.4.2-1]",
    send: () => Uint8Array.of(0x40, 3, 0, 1, 0x9f),
    expect: { 3: CLOSE, 4: CLOSE, 5: toldAndClosed(disconnect(PROTOCOL_ERROR)) },
  },
  {
    name: "PUBREC with a reason of another packet is refused [MQTT-3.5.2-1]",
    send: () => Uint8Array.of(0x50, 3, 0, 1, 0x92),
    expect: { 3: CLOSE, 4: CLOSE, 5: toldAndClosed(disconnect(PROTOCOL_ERROR)) },
  },
  {
    name: "PUBREL with a reason of another packet is refused [MQTT-3.6.2-1]",
    send: () => Uint8Array.of(0x62, 3, 0, 1, 0x97),
    expect: { 3: CLOSE, 4: CLOSE, 5: toldAndClosed(disconnect(PROTOCOL_ERROR)) },
  },
  {
    name: "PUBCOMP with a reason of another packet is refused [MQTT-3.7.2-1]",
    send: () => Uint8Array.of(0x70, 3, 0, 1, 0x97),
    expect: { 3: CLOSE, 4: CLOSE, 5: toldAndClosed(disconnect(PROTOCOL_ERROR)) },
  },
];

/** The client has a message of QoS 1 (identifier 1) and one of QoS 2 (identifier 2) in flight. */
function inFlight(client: VirtualClient, broker: VirtualBroker): void {
  client.send(subscribe(1, [request("#", { qos: 2 })]));
  broker.publish("one", { qos: 1 });
  broker.publish("two", { qos: 2 });
}

const MISMATCHES: readonly Exchange[] = [
  {
    name: "PUBREC for a message of QoS 1 is refused",
    given: inFlight,
    send: () => [ack("pubrec", 1)],
    expect: cutOff(PROTOCOL_ERROR),
  },
  {
    name: "PUBACK for a message of QoS 2 is refused",
    given: inFlight,
    send: () => [ack("puback", 2)],
    expect: cutOff(PROTOCOL_ERROR),
  },
  {
    name: "PUBCOMP before its PUBREC is refused",
    given: inFlight,
    send: () => [ack("pubcomp", 2)],
    expect: cutOff(PROTOCOL_ERROR),
  },
  {
    name: "PUBREC is answered by PUBREL, each time [MQTT-4.3.3-4]",
    given: inFlight,
    send: () => [ack("pubrec", 2), ack("pubrec", 2), ack("pubcomp", 2), ack("pubrec", 2)],
    expect: everybody(told(ack("pubrel", 2), ack("pubrel", 2), ack("pubrel", 2))),
  },
  {
    name:
      "PUBREC that refuses ends the exchange, and nothing is released [MQTT-4.3.3-4] [MQTT-4.4.0-2]",
    given: inFlight,
    send: () => [ack("pubrec", 2, ReasonCode.QUOTA_EXCEEDED), ack("pubcomp", 2)],
    expect: { 5: SILENCE },
  },
  {
    name: "PUBACK that refuses ends the exchange",
    given: inFlight,
    send: () => [ack("puback", 1, ReasonCode.QUOTA_EXCEEDED), ack("puback", 1)],
    expect: { 5: SILENCE },
  },
];

const begin: Parameters<typeof testExchanges>[2] = (broker, version) =>
  broker.connect({ protocolVersion: version });

testExchanges("PUBLISH", [...FORM, ...FORM_5, ...ANSWERS, ...REPETITION], begin);
testExchanges("An acknowledgement:", [...ACKS, ...MISMATCHES], begin);

test("PUBLISH above the message size limit is acknowledged and dropped", () => {
  for (const version of [3, 4, 5] as const) {
    const broker = new VirtualBroker({ limits: { messageSizeLimit: 3 } });
    const client = broker.connect({ protocolVersion: version });
    client.send(subscribe(1, [request("#", { qos: 2 })]));
    client.take();
    client.send(
      publish("a", { qos: 1, packetId: 1, payload: "four" }),
      publish("a", { qos: 2, packetId: 2, payload: "four" }),
      publish("a", { payload: "four" }),
    );
    // As bytes: the standard has no such code for these packets, but users have come to expect it.
    const expected = version === 5
      ? [0x40, 3, 0, 1, 0x95, 0x50, 3, 0, 2, 0x95]
      : [0x40, 2, 0, 1, 0x50, 2, 0, 2];
    assertEquals([...client.takeBytes()], expected);
    assertEquals(broker.core.counters.publishDropped, 3);
    const fits = client.exchange(publish("a", { payload: "thr" }));
    assertEquals(fits, [publish("a", { payload: "thr" })]);
  }
});

test("PUBLISH of QoS 2 is delivered once, when it arrives, however often it is repeated [MQTT-4.3.3-10]", () => {
  const broker = new VirtualBroker();
  const client = broker.connect({ clientId: "sender" });
  const other = broker.connect({ clientId: "receiver" });
  assertEquals(other.exchange(subscribe(1, [request("a")])), [suback(1, [0])]);
  const message = publish("a", { qos: 2, packetId: 9, payload: "x" });
  client.send(message, { ...message, dup: true });
  assertEquals(other.take(), [publish("a", { payload: "x" })]);
  client.send(ack("pubrel", 9), ack("pubrel", 9));
  assertEquals(other.take(), []);
  client.send(message);
  assertEquals(other.take(), [publish("a", { payload: "x" })]);
});

test("PUBLISH of QoS 2 that was refused frees its identifier in version 5 [MQTT-4.3.3-9]", () => {
  let reasonCode: ReasonCode = ReasonCode.NOT_AUTHORIZED;
  const broker = new VirtualBroker({ policy: { ...OPEN_POLICY, publish: () => reasonCode } });
  const client = broker.connect();
  client.send(subscribe(1, [request("a")]), publish("a", { qos: 2, packetId: 9 }));
  assertEquals(client.take(), [suback(1, [0]), ack("pubrec", 9, ReasonCode.NOT_AUTHORIZED)]);
  reasonCode = ReasonCode.SUCCESS;
  assertEquals(client.exchange(publish("a", { qos: 2, packetId: 9 })), [
    publish("a"),
    ack("pubrec", 9),
  ]);
});

test("PUBLISH may come byte by byte, and many in one chunk", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  client.send(subscribe(1, [request("a")]));
  client.take();
  const bytes = rawPublish(0x30, A, [0, 1, 2, 3]);
  for (const byte of bytes) client.sendBytes(Uint8Array.of(byte));
  const message = publish("a", { payload: Uint8Array.of(1, 2, 3) });
  assertEquals(client.take(), [message]);
  const many = Array.from({ length: 1000 }, () => message);
  assertEquals(client.exchange(...many), many);
});

test("PUBLISH with DUP is delivered without it [MQTT-3.3.1-3] [MQTT-4.3.1-1] [MQTT-4.3.2-2] [MQTT-4.3.3-2]", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  client.send(subscribe(1, [request("a", { qos: 1 })]));
  client.take();
  assertEquals(client.exchange(publish("a", { qos: 1, packetId: 5, dup: true })), [
    publish("a", { qos: 1, packetId: 1 }),
    ack("puback", 5),
  ]);
});
