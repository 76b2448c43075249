// An outbox borrows its buffer and gives it back, once, whatever the transport does with it.

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AssertionError } from "../../../src/core/base/assert.ts";
import { BufferPool } from "../../../src/core/base/buffer_pool.ts";
import { Outbox } from "../../../src/core/broker/outbox.ts";
import { test } from "../../harness.ts";

/** A pool that knows what it has lent. */
class CountingPool extends BufferPool {
  readonly lent: Set<Uint8Array> = new Set();

  override take(size: number): Uint8Array {
    const buffer = super.take(size);
    assertEquals(this.lent.has(buffer), false);
    this.lent.add(buffer);
    return buffer;
  }

  override give(buffer: Uint8Array): void {
    if (buffer.length === 0) return;
    assertEquals(this.lent.delete(buffer), true);
    super.give(buffer);
  }
}

function append(outbox: Outbox, bytes: readonly number[]): void {
  const writer = outbox.reserve(bytes.length);
  for (const byte of bytes) writer.u8(byte);
}

test("Outbox holds no buffer before and after it has something to say", () => {
  const pool = new CountingPool(1 << 20);
  const outbox = new Outbox(pool);
  assertEquals([outbox.backlog, outbox.isLent, pool.lent.size], [0, false, 0]);
  append(outbox, [1, 2, 3]);
  assertEquals([outbox.backlog, outbox.gatheredBytes, pool.lent.size], [3, 3, 1]);
  assertEquals([...outbox.take().subarray(0, outbox.gatheredBytes)], [1, 2, 3]);
  outbox.consumed();
  assertEquals([outbox.backlog, outbox.gatheredBytes, pool.lent.size], [0, 0, 0]);
});

test("Outbox gathers in another buffer while the transport has one", () => {
  const pool = new CountingPool(1 << 20);
  const outbox = new Outbox(pool);
  append(outbox, [1, 2]);
  const first = outbox.take();
  outbox.lend();
  append(outbox, [3]);
  assertEquals([outbox.isLent, outbox.backlog, outbox.gatheredBytes, [...first.subarray(0, 2)]], [
    true,
    3,
    1,
    [1, 2],
  ]);
  assertThrows(() => outbox.take(), AssertionError);
  outbox.returned();
  assertEquals([outbox.isLent, outbox.backlog, pool.lent.size], [false, 1, 1]);
  assertEquals(outbox.take()[0], 3);
});

test("Outbox keeps every byte in order and lends no buffer to two, whatever happens", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ append: fc.integer({ min: 1, max: 3000 }) }) },
    { weight: 2, arbitrary: fc.constantFrom("consumed", "lend", "returned") },
    { weight: 1, arbitrary: fc.constant("discard") },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pool = new CountingPool(1 << 20);
      const outboxes = [new Outbox(pool), new Outbox(pool)];
      const gathered: number[][] = [[], []];
      const lent: (readonly [Uint8Array, readonly number[]] | undefined)[] = [undefined, undefined];
      let next = 0;
      const check = (index: number): void => {
        const outbox = outboxes[index]!;
        assertEquals(outbox.gatheredBytes, gathered[index]!.length);
        const [bytes, expected] = lent[index] ?? [];
        if (bytes !== undefined) {
          assertEquals([...bytes.subarray(0, expected!.length)], expected);
        }
        assertEquals(outbox.backlog, gathered[index]!.length + (expected?.length ?? 0));
      };
      steps.forEach((step, i) => {
        const index = i % 2;
        const outbox = outboxes[index]!;
        if (typeof step === "object") {
          const bytes = Array.from({ length: step.append }, () => next++ & 0xff);
          append(outbox, bytes);
          gathered[index]!.push(...bytes);
        } else if (step === "discard") {
          const left = lent[index]?.[0];
          outbox.discard();
          if (left !== undefined) pool.lent.delete(left);
          gathered[index] = [];
          lent[index] = undefined;
        } else if (step === "returned") {
          outbox.returned();
          lent[index] = undefined;
        } else if (outbox.gatheredBytes > 0 && !outbox.isLent) {
          const bytes = outbox.take();
          assertEquals([...bytes.subarray(0, outbox.gatheredBytes)], gathered[index]);
          if (step === "lend") {
            outbox.lend();
            lent[index] = [bytes, gathered[index]!];
          } else outbox.consumed();
          gathered[index] = [];
        }
        check(0);
        check(1);
      });
    }),
    { numRuns: 50 },
  );
});
