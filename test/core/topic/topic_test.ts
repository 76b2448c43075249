// What topic names may be.

import { assertEquals } from "@std/assert";
import { isTopic } from "../../../src/core/topic/topic.ts";
import { test } from "../../harness.ts";

const encoder = new TextEncoder();

function check(name: string, levelsMax = 201): boolean {
  const bytes = encoder.encode(name);
  // Wildcards all around show when a byte too many is read.
  const surrounded = Uint8Array.from([0x23, ...bytes, 0x2b]);
  return isTopic(surrounded, 1, 1 + bytes.length, levelsMax);
}

test("isTopic() accepts names with empty levels, blanks, any case and any script", () => {
  for (const name of ["a", "/", "//", "a//b", "/a", "a/", " ", "A b/c", "$SYS/x", "é/\u{1f600}"]) {
    assertEquals([name, check(name)], [name, true]);
  }
});

test("isTopic() refuses an empty name [MQTT-4.7.3-1]", () => {
  assertEquals(check(""), false);
});

test("isTopic() refuses wildcards wherever they stand [MQTT-3.3.2-2]", () => {
  for (const name of ["+", "#", "a+", "a/#", "a/+/b", "+a/b", "##", "#a", "é+"]) {
    assertEquals([name, check(name)], [name, false]);
  }
});

test("isTopic() refuses strings that MQTT does not allow [MQTT-3.3.2-1]", () => {
  for (const name of ["a\0", "\u0001", "a/\u001f", "\u007f", "\u0080", "\ufffe", "\ufdd0"]) {
    assertEquals([name, check(name)], [name, false]);
  }
  assertEquals(isTopic(Uint8Array.of(0x61, 0xc3), 0, 2, 201), false);
  assertEquals(isTopic(Uint8Array.of(0xed, 0xa0, 0x80), 0, 3, 201), false);
});

test("isTopic() allows as many levels as the limit says", () => {
  assertEquals(check("/".repeat(200)), true);
  assertEquals(check("/".repeat(201)), false);
  assertEquals(check("a/b/c", 3), true);
  assertEquals(check("a/b/c/", 3), false);
});

test("isTopic() refuses more bytes than a string can have [MQTT-4.7.3-3]", () => {
  assertEquals(check("a".repeat(65_535)), true);
  assertEquals(check("a".repeat(65_536)), false);
  assertEquals(check("/".repeat(65_535), 65_536), true);
});
