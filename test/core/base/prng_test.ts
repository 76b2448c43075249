// The generator: the same numbers for a seed everywhere, others for another.

import { assertEquals } from "@std/assert";
import { prng } from "../../../src/core/base/prng.ts";
import { test } from "../../harness.ts";

const EXPECTED = [2347419498, 2450417325, 29821686, 3087520371];

function draw(seed: number, count: number): number[] {
  const random = prng(seed);
  return Array.from({ length: count }, random);
}

test("prng() gives the same unsigned 32-bit integers for a seed on every runtime", () => {
  assertEquals(draw(1, 4), EXPECTED);
  assertEquals(draw(2 ** 32 + 1, 4), EXPECTED);
});

test("prng() gives other numbers for other seeds, also for those close by", () => {
  const seen = new Set<number>();
  for (let seed = 0; seed < 1000; seed++) {
    for (const number of draw(seed, 4)) seen.add(number);
  }
  // Four thousand draws of thirty-two bits: a handful of collisions would be chance.
  assertEquals(seen.size > 3990, true);
});

test("prng() uses all bits about as often", () => {
  const counts = new Array<number>(32).fill(0);
  for (const number of draw(7, 4096)) {
    assertEquals(Number.isInteger(number) && number >= 0 && number < 2 ** 32, true);
    for (let bit = 0; bit < 32; bit++) counts[bit]! += number >>> bit & 1;
  }
  assertEquals(counts.filter((count) => Math.abs(count - 2048) > 256), []);
});
