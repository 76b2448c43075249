/**
 * Our codec beside mqtt-packet: the first byte chooses the version, the second is the first of a
 * packet, and the rest its body. Every difference has to be one that is known and explained.
 *
 * @module
 */

import { assert } from "@std/assert";
import type { ProtocolVersion } from "../../../src/core/codec/protocol.ts";
import { fixtures, fromHex } from "../../core/codec/fixture.ts";
import { packet } from "../../support/raw_packet.ts";
import { CODEC_DIFFERENCES } from "../codec_differences.ts";
import { differenceOn } from "../foreign_codec.ts";
import type { FuzzTarget } from "../target.ts";

const KNOWN: ReadonlySet<string> = new Set(CODEC_DIFFERENCES.map(({ difference }) => difference));
const ALL = [...CODEC_DIFFERENCES, ...Object.values(fixtures).flat()];

export const foreignCodec: FuzzTarget = {
  name: "foreign_codec",
  tokens: ["\0\x04MQTT\x04", "\0\x04MQTT\x05", "\0\x06MQIsdp\x03", "\x26\0\x01a\0\x01b", "\0\x01a"],
  seeds: () =>
    ALL.map(({ hex }) => fromHex(hex)).filter((bytes) => bytes.length < 120).flatMap((bytes) =>
      [0, 1, 2].map((version) => Uint8Array.of(version, bytes[0]!, ...bytes.subarray(2)))
    ),
  run(input) {
    if (input.length < 2) return;
    const version = 3 + input[0]! % 3 as ProtocolVersion;
    const difference = differenceOn(packet(input[1]!, input.subarray(2)), version);
    assert(difference === undefined || KNOWN.has(difference), difference);
  },
};
