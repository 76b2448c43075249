/**
 * What holds for encoding whatever the packet: there and back for packets drawn at random, lengths
 * at their boundaries, and faults of our own that leave nothing half written.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AssertionError } from "../../../src/core/base/assert.ts";
import { encodePacket } from "../../../src/core/codec/encode.ts";
import type { Packet, PublishPacket } from "../../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../../src/core/codec/protocol.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { test } from "../../harness.ts";
import { anyPacket } from "./arbitrary.ts";
import { decode, encode, toHex } from "./fixture.ts";

const PUBLISH: PublishPacket = {
  type: "publish",
  topic: "a",
  payload: new Uint8Array(0),
  qos: 0,
  retain: false,
  dup: false,
  packetId: 0,
  properties: {},
};

for (const version of [3, 4, 5] as ProtocolVersion[]) {
  test(`encodePacket() writes what decodePacket() reads back, in version ${version}`, () => {
    fc.assert(
      fc.property(anyPacket(version), (packet) => {
        assertEquals(decode(encode(packet, version), version), packet);
      }),
      { numRuns: 300 },
    );
  });
}

test("encodePacket() writes a packet the same wherever in the buffer it comes", () => {
  fc.assert(
    fc.property(fc.array(anyPacket(5), { maxLength: 5 }), (packets) => {
      const writer = new Writer(new Uint8Array(0));
      for (const packet of packets) encodePacket(writer, packet, 5);
      const apart = packets.map((packet) => toHex(encode(packet, 5)));
      assertEquals(toHex(writer.bytes.slice(0, writer.length)), apart.join(" "));
    }),
    { numRuns: 50 },
  );
});

for (const size of [0, 123, 124, 125, 126, 127, 128, 16_379, 16_380, 16_381, 16_382, 2_097_149]) {
  test(`encodePacket() gives a payload of ${size} bytes a length that is as short as can be [MQTT-1.5.5-1]`, () => {
    const packet = { ...PUBLISH, payload: new Uint8Array(size).fill(7) };
    for (const version of [4, 5] as ProtocolVersion[]) {
      // The framer refuses a length that is longer than it needs to be.
      assertEquals(decode(encode(packet, version), version), packet);
    }
  });
}

const FAULTS: [string, Packet][] = [
  ["a lone surrogate", { ...PUBLISH, topic: "\ud800" }],
  ["a string above 65535 bytes", { ...PUBLISH, topic: "é".repeat(32_768) }],
  ["DUP with QoS 0", { ...PUBLISH, dup: true }],
  ["no packet identifier", { ...PUBLISH, qos: 1 }],
  ["a property of another packet", { ...PUBLISH, properties: { receiveMaximum: 1 } }],
  ["a property out of range", { ...PUBLISH, properties: { topicAlias: 0 } }],
];

for (const [fault, packet] of FAULTS) {
  test(`encodePacket() takes ${fault} for a fault of ours and leaves the writer as it was`, () => {
    const writer = new Writer(new Uint8Array(8));
    encodePacket(writer, { type: "pingreq" }, 5);
    assertThrows(() => encodePacket(writer, packet, 5), AssertionError);
    assertEquals(toHex(writer.bytes.slice(0, writer.length)), "c0 00");
  });
}

test("encodePacket() takes AUTH before version 5 for a fault of ours", () => {
  const packet: Packet = { type: "auth", reasonCode: 0, properties: {} };
  assertThrows(() => encode(packet, 4), AssertionError);
});

test("encodePacket() lowers what a 3.x client cannot be told", () => {
  const properties = { reasonString: "why" };
  const packets: Packet[] = [
    { type: "connack", sessionPresent: true, reasonCode: 0x8a, properties },
    { type: "puback", packetId: 1, reasonCode: 0x87, properties },
    { type: "suback", packetId: 1, reasonCodes: [1, 0x87], properties },
    { type: "unsuback", packetId: 1, reasonCodes: [0x11], properties },
    { ...PUBLISH, properties: { contentType: "c" } },
  ];
  assertEquals(packets.map((packet) => toHex(encode(packet, 4))), [
    "20 02 00 05",
    "40 02 00 01",
    "90 04 00 01 01 80",
    "b0 02 00 01",
    "30 03 00 01 61",
  ]);
});
