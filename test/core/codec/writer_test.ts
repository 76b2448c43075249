/**
 * The data types as they are written, and lengths that are filled in later.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AssertionError } from "../../../src/core/base/assert.ts";
import { Reader } from "../../../src/core/codec/reader.ts";
import { varintWidth, Writer } from "../../../src/core/codec/writer.ts";
import { test } from "../../harness.ts";
import { toHex } from "./fixture.ts";

function written(write: (writer: Writer) => void): string {
  const writer = new Writer(new Uint8Array(0));
  write(writer);
  return toHex(writer.bytes.slice(0, writer.length));
}

test("Writer appends numbers with their highest byte first", () => {
  const hex = written((writer) => {
    writer.u8(0xff);
    writer.u16(0x0102);
    writer.u32(0xfffefdfc);
    writer.u32(0x01020304);
  });
  assertEquals(hex, "ff 01 02 ff fe fd fc 01 02 03 04");
});

test("Writer appends strings and binary after their length", () => {
  const hex = written((writer) => {
    writer.string("");
    writer.string("é€😀");
    writer.binary(new Uint8Array([1, 2]));
    writer.raw(new Uint8Array([1, 2, 3, 4]), 1, 3);
  });
  assertEquals(hex, "00 00 00 09 c3 a9 e2 82 ac f0 9f 98 80 00 02 01 02 02 03");
});

test("Writer.varint() takes as few bytes as the value allows [MQTT-1.5.5-1]", () => {
  const values = [0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455];
  assertEquals(values.map((value) => written((writer) => writer.varint(value))), [
    "00",
    "7f",
    "80 01",
    "ff 7f",
    "80 80 01",
    "ff ff 7f",
    "80 80 80 01",
    "ff ff ff 7f",
  ]);
  assertEquals(values.map(varintWidth), [1, 1, 2, 2, 3, 3, 4, 4]);
});

test("Writer.varint() and Reader.varint() agree on every value", () => {
  fc.assert(fc.property(fc.nat(268_435_455), (value) => {
    const writer = new Writer(new Uint8Array(4));
    writer.varint(value);
    const reader = new Reader(writer.bytes, 0, writer.length);
    assertEquals([reader.varint(), reader.remaining], [value, 0]);
  }));
});

test("Writer.string() takes 65,535 bytes and no more", () => {
  assertEquals(written((writer) => writer.string("é".repeat(32_767) + "a")).length, 65_537 * 3 - 1);
  assertThrows(() => written((writer) => writer.string("é".repeat(32_768))), AssertionError);
});

for (const text of ["\ud800", "a".repeat(200) + "\udfff"]) {
  test(`Writer.string() takes a lone surrogate among ${text.length} for a fault of ours`, () => {
    assertThrows(() => written((writer) => writer.string(text)), AssertionError);
  });
}

test("Writer refuses binary and lengths that are too large to be written", () => {
  assertThrows(() => written((writer) => writer.binary(new Uint8Array(65_536))), AssertionError);
  assertThrows(() => written((writer) => writer.varint(268_435_456)), AssertionError);
  assertThrows(() => written((writer) => writer.varint(-1)), AssertionError);
});

test("Writer.closeLength() moves the content when another width was expected", () => {
  for (const [expected, size] of [[1, 3], [4, 3], [1, 200], [2, 200], [1, 20_000], [3, 127]]) {
    const hex = written((writer) => {
      writer.u8(0xaa);
      const mark = writer.openLength(expected!);
      writer.raw(new Uint8Array(size!).fill(0xbb), 0, size!);
      writer.closeLength(mark, expected!);
      writer.u8(0xcc);
    });
    const length = written((writer) => writer.varint(size!));
    assertEquals(hex, `aa ${length} ${"bb ".repeat(size!)}cc`);
  }
});

test("Writer.ensure() doubles the buffer and keeps what was written", () => {
  const first = new Uint8Array(8);
  const writer = new Writer(first);
  writer.u32(1);
  writer.u32(2);
  assertEquals(writer.bytes === first, true);
  writer.u8(3);
  assertEquals([writer.bytes.length, writer.length], [16, 9]);
  assertEquals(toHex(writer.bytes.slice(0, 9)), "00 00 00 01 00 00 00 02 03");
});
