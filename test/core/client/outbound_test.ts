// The sending half of a client by itself: identifiers, refusals, and what is forgotten.

import { assertEquals, assertThrows } from "@std/assert";
import { Outbound, PublishRefusal } from "../../../src/core/client/outbound.ts";
import { AckView } from "../../../src/core/codec/ack.ts";
import { decodePacket } from "../../../src/core/codec/decode.ts";
import { ProtocolError } from "../../../src/core/codec/error.ts";
import { Framer } from "../../../src/core/codec/framer.ts";
import { PacketType } from "../../../src/core/codec/protocol.ts";
import type { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { test } from "../../harness.ts";
import { bytesOf } from "../../support/packets.ts";

const { PUBACK, PUBREC, PUBCOMP } = PacketType;
const PAYLOAD = bytesOf("21");

function started(inflightMax = 10): { outbound: Outbound; outbox: Writer } {
  const outbox = new Writer(new Uint8Array(64));
  const outbound = new Outbound(outbox);
  outbound.start({}, inflightMax, 0);
  return { outbound, outbox };
}

function ackOf(packetId: number, reasonCode = 0): AckView {
  const view = new AckView();
  view.packetId = packetId;
  view.reasonCode = reasonCode as ReasonCode;
  return view;
}

test("Outbound.publish() passes over the identifiers of requests, however small the quota", () => {
  const { outbound } = started(1);
  const requests = [1, 2, 3].map(() => outbound.request());
  assertEquals(requests, [1, 2, 3]);
  assertEquals(outbound.publish("a", PAYLOAD, { qos: 1 }, 0), 4);
  assertEquals([outbound.inflightCount, outbound.sendQuota], [1, 0]);
  assertEquals(outbound.acknowledged(PUBACK, ackOf(4), 0), true);
  assertEquals(outbound.sendQuota, 1);
});

test("Outbound.request() passes over the identifiers of messages", () => {
  const { outbound } = started();
  outbound.publish("a", PAYLOAD, { qos: 1 }, 0);
  outbound.publish("a", PAYLOAD, { qos: 1 }, 0);
  assertEquals(outbound.request(), 3);
  assertEquals([outbound.answered(3), outbound.answered(3)], [true, false]);
});

test("Outbound.acknowledged() is true when a message is done, and only then", () => {
  const { outbound } = started();
  const one = outbound.publish("a", PAYLOAD, { qos: 1 }, 0);
  const two = outbound.publish("a", PAYLOAD, { qos: 2 }, 0);
  const refused = outbound.publish("a", PAYLOAD, { qos: 2 }, 0);
  assertEquals([
    outbound.acknowledged(PUBACK, ackOf(one), 0),
    outbound.acknowledged(PUBREC, ackOf(two), 0),
    outbound.acknowledged(PUBREC, ackOf(two), 0),
    outbound.acknowledged(PUBCOMP, ackOf(two), 0),
    outbound.acknowledged(PUBREC, ackOf(refused, 0x97), 0),
    outbound.acknowledged(PUBACK, ackOf(99), 0),
  ], [true, false, false, true, true, false]);
  assertEquals(outbound.inflightCount, 0);
});

test("Outbound.acknowledged() answers a PUBREC of nothing with PUBREL 0x92", () => {
  const { outbound, outbox } = started();
  outbound.acknowledged(PUBREC, ackOf(7), 0);
  assertEquals([...outbox.bytes.subarray(0, outbox.length)], [0x62, 3, 0, 7, 0x92]);
});

test("Outbound.acknowledged() refuses an acknowledgement of another QoS", () => {
  const { outbound } = started();
  const one = outbound.publish("a", PAYLOAD, { qos: 1 }, 0);
  const two = outbound.publish("a", PAYLOAD, { qos: 2 }, 0);
  assertThrows(() => outbound.acknowledged(PUBREC, ackOf(one), 0), ProtocolError);
  assertThrows(() => outbound.acknowledged(PUBACK, ackOf(two), 0), ProtocolError);
  assertThrows(() => outbound.acknowledged(PUBCOMP, ackOf(two), 0), ProtocolError);
});

test("Outbound.forget() returns what was kept and not acknowledged, in order", () => {
  const { outbound } = started();
  outbound.publish("gone", PAYLOAD, { qos: 1 }, 0);
  outbound.isResumable = true;
  for (const topic of ["a", "b", "c"]) outbound.publish(topic, PAYLOAD, { qos: 2 }, 0);
  outbound.acknowledged(PUBREC, ackOf(3), 0);
  const forgotten = outbound.forget();
  assertEquals(forgotten.map(({ message, qos }) => [message.topic, qos]), [["a", 2], ["c", 2]]);
  assertEquals(outbound.inflightCount, 0);
});

/** What was written, as topic and alias of each packet. */
function written(outbox: Writer): string[] {
  const framer = new Framer();
  framer.feed(outbox.bytes.slice(0, outbox.length));
  outbox.length = 0;
  const packets: string[] = [];
  while (framer.next()) {
    const { firstByte, bytes, bodyStart, end } = framer;
    const packet = decodePacket(firstByte, bytes, bodyStart, end, 5);
    if (packet.type !== "publish") continue;
    const { topicAlias, contentType = "" } = packet.properties;
    packets.push(`${packet.topic}${contentType}=${topicAlias ?? "none"}`);
  }
  return packets;
}

test("Outbound.publish() sends the first topics as aliases, as many as both sides want [MQTT-3.2.2-17] [MQTT-3.2.2-18]", () => {
  const { outbound, outbox } = started();
  outbound.aliasesMax = 2;
  const send = (topicAliasMaximum: number, ...topics: string[]): string[] => {
    outbound.stop();
    outbound.start({ topicAliasMaximum }, 100, 0);
    outbox.length = 0;
    for (const topic of topics) outbound.publish(topic, PAYLOAD, {}, 0);
    return written(outbox);
  };
  assertEquals(send(9, "a", "b", "c", "a", "b", "c"), [
    "a=1",
    "b=2",
    "c=none",
    "=1",
    "=2",
    "c=none",
  ]);
  // Those of one connection mean nothing on the next [MQTT-3.3.2-7].
  assertEquals(send(1, "b", "b", "a"), ["b=1", "=1", "a=none"]);
  assertEquals(send(0, "a", "a"), ["a=none", "a=none"]);
});

test("Outbound.publish() puts an alias beside other properties, and repeats none of it later", () => {
  const { outbound, outbox } = started();
  outbound.aliasesMax = 1;
  outbound.isResumable = true;
  outbound.start({ topicAliasMaximum: 1 }, 100, 0);
  for (const contentType of ["", "x".repeat(10), "y".repeat(123), "z".repeat(300)]) {
    outbound.publish("a", PAYLOAD, { qos: 1, properties: { contentType } }, 0);
  }
  const expected = ["", "x".repeat(10), "y".repeat(123), "z".repeat(300)];
  assertEquals(
    written(outbox),
    expected.map((text, index) => `${index === 0 ? "a" : ""}${text}=1`),
  );
  outbound.stop();
  outbound.start({}, 100, 0);
  assertEquals(written(outbox), expected.map((text) => `a${text}=none`));
});

test("Outbound.publish() gives a topic no alias that would make its packet too large", () => {
  const { outbound, outbox } = started();
  outbound.aliasesMax = 1;
  const whole = 2 + 2 + 1 + 1 + PAYLOAD.length;
  outbound.start({ topicAliasMaximum: 1, maximumPacketSize: whole }, 100, 0);
  assertEquals(outbound.publish("a", PAYLOAD, {}, 0), 0);
  assertEquals(outbound.publish("aa", PAYLOAD, {}, 0), PublishRefusal.PACKET_TOO_LARGE);
  assertEquals(written(outbox), ["a=none"]);
  // The name is left out with the second message, which makes up for it.
  outbound.start({ topicAliasMaximum: 1, maximumPacketSize: whole + 3 }, 100, 0);
  outbound.publish("a", PAYLOAD, {}, 0);
  outbound.publish("a", PAYLOAD, {}, 0);
  assertEquals(written(outbox), ["a=1", "=1"]);
});
