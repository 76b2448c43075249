// The open-addressing index under the tables, against a Map.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { hashBytes, HashIndex, hashPair } from "../../../src/core/topic/hash_index.ts";
import { test } from "../../harness.ts";

function has(index: HashIndex, id: number, hash: number): boolean {
  const { entries } = index;
  for (let i = index.first(hash); entries[i] !== 0; i = index.next(i)) {
    if (entries[i] === id && entries[i + 1] === hash) return true;
  }
  return false;
}

test("HashIndex finds what was inserted and not deleted, however the hashes collide", () => {
  // Few hashes, which lie at the end of the smallest table and wrap around to its start.
  const hash = fc.constantFrom(14, 15, 0, 1, 30, -1, -2, 0x7fffffff);
  const step = fc.record({ id: fc.integer({ min: 1, max: 60 }), hash });
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const index = new HashIndex();
    const expected = new Map<number, number>();
    for (const { id, hash } of steps) {
      const known = expected.get(id);
      if (known === undefined) {
        index.insert(id, hash);
        expected.set(id, hash);
      } else {
        index.delete(id, known);
        expected.delete(id);
      }
      assertEquals(index.size, expected.size);
    }
    for (let id = 1; id <= 60; id++) {
      const known = expected.get(id);
      assertEquals(has(index, id, known ?? 0), known !== undefined);
    }
  }));
});

test("HashIndex gives memory back", () => {
  const index = new HashIndex();
  const empty = index.entries.length;
  for (let id = 1; id <= 10_000; id++) index.insert(id, hashPair(id, 1));
  assertEquals(index.entries.length <= 8 * 10_000, true);
  for (let id = 1; id <= 10_000; id++) index.delete(id, hashPair(id, 1));
  assertEquals([index.size, index.entries.length], [0, empty]);
});

test("hashBytes() depends on every byte, on the length and on the seed, not on the place", () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, i) => 97 + i % 26);
  const hashes = new Set<number>();
  let count = 0;
  for (let length = 0; length <= 20; length++) {
    const hash = hashBytes(bytes, 0, length, 1);
    hashes.add(hash).add(hashBytes(bytes, 0, length, 2));
    count += 2;
    for (let i = 0; i < length; i++) {
      const changed = bytes.slice(0, length);
      changed[i]! ^= 1;
      hashes.add(hashBytes(changed, 0, length, 1));
      count++;
    }
    const moved = new Uint8Array(60);
    moved.set(bytes.subarray(0, length), 7);
    assertEquals(hashBytes(moved, 7, 7 + length, 1), hash);
  }
  assertEquals(hashes.size, count);
});

test("hashPair() spreads small numbers", () => {
  const low = new Set<number>();
  for (let left = 0; left < 64; left++) {
    for (let right = 0; right < 64; right++) low.add(hashPair(left * 6, right * 5) & 0xffff);
  }
  // Chance alone would leave about 3,970 different ones of 4,096.
  assertEquals(low.size > 3_800, true);
});
