/**
 * Properties of any packet: the first byte chooses whose they are, the rest is what stands behind
 * their length, which is always right here. What was read can be written and read again, and what
 * was written once is written the same ever after.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { MqttError } from "../../../src/core/codec/error.ts";
import {
  decodeProperties,
  encodeProperties,
  type PropertyOwner,
} from "../../../src/core/codec/property.ts";
import { Reader } from "../../../src/core/codec/reader.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { type FuzzTarget, inAnySurroundings, outcomeOf } from "../target.ts";

const TWO = "\0\x02ab";

export const properties: FuzzTarget = {
  name: "properties",
  tokens: [
    "\x01\x01",
    "\x02\0\0\0\x01",
    `\x03${TWO}`,
    `\x26${TWO}${TWO}`,
    "\x0b\x7f",
    "\x23\0\x01",
  ],
  // One of each identifier, with room for any kind of value behind it.
  seeds: () =>
    Array.from({ length: 0x2b }, (_, id) =>
      [0, 1, 2, 3, 8, 14, 15].flatMap((owner) => [
        Uint8Array.of(owner, id, 1),
        Uint8Array.of(owner, id, 0, 1, 0x61),
        Uint8Array.of(owner, id, 0, 0, 0, 1),
        Uint8Array.of(owner, id, 0, 1, 0x61, 0, 1, 0x62),
      ])).flat(),
  run(input) {
    const owner = (input[0] ?? 0) % 16 as PropertyOwner;
    const outcome = inAnySurroundings(
      lengthAhead(input.subarray(1)),
      (bytes, start, end) =>
        outcomeOf(() => {
          const reader = new Reader(bytes, start, end);
          const read = decodeProperties(reader, owner);
          assertEquals(reader.remaining, 0);
          return read;
        }, MqttError),
    );
    if ("fault" in outcome) return;
    const writer = new Writer(new Uint8Array(4));
    encodeProperties(writer, outcome.value, owner);
    assert(writer.length <= lengthAhead(input.subarray(1)).length);
    const again = decodeProperties(new Reader(writer.bytes, 0, writer.length), owner);
    assertEquals(again, outcome.value);
    const twice = new Writer(new Uint8Array(4));
    encodeProperties(twice, again, owner);
    assertEquals(twice.bytes.slice(0, twice.length), writer.bytes.slice(0, writer.length));
  },
};

function lengthAhead(bytes: Uint8Array): Uint8Array {
  const writer = new Writer(new Uint8Array(4));
  writer.varint(bytes.length);
  writer.raw(bytes, 0, bytes.length);
  return writer.bytes.slice(0, writer.length);
}
