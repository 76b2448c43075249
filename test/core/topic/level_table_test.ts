// Levels as numbers: given once, found by their bytes, given back.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { LevelTable } from "../../../src/core/topic/level_table.ts";
import { test } from "../../harness.ts";

const encoder = new TextEncoder();

test("LevelTable.acquire() gives equal levels one id, and others another", () => {
  const table = new LevelTable(7);
  const bytes = encoder.encode("left/left/right//é");
  const left = table.acquire(bytes, 0, 4);
  assertEquals(table.acquire(bytes, 5, 9), left);
  const right = table.acquire(bytes, 10, 15);
  const empty = table.acquire(bytes, 16, 16);
  const accented = table.acquire(bytes, 17, 19);
  assertEquals(new Set([0, left, right, empty, accented]).size, 5);
  assertEquals([left, right, empty, accented].map((id) => table.text(id)), [
    "left",
    "right",
    "",
    "é",
  ]);
  assertEquals(table.find(bytes, 0, 3), 0);
});

test("LevelTable.release() forgets a level with its last reference", () => {
  const table = new LevelTable(0);
  const bytes = encoder.encode("level");
  const id = table.acquire(bytes, 0, 5);
  table.acquire(bytes, 0, 5);
  table.release(id);
  assertEquals([table.find(bytes, 0, 5), table.size], [id, 1]);
  table.release(id);
  assertEquals([table.find(bytes, 0, 5), table.size], [0, 0]);
});

test("LevelTable reuses the place of a level for others of its size", () => {
  const table = new LevelTable(0);
  for (let i = 0; i < 100; i++) table.acquire(encoder.encode(`level-${i}`), 0, 7);
  const capacity = table.capacityBytes;
  for (let i = 0; i < 10_000; i++) {
    const bytes = encoder.encode(`other-${i}`);
    table.release(table.acquire(bytes, 0, bytes.length));
  }
  assertEquals(table.capacityBytes, capacity);
});

test("LevelTable.isSparse asks for a move once most of it is free, and the move keeps levels", () => {
  const table = new LevelTable(3);
  const ids: number[] = [];
  for (let i = 0; i < 1_000; i++) {
    const bytes = encoder.encode(`level-${i}`.repeat(1 + i % 50));
    ids.push(table.acquire(bytes, 0, bytes.length));
  }
  assertEquals(table.isSparse, false);
  for (const id of ids.slice(10)) table.release(id);
  assertEquals([table.isSparse, table.size], [true, 10]);
  const smaller = new LevelTable(3, table.liveWords);
  const moved = ids.slice(0, 10).map((id) => table.moveTo(smaller, id));
  assertEquals([smaller.liveWords, smaller.isSparse], [table.liveWords, false]);
  // A second reference leads to the same place.
  assertEquals(table.moveTo(smaller, ids[0]!), moved[0]);
  smaller.release(moved[0]!);
  moved.forEach((id, i) => assertEquals(smaller.text(id), `level-${i}`.repeat(1 + i % 50)));
});

test('LevelTable.isReserved() is true for levels that begin with "$"', () => {
  const table = new LevelTable(0);
  const levels = ["$SYS", "$", "", "a$", "a"];
  const ids = levels.map((level) => table.acquire(encoder.encode(level), 0, level.length));
  assertEquals(ids.map((id) => table.isReserved(id)), [true, true, false, false, false]);
});

test("LevelTable finds exactly the levels that are referred to", () => {
  const step = fc.tuple(fc.boolean(), fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 5 }));
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const table = new LevelTable(0);
    const references = new Map<string, number>();
    for (const [isAcquired, level] of steps) {
      const bytes = encoder.encode(level);
      const count = references.get(level) ?? 0;
      if (isAcquired) {
        table.acquire(bytes, 0, bytes.length);
        references.set(level, count + 1);
      } else if (count > 0) {
        table.release(table.find(bytes, 0, bytes.length));
        references.set(level, count - 1);
      }
      const id = table.find(bytes, 0, bytes.length);
      assertEquals(
        id === 0 ? undefined : table.text(id),
        references.get(level) ? level : undefined,
      );
    }
  }));
});
