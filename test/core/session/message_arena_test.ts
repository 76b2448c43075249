// Memory that kept messages share.

import { assertEquals } from "@std/assert";
import { MessageArena } from "../../../src/core/session/message_arena.ts";
import { test } from "../../harness.ts";

test("MessageArena.place() gives every message bytes that no other has", () => {
  const arena = new MessageArena();
  const placed: [bytes: Uint8Array, start: number, size: number, mark: number][] = [];
  for (let i = 0; i < 2000; i++) {
    const size = (i * 37) % 1025;
    const start = arena.place(size);
    arena.bytes.fill(i & 0xff, start, start + size);
    placed.push([arena.bytes, start, size, i & 0xff]);
  }
  for (const [bytes, start, size, mark] of placed) {
    assertEquals(bytes.subarray(start, start + size), new Uint8Array(size).fill(mark));
  }
});

test("MessageArena.place() leaves large messages to themselves", () => {
  assertEquals([new MessageArena().place(1024), new MessageArena().place(1025)], [0, -1]);
});
