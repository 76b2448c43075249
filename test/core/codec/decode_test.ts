/**
 * What holds for decoding whatever the packet: reserved types, flipped bits, and that a packet
 * owns its bytes. The packets themselves are tested with their own files.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { isUtf8 } from "../../../src/core/base/utf8.ts";
import { AckView } from "../../../src/core/codec/ack.ts";
import { decodePacket } from "../../../src/core/codec/decode.ts";
import { MqttError } from "../../../src/core/codec/error.ts";
import { Framer } from "../../../src/core/codec/framer.ts";
import type { ConnectPacket, Packet, PublishPacket } from "../../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../../src/core/codec/protocol.ts";
import { PublishView } from "../../../src/core/codec/publish_view.ts";
import { test } from "../../harness.ts";
import { decode, fixtures, fromHex, testFixtures } from "./fixture.ts";

testFixtures("reserved");

for (const [file, cases] of Object.entries(fixtures)) {
  test(`decodePacket() throws nothing but MqttError on any flipped bit of ${file}`, () => {
    for (const { hex, versions } of cases) {
      const bytes = fromHex(hex);
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = bytes.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        for (const version of versions as ProtocolVersion[]) readAll(flipped, version);
      }
    }
  });
}

/** Reads all packets in all ways, which must agree on what is legal. */
function readAll(bytes: Uint8Array, version: ProtocolVersion): void {
  const framer = new Framer();
  framer.feed(bytes);
  while (attempt(() => framer.next()) === true) {
    const { firstByte, bodyStart, end } = framer;
    const packet = attempt(() => decodePacket(firstByte, bytes, bodyStart, end, version));
    const packetType = firstByte >> 4;
    if (packetType === 3) agreeOnPublish(packet, firstByte, bytes, bodyStart, end, version);
    if (packetType >= 4 && packetType <= 7) {
      const view = new AckView();
      attempt(() => view.read(firstByte, bytes, bodyStart, end, version));
    }
  }
}

function agreeOnPublish(
  packet: Packet | MqttError,
  firstByte: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  version: ProtocolVersion,
): void {
  const view = new PublishView();
  const fault = attempt(() => view.read(firstByte, bytes, start, end, version));
  if (packet instanceof MqttError) {
    if (fault !== undefined) return;
    const topic = bytes.subarray(view.topicStart, view.topicEnd);
    const isName = isUtf8(bytes, view.topicStart, view.topicEnd) &&
      !topic.includes(0x2b) && !topic.includes(0x23) && topic.length > 0;
    assert(!isName, "The view allows what is refused for more than its topic");
  } else if (packet.type === "publish") {
    const isForClients = packet.properties.subscriptionIds !== undefined;
    assertEquals(fault === undefined, !isForClients);
  }
}

/** What `step` returns, or the one kind of error that it may throw. */
function attempt<T>(step: () => T): T | MqttError {
  try {
    return step();
  } catch (error) {
    if (error instanceof MqttError) return error;
    throw error;
  }
}

test("decodePacket() copies payload, password and other binary out of the buffer", () => {
  const connect = fromHex("10 13 00 04 4d 51 54 54 04 c2 00 00 00 01 61 00 01 75 00 01 70");
  const publish = fromHex("30 0a 00 01 61 04 09 00 01 07 68 69");
  const packets = [decode(connect, 4), decode(publish, 5)];
  connect.fill(0);
  publish.fill(0);
  const [first, second] = packets as [ConnectPacket, PublishPacket];
  assertEquals(first.password, new Uint8Array([0x70]));
  assertEquals(second.payload, new Uint8Array([0x68, 0x69]));
  assertEquals(second.properties, { correlationData: new Uint8Array([7]) });
});

test("decodePacket() copies out of a subclass whose slices share memory", () => {
  class Shared extends Uint8Array {
    override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
      return new Uint8Array(this.buffer as ArrayBuffer).subarray(start, end);
    }
  }
  const bytes = Shared.from(fromHex("30 05 00 01 61 68 69"));
  const packet = decodePacket(0x30, bytes, 2, bytes.length, 4) as PublishPacket;
  bytes.fill(0);
  assertEquals(packet.payload, new Uint8Array([0x68, 0x69]));
});
