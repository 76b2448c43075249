// Names that are read again and again: always the right one, whatever was read before.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { NameMemory } from "../../src/store/name_memory.ts";
import { test } from "../harness.ts";

test("NameMemory.decode() gives each name as it is spelled, also where they share a place", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom("a", "b", "ß"), maxLength: 4 })),
      (all) => {
        const memory = new NameMemory();
        const decoded = all.map((name) => {
          const bytes = new TextEncoder().encode(`..${name}`);
          return memory.decode(bytes, 2, bytes.length);
        });
        assertEquals(decoded, all);
      },
    ),
  );
});

test("NameMemory.decode() takes names of any length, and none for what is no text", () => {
  const memory = new NameMemory();
  const long = "x".repeat(100);
  const bytes = new TextEncoder().encode(long);
  assertEquals([memory.decode(bytes, 0, 100), memory.decode(bytes, 0, 64)], [long, long.slice(36)]);
  assertEquals(memory.decode(Uint8Array.of(0xff, 0xff), 0, 2), "");
});
