/**
 * Packets as data (test/fixture/packets), each used four ways: it is decoded, encoded, taken there
 * and back, and cut at every byte. A case either names the packet that its bytes mean, or the
 * reason code that they must earn.
 *
 * - `oneWay`: the bytes are legal, but not how Midge writes the packet.
 * - `cuts`, `cutsFrom`: lengths of the body at which a cut packet is a legal, different one.
 * - `answer`: the version in which a client is told that its CONNECT failed.
 * - `topic`, `toClient`: a PUBLISH that `PublishView` takes another view of; see its test.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodePacket } from "../../../src/core/codec/decode.ts";
import { encodePacket } from "../../../src/core/codec/encode.ts";
import { MqttError } from "../../../src/core/codec/error.ts";
import { Framer } from "../../../src/core/codec/framer.ts";
import type { Packet } from "../../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../../src/core/codec/protocol.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { test } from "../../harness.ts";
import ack from "../../fixture/packets/ack.json" with { type: "json" };
import auth from "../../fixture/packets/auth.json" with { type: "json" };
import connack from "../../fixture/packets/connack.json" with { type: "json" };
import connect from "../../fixture/packets/connect.json" with { type: "json" };
import disconnect from "../../fixture/packets/disconnect.json" with { type: "json" };
import ping from "../../fixture/packets/ping.json" with { type: "json" };
import publish from "../../fixture/packets/publish.json" with { type: "json" };
import reserved from "../../fixture/packets/reserved.json" with { type: "json" };
import suback from "../../fixture/packets/suback.json" with { type: "json" };
import subscribe from "../../fixture/packets/subscribe.json" with { type: "json" };
import unsuback from "../../fixture/packets/unsuback.json" with { type: "json" };
import unsubscribe from "../../fixture/packets/unsubscribe.json" with { type: "json" };

/** One case of a fixture file. */
export interface Fixture {
  name: string;
  hex: string;
  versions: number[];
  packet?: unknown;
  error?: string;
  answer?: number;
  oneWay?: boolean;
  cuts?: number[];
  cutsFrom?: number;
  topic?: boolean;
  toClient?: boolean;
}

/** All fixture files, by the name of the source file that they are about. */
export const fixtures: Readonly<Record<string, readonly Fixture[]>> = {
  ack,
  auth,
  connack,
  connect,
  disconnect,
  ping,
  publish,
  reserved,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
};

/** Registers the tests of one fixture file. */
export function testFixtures(file: string): void {
  for (const fixture of fixtures[file]!) {
    for (const version of fixture.versions as ProtocolVersion[]) {
      const where = `${file} in version ${version}: ${fixture.name}`;
      if (fixture.error !== undefined) {
        test(`decodePacket() refuses ${where}`, () => assertRefused(fixture, version));
        continue;
      }
      test(`decodePacket() and encodePacket() agree on ${where}`, () => {
        assertRead(fixture, version);
        assertWritten(fixture, version);
      });
      test(`decodePacket() refuses each cut of ${where}`, () => assertCut(fixture, version));
    }
  }
}

function assertRead(fixture: Fixture, version: ProtocolVersion): void {
  assertEquals(decode(fromHex(fixture.hex), version), packetOf(fixture));
}

function assertWritten(fixture: Fixture, version: ProtocolVersion): void {
  const packet = packetOf(fixture);
  // Too small for anything, so that the writer has to grow.
  const writer = new Writer(new Uint8Array(1));
  encodePacket(writer, packet, version);
  const written = writer.bytes.slice(0, writer.length);
  if (fixture.oneWay !== true) assertEquals(toHex(written), fixture.hex);
  assertEquals(decode(written, version), packet);
}

function assertRefused(fixture: Fixture, version: ProtocolVersion): void {
  const error = assertThrows(() => decode(fromHex(fixture.hex), version), MqttError);
  assertEquals(
    { code: error.reasonCode, answer: error.protocolVersion },
    { code: ReasonCode[fixture.error as keyof typeof ReasonCode], answer: fixture.answer as 5 },
  );
}

/** Cuts the stream, which must leave the framer waiting, and the body, which must not be read. */
function assertCut(fixture: Fixture, version: ProtocolVersion): void {
  const bytes = fromHex(fixture.hex);
  const { firstByte, bodyStart } = frame(bytes);
  const legal: number[] = [];
  for (let end = 0; end < bytes.length; end++) {
    const framer = new Framer();
    framer.feed(bytes.slice(0, end));
    assertEquals(framer.next(), false);
    if (end < bodyStart) continue;
    // What follows the cut must not matter.
    const cut = bytes.slice().fill(0xff, end);
    try {
      const packet = decodePacket(firstByte, cut, bodyStart, end, version);
      assertEquals(packet, decodePacket(firstByte, bytes, bodyStart, end, version));
      assertEquals(packet.type, packetOf(fixture).type);
      legal.push(end - bodyStart);
    } catch (error) {
      assert(error instanceof MqttError, `${error}`);
    }
  }
  const expected = [...fixture.cuts ?? []];
  const whole = bytes.length - bodyStart;
  for (let cut = fixture.cutsFrom ?? whole; cut < whole; cut++) expected.push(cut);
  assertEquals(legal, expected);
}

/** Decodes a packet with its fixed header. */
export function decode(bytes: Uint8Array, version: ProtocolVersion): Packet {
  const { firstByte, bodyStart, end } = frame(bytes);
  return decodePacket(firstByte, bytes, bodyStart, end, version);
}

/** Encodes a packet with its fixed header. */
export function encode(packet: Packet, version: ProtocolVersion): Uint8Array {
  const writer = new Writer(new Uint8Array(64));
  encodePacket(writer, packet, version);
  return writer.bytes.slice(0, writer.length);
}

/** Finds the one packet that the bytes are. */
export function frame(bytes: Uint8Array): { firstByte: number; bodyStart: number; end: number } {
  const framer = new Framer();
  framer.feed(bytes);
  assertEquals(framer.next(), true);
  assertEquals([framer.start, framer.end], [0, bytes.length]);
  const { firstByte, bodyStart, end } = framer;
  return { firstByte, bodyStart, end };
}

/** The packet that a fixture means: with its binary as bytes, and its properties if it has none. */
export function packetOf(fixture: Fixture): Packet {
  const packet = revive(fixture.packet) as Packet;
  if (packet.type === "pingreq" || packet.type === "pingresp") return packet;
  packet.properties ??= {};
  return packet;
}

function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]![0] === "hex") return fromHex(entries[0]![1]);
  return Object.fromEntries(entries.map(([key, each]) => [key, revive(each)]));
}

export function fromHex(hex: string): Uint8Array {
  const bytes = hex.split(" ").filter((each) => each !== "");
  return Uint8Array.from(bytes, (each) => parseInt(each, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join(" ");
}
