// The heap against a list that is sorted when asked.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Deadline, DeadlineHeap } from "../../../src/core/base/deadline_heap.ts";
import { test } from "../../harness.ts";

class Item implements Deadline {
  readonly name: number;
  at = Infinity;
  heapIndex = -1;

  constructor(name: number) {
    this.name = name;
  }
}

test("DeadlineHeap is a sorted list, whatever is set, moved, removed and taken", () => {
  const step = fc.oneof(
    fc.record({ set: fc.nat(19), at: fc.nat(50) }),
    fc.record({ delete: fc.nat(19) }),
    fc.record({ now: fc.nat(50) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const heap = new DeadlineHeap<Item>();
    const items = Array.from({ length: 20 }, (_, name) => new Item(name));
    const model = new Map<Item, number>();
    for (const step of steps) {
      if ("set" in step) {
        heap.set(items[step.set]!, step.at);
        model.set(items[step.set]!, step.at);
      } else if ("delete" in step) {
        heap.delete(items[step.delete]!);
        model.delete(items[step.delete]!);
      } else {
        const due: number[] = [];
        for (let item = heap.takeDue(step.now); item; item = heap.takeDue(step.now)) {
          assertEquals(model.get(item), item.at);
          due.push(item.at);
          model.delete(item);
        }
        assertEquals(due, due.toSorted((a, b) => a - b));
      }
      assertEquals(heap.size, model.size);
      assertEquals(heap.next, Math.min(Infinity, ...model.values()));
      assertEquals(items.filter((item) => (item.heapIndex >= 0) !== model.has(item)), []);
    }
  }));
});

test("DeadlineHeap.takeDue() takes what is due at that very instant, and nothing later", () => {
  const heap = new DeadlineHeap<Item>();
  const item = new Item(1);
  heap.set(item, 5);
  assertEquals([heap.takeDue(4), heap.next], [undefined, 5]);
  assertEquals([heap.takeDue(5), heap.next, heap.size], [item, Infinity, 0]);
});
