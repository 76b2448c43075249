/**
 * Copies of every short length, beside which nothing may change, and comparisons.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { copyBytes, equalBytes } from "../../../src/core/base/bytes.ts";
import { test } from "../../harness.ts";

test("copyBytes() copies runs of every length and touches nothing around them", () => {
  const source = Uint8Array.from({ length: 300 }, (_, i) => i % 251 + 1);
  for (let length = 0; length <= 130; length++) {
    for (const offset of [0, 1, 7]) {
      const target = new Uint8Array(160).fill(0xee);
      copyBytes(target, offset, source, 5, 5 + length);
      const expected = new Uint8Array(160).fill(0xee);
      for (let i = 0; i < length; i++) expected[offset + i] = source[5 + i]!;
      assertEquals(target, expected);
    }
  }
});

test("copyBytes() copies whole arrays of every length", () => {
  for (let length = 0; length <= 130; length++) {
    const source = Uint8Array.from({ length }, (_, i) => i + 1);
    const target = new Uint8Array(160).fill(0xee);
    copyBytes(target, 3, source, 0, length);
    const expected = new Uint8Array(160).fill(0xee);
    for (let i = 0; i < length; i++) expected[3 + i] = i + 1;
    assertEquals(target, expected);
  }
});

test("equalBytes() compares length and content", () => {
  const pairs: [number[], number[]][] = [
    [[], []],
    [[1, 2], [1, 2]],
    [[1, 2], [1, 3]],
    [[1, 2], [1, 2, 3]],
    [[0], []],
  ];
  const results = pairs.map(([a, b]) => equalBytes(new Uint8Array(a), new Uint8Array(b)));
  assertEquals(results, [true, true, false, false, false]);
});
