/**
 * The view against the decoder of objects: on packets drawn at random and on all fixtures they
 * agree, save where the view leaves a decision to others.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { decodeUtf8 } from "../../../src/core/base/utf8.ts";
import { MqttError } from "../../../src/core/codec/error.ts";
import type { PublishPacket } from "../../../src/core/codec/packet.ts";
import { decodeProperties, type Properties } from "../../../src/core/codec/property.ts";
import { PacketType, type ProtocolVersion } from "../../../src/core/codec/protocol.ts";
import { PublishView } from "../../../src/core/codec/publish_view.ts";
import { Reader } from "../../../src/core/codec/reader.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { test } from "../../harness.ts";
import { publish } from "./arbitrary.ts";
import { encode, type Fixture, fixtures, frame, fromHex, packetOf } from "./fixture.ts";

function readInto(view: PublishView, bytes: Uint8Array, version: ProtocolVersion): void {
  const { firstByte, bodyStart, end } = frame(bytes);
  view.read(firstByte, bytes, bodyStart, end, version);
}

/** Puts together again what the view only points at. */
function toPacket(view: PublishView, bytes: Uint8Array): PublishPacket {
  return {
    type: "publish",
    topic: decodeUtf8(bytes, view.topicStart, view.topicEnd) ?? "not UTF-8",
    payload: bytes.slice(view.payloadStart, view.payloadEnd),
    qos: view.qos,
    retain: view.retain,
    dup: view.dup,
    packetId: view.packetId,
    properties: toProperties(bytes.slice(view.propertiesStart, view.propertiesEnd)),
  };
}

function toProperties(content: Uint8Array): Properties {
  const writer = new Writer(new Uint8Array(content.length + 4));
  writer.varint(content.length);
  writer.raw(content, 0, content.length);
  return decodeProperties(new Reader(writer.bytes, 0, writer.length), PacketType.PUBLISH);
}

function assertViewed(view: PublishView, packet: PublishPacket, version: ProtocolVersion): void {
  const bytes = encode(packet, version);
  readInto(view, bytes, version);
  assertEquals(toPacket(view, bytes), packet);
  const { topicAlias, messageExpiryInterval, ...forwarded } = packet.properties;
  assertEquals(
    [view.topicAlias, view.messageExpiryInterval, view.forwardsVerbatim],
    [
      topicAlias ?? 0,
      messageExpiryInterval ?? -1,
      topicAlias === undefined && messageExpiryInterval === undefined,
    ],
  );
  const writer = new Writer(new Uint8Array(0));
  view.writeForwarded(writer, bytes);
  assertEquals(writer.length, view.forwardedLength);
  assertEquals(toProperties(writer.bytes.slice(0, writer.length)), forwarded);
}

for (const version of [3, 4, 5] as ProtocolVersion[]) {
  test(`PublishView.read() finds what decodePacket() finds, in version ${version}`, () => {
    // One view for all, as the broker has it: nothing of a packet may be left over for the next.
    const view = new PublishView();
    fc.assert(
      fc.property(publish(version, false), (packet) => {
        assertViewed(view, packet as PublishPacket, version);
      }),
      { numRuns: 300 },
    );
  });
}

function each(run: (fixture: Fixture, version: ProtocolVersion) => void): void {
  for (const fixture of fixtures["publish"]!) {
    for (const version of fixture.versions as ProtocolVersion[]) run(fixture, version);
  }
}

each((fixture, version) => {
  const bytes = fromHex(fixture.hex);
  if (fixture.toClient === true) {
    test(`PublishView.read() refuses from a client ${fixture.name} [MQTT-3.3.4-6]`, () => {
      const error = assertThrows(() => readInto(new PublishView(), bytes, version), MqttError);
      assertEquals(error.reasonCode, ReasonCode.PROTOCOL_ERROR);
    });
  } else if (fixture.topic === true) {
    test(`PublishView.read() leaves the topic to the routes in version ${version}: ${fixture.name}`, () => {
      const view = new PublishView();
      readInto(view, bytes, version);
      const { bodyStart } = frame(bytes);
      const length = bytes[bodyStart]! << 8 | bytes[bodyStart + 1]!;
      assertEquals([view.topicStart, view.topicEnd], [bodyStart + 2, bodyStart + 2 + length]);
    });
  } else if (fixture.error !== undefined) {
    test(`PublishView.read() refuses in version ${version}: ${fixture.name}`, () => {
      const error = assertThrows(() => readInto(new PublishView(), bytes, version), MqttError);
      assertEquals(error.reasonCode, ReasonCode[fixture.error as keyof typeof ReasonCode]);
    });
  } else {
    test(`PublishView.read() reads in version ${version}: ${fixture.name}`, () => {
      const view = new PublishView();
      readInto(view, bytes, version);
      assertEquals(toPacket(view, bytes), packetOf(fixture));
    });
  }
});

test("PublishView.writeForwarded() leaves out alias and expiry wherever they stand", () => {
  const orders = [
    "23 00 05 02 00 00 00 09 01 01 03 00 01 63",
    "02 00 00 00 09 23 00 05 01 01 03 00 01 63",
    "01 01 23 00 05 03 00 01 63 02 00 00 00 09",
    "01 01 02 00 00 00 09 03 00 01 63 23 00 05",
    "01 01 23 00 05 02 00 00 00 09 03 00 01 63",
    "01 01 03 00 01 63 23 00 05",
    "02 00 00 00 09 01 01 03 00 01 63",
    "01 01 03 00 01 63",
  ];
  const view = new PublishView();
  for (const order of orders) {
    const content = fromHex(order);
    const bytes = new Uint8Array([0, 1, 0x61, content.length, ...content]);
    view.read(0x30, bytes, 0, bytes.length, 5);
    const writer = new Writer(new Uint8Array(4));
    view.writeForwarded(writer, bytes);
    assertEquals(writer.bytes.slice(0, writer.length), fromHex("01 01 03 00 01 63"));
    assertEquals(view.forwardedLength, writer.length);
  }
});

test("PublishView.read() reads 65,000 user properties and a pair of 64 KiB each", () => {
  const writer = new Writer(new Uint8Array(0));
  writer.u16(1);
  writer.u8(0x61);
  const mark = writer.openLength(1);
  for (let i = 0; i < 65_000; i++) writer.raw(new Uint8Array([0x26, 0, 0, 0, 0]), 0, 5);
  writer.u8(0x26);
  writer.string("k".repeat(0xffff));
  writer.string("v".repeat(0xffff));
  writer.closeLength(mark, 1);
  const view = new PublishView();
  view.read(0x30, writer.bytes, 0, writer.length, 5);
  assert(view.forwardsVerbatim);
  assertEquals(view.forwardedLength, 65_000 * 5 + 1 + 2 * (2 + 0xffff));
});
