/**
 * The data types as they are read, and that nothing is read beyond the end.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { MalformedPacketError } from "../../../src/core/codec/error.ts";
import { Reader } from "../../../src/core/codec/reader.ts";
import { test } from "../../harness.ts";
import { fromHex } from "./fixture.ts";

function over(hex: string): Reader {
  const bytes = fromHex(`99 ${hex} 99`);
  return new Reader(bytes, 1, bytes.length - 1);
}

test("Reader reads numbers with their highest byte first, and as unsigned", () => {
  const reader = over("ff 01 02 ff ff ff ff");
  assertEquals([reader.u8(), reader.u16(), reader.u32()], [255, 258, 4_294_967_295]);
  assertEquals(reader.remaining, 0);
});

test("Reader reads nothing beyond its end", () => {
  const reads: [string, (reader: Reader) => unknown][] = [
    ["", (reader) => reader.u8()],
    ["01", (reader) => reader.u16()],
    ["01 02 03", (reader) => reader.u32()],
    ["80", (reader) => reader.varint()],
    ["00 02 61", (reader) => reader.string()],
    ["00 02 61", (reader) => reader.binary()],
    ["61", (reader) => reader.copy(2)],
  ];
  for (const [hex, read] of reads) assertThrows(() => read(over(hex)), MalformedPacketError);
});

test("Reader.varint() refuses what is longer than it needs to be [MQTT-1.5.5-1]", () => {
  for (const hex of ["80 00", "ff 80 00", "80 80 80 00", "80 80 80 80 01", "ff ff ff ff 7f"]) {
    assertThrows(() => over(hex).varint(), MalformedPacketError);
  }
  assertEquals(over("00").varint(), 0);
  assertEquals(over("ff ff ff 7f").varint(), 268_435_455);
});

test("Reader.string() refuses what MQTT does not allow in a string [MQTT-1.5.4-1] [MQTT-1.5.4-2]", () => {
  const faults = {
    "U+0000": "00",
    "a control character": "1f",
    "a control character of two bytes": "c2 80",
    "an overlong slash": "c0 af",
    "an overlong slash of three bytes": "e0 80 af",
    "a high surrogate": "ed a0 80",
    "a low surrogate": "ed bf bf",
    "half a character": "e2 82",
    "a rest of a character": "82",
    "a non-character": "ef bf bf",
    "another non-character": "ef b7 90",
    "a character beyond the last": "f4 90 80 80",
  };
  for (const [fault, hex] of Object.entries(faults)) {
    const length = fromHex(hex).length;
    assertThrows(
      () => over(`00 0${length} ${hex}`).string(),
      MalformedPacketError,
      undefined,
      fault,
    );
  }
});

test("Reader.string() keeps a byte order mark and normalises nothing [MQTT-1.5.4-3]", () => {
  assertEquals(over("00 06 ef bb bf 65 cc 81").string(), "\ufeffe\u0301");
});

test("Reader.expectEnd() throws when something follows", () => {
  const reader = over("01 02");
  reader.u8();
  assertThrows(() => reader.expectEnd(), MalformedPacketError);
  reader.u8();
  reader.expectEnd();
});
