// The pool: sizes, bounds, and that no buffer is lent to two at a time.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { BufferPool } from "../../../src/core/base/buffer_pool.ts";
import { test } from "../../harness.ts";

test("BufferPool.take() lends powers of two that are large enough", () => {
  const pool = new BufferPool(0);
  const sizes = [0, 1, 2048, 2049, 4096, 4097, 1 << 20, (1 << 20) + 1, 3_000_000];
  assertEquals(
    sizes.map((size) => pool.take(size).length),
    [2048, 2048, 2048, 4096, 4096, 8192, 1 << 20, 1 << 21, 1 << 22],
  );
});

test("BufferPool lends what was given back, and keeps no more idle than it may", () => {
  const pool = new BufferPool(6000);
  const [first, second, third] = [pool.take(1), pool.take(4000), pool.take(1)];
  pool.give(first);
  pool.give(second);
  assertEquals(pool.idleBytes, 2048);
  pool.give(third);
  assertEquals(pool.idleBytes, 4096);
  assertEquals(new Set([pool.take(1), pool.take(1)]), new Set([first, third]));
  assertEquals(pool.idleBytes, 0);
  assertEquals(pool.take(4000) === second, false);
});

test("BufferPool.give() leaves buffers of other sizes to the garbage collector", () => {
  const pool = new BufferPool(1 << 30);
  for (const length of [0, 1, 1024, 3000, 1 << 21]) pool.give(new Uint8Array(length));
  assertEquals(pool.idleBytes, 0);
});

test("BufferPool never lends one buffer to two", () => {
  const step = fc.oneof(fc.record({ take: fc.nat(20_000) }), fc.record({ give: fc.nat(30) }));
  fc.assert(fc.property(fc.array(step, { maxLength: 100 }), fc.nat(100_000), (steps, idle) => {
    const pool = new BufferPool(idle);
    const lent: Uint8Array[] = [];
    for (const step of steps) {
      if ("take" in step) {
        const buffer = pool.take(step.take);
        assertEquals(buffer.length >= step.take, true);
        assertEquals(lent.includes(buffer), false);
        lent.push(buffer);
      } else if (lent.length > 0) {
        pool.give(lent.splice(step.give % lent.length, 1)[0]!);
      }
      assertEquals(pool.idleBytes <= idle, true);
    }
  }));
});

test("BufferPool.trim() lets go what nobody has needed since the last time", () => {
  const pool = new BufferPool(1 << 30);
  const burst = Array.from({ length: 10 }, () => pool.take(2048));
  for (const buffer of burst) pool.give(buffer);
  pool.trim();
  // All ten were in use since the pool was made.
  assertEquals(pool.idleBytes, 10 * 2048);
  const used = [pool.take(2048), pool.take(2048)];
  for (const buffer of used) pool.give(buffer);
  pool.trim();
  assertEquals(pool.idleBytes, 2 * 2048);
  pool.trim();
  assertEquals(pool.idleBytes, 0);
});
