/**
 * The framer and the decoders of all versions, on a stream of bytes whose first one chooses the
 * version. Packets are the same wherever the stream is cut, the views that the broker reads in
 * place agree with the decoder, what was decoded can be written and read again, and what was
 * written as Midge writes comes out byte for byte.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { AckView } from "../../../src/core/codec/ack.ts";
import { decodePacket } from "../../../src/core/codec/decode.ts";
import { encodePacket } from "../../../src/core/codec/encode.ts";
import { MqttError } from "../../../src/core/codec/error.ts";
import { Framer } from "../../../src/core/codec/framer.ts";
import type { Packet } from "../../../src/core/codec/packet.ts";
import { NO_PROPERTIES, type Properties } from "../../../src/core/codec/property.ts";
import type { ProtocolVersion } from "../../../src/core/codec/protocol.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { fixtures, fromHex } from "../../core/codec/fixture.ts";
import { cutsOf, type FuzzTarget, inAnySurroundings, outcomeOf, watched } from "../target.ts";
import { checkPublishView } from "./publish_view.ts";

/** Smaller than any buffer of a framer that holds part of a packet need be. */
const HELD_BYTES_MIN = 64;

export const packets: FuzzTarget = {
  name: "packets",
  tokens: ["\0\x04MQTT\x04", "\0\x04MQTT\x05", "\0\x06MQIsdp\x03", "\0\x01a", "$share/g/", "+/#"],
  seeds: () =>
    Object.values(fixtures).flat().map(({ hex, versions }) =>
      Uint8Array.of(versions[0]! - 3, ...fromHex(hex))
    ),
  run(input) {
    const version = 3 + (input[0] ?? 0) % 3 as ProtocolVersion;
    const stream = input.subarray(1);
    const framed = frame([stream]);
    for (const at of cutsOf(stream)) {
      assertEquals(frame([stream.subarray(0, at), stream.subarray(at)]), framed);
    }
    assertEquals(frame(Array.from(stream, (byte) => Uint8Array.of(byte))), framed);
    for (const packet of framed.packets) checkPacket(packet, version);
  },
};

interface Framed {
  readonly packets: readonly Uint8Array[];
  readonly fault: string | undefined;
}

/** Takes packets off the chunks, each of which is gone before the next one comes. */
function frame(chunks: readonly Uint8Array[]): Framed {
  const framer = new Framer();
  const found: Uint8Array[] = [];
  for (const chunk of chunks) {
    const lent = chunk.slice();
    framer.feed(lent);
    for (;;) {
      const outcome = outcomeOf(() => framer.next(), MqttError);
      if ("fault" in outcome) return { packets: found, fault: outcome.fault };
      if (!outcome.value) break;
      found.push(framer.bytes.slice(framer.start, framer.end));
    }
    framer.keepRest();
    lent.fill(0xee);
    assert(framer.bytes.length <= Math.max(HELD_BYTES_MIN, 2 * framer.bufferedBytes));
  }
  return { packets: found, fault: undefined };
}

function checkPacket(raw: Uint8Array, version: ProtocolVersion): void {
  const bodyStart = raw.findIndex((byte, at) => at > 0 && byte < 0x80) + 1;
  const firstByte = raw[0]!;
  const outcome = inAnySurroundings(raw, (bytes, start, end) =>
    outcomeOf(
      () => decodePacket(firstByte, bytes, start + bodyStart, end, version),
      MqttError,
    ));
  const reading = watched(raw, bodyStart, raw.length);
  outcomeOf(
    () => decodePacket(firstByte, reading.bytes, bodyStart, raw.length, version),
    MqttError,
  );
  // A byte is looked at a few times at most, whatever it means.
  assert(reading.count() <= 8 * raw.length, `${reading.count()} reads of ${raw.length} bytes`);
  const packetType = firstByte >> 4;
  if (packetType === 3) {
    checkPublishView(raw, bodyStart, version, "value" in outcome ? outcome.value : undefined);
  }
  if (packetType >= 4 && packetType <= 7) {
    const view = new AckView();
    const seen = outcomeOf(() => {
      view.read(firstByte, raw, bodyStart, raw.length, version);
      return { packetId: view.packetId, reasonCode: view.reasonCode, properties: view.properties };
    }, MqttError);
    assertEquals(
      seen,
      "value" in outcome ? { value: withoutType(outcome.value) } : outcome,
    );
  }
  if ("value" in outcome) checkRoundTrip(outcome.value, raw, version);
}

function checkRoundTrip(packet: Packet, raw: Uint8Array, version: ProtocolVersion): void {
  const own = packet.type === "connect" ? packet.protocolVersion : version;
  const written = write(packet, own);
  const [again] = frame([written]).packets;
  assertEquals(again, written);
  const bodyStart = written.findIndex((byte, at) => at > 0 && byte < 0x80) + 1;
  assertEquals(decodePacket(written[0]!, written, bodyStart, written.length, own), packet);
  assert(written.length <= raw.length, "What was read takes more bytes than it took");
  // Version 3.1 says of some bits only that they do not matter.
  if (own === 3 || written.length < raw.length) return;
  if (isGathered(packet)) assertEquals(written.toSorted(), raw.toSorted());
  else assertEquals(written, raw);
}

/** Properties that may come more than once are written side by side. */
function isGathered(packet: Packet): boolean {
  const all: Properties[] = "properties" in packet ? [packet.properties] : [];
  if (packet.type === "connect") all.push(packet.will?.properties ?? NO_PROPERTIES);
  return all.some(({ userProperties = [], subscriptionIds = [] }) =>
    userProperties.length > 1 || subscriptionIds.length > 1
  );
}

function write(packet: Packet, version: ProtocolVersion): Uint8Array {
  const writer = new Writer(new Uint8Array(16));
  encodePacket(writer, packet, version);
  return writer.bytes.slice(0, writer.length);
}

function withoutType({ type: _, ...rest }: Packet): Omit<Packet, "type"> {
  return rest;
}
