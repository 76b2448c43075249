// The bytes of the text at hand, in memory that is used again.

import { assertEquals, assertThrows } from "@std/assert";
import { TextBytes } from "../../../src/core/topic/text_bytes.ts";
import { test } from "../../harness.ts";

test("TextBytes.encode() puts one text after the other at the start of its bytes", () => {
  const text = new TextBytes();
  for (const each of ["a/b", "", "é/\u{1f600}", "x".repeat(65_535), "short"]) {
    const end = text.encode(each);
    assertEquals(text.bytes.slice(0, end), new TextEncoder().encode(each));
  }
});

test("TextBytes.encode() does not keep the memory of a long text", () => {
  const text = new TextBytes();
  text.encode("a");
  const small = text.bytes.length;
  text.encode("x".repeat(65_535));
  text.encode("a");
  assertEquals(text.bytes.length, small);
});

test("TextBytes.encode() refuses what has no bytes", () => {
  assertThrows(() => new TextBytes().encode("\ud800"));
});
