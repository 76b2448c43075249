// The queue against an array.

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AssertionError } from "../../../src/core/base/assert.ts";
import { RingQueue } from "../../../src/core/base/ring_queue.ts";
import { test } from "../../harness.ts";

test("RingQueue is an array that is pushed and shifted, at any length", () => {
  const step = fc.oneof(
    fc.record({ push: fc.nat(40) }),
    fc.record({ shift: fc.nat(40) }),
    fc.record({ retain: fc.integer({ min: 2, max: 5 }) }),
    fc.constant("clear" as const),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const queue = new RingQueue<number>();
    let model: number[] = [];
    let next = 0;
    for (const step of steps) {
      if (step === "clear") {
        queue.clear();
        model = [];
      } else if ("push" in step) {
        for (let i = 0; i < step.push; i++) {
          queue.push(next);
          model.push(next++);
        }
      } else if ("shift" in step) {
        for (let i = 0; i < step.shift; i++) assertEquals(queue.shift(), model.shift());
      } else {
        queue.retain((item) => item % step.retain !== 0);
        model = model.filter((item) => item % step.retain !== 0);
      }
      assertEquals(queue.length, model.length);
      assertEquals(queue.peek(), model[0]);
      assertEquals(model.map((_, i) => queue.at(i)), model);
    }
  }));
});

test("RingQueue.at() knows its bounds", () => {
  const queue = new RingQueue<string>();
  assertThrows(() => queue.at(0), AssertionError);
  queue.push("a");
  assertEquals(queue.at(0), "a");
  assertThrows(() => queue.at(1), AssertionError);
  assertThrows(() => queue.at(-1), AssertionError);
});
