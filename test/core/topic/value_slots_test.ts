// The lists of values under nodes, against arrays.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ValueSlots } from "../../../src/core/topic/value_slots.ts";
import { test } from "../../harness.ts";

interface Value {
  readonly number: number;
}

/** More than fit into a page. */
const MANY = 3_000;

function listFrom<T extends object>(slots: ValueSlots<T>, head: number): T[] {
  const values: T[] = [];
  let previous = 0;
  for (let slot = head; slot !== 0; slot = slots.next(slot)) {
    assertEquals(slots.previous(slot), previous);
    values.push(slots.value(slot));
    previous = slot;
  }
  return values;
}

test("ValueSlots keeps several lists apart under any pushes and removals", () => {
  const step = fc.record({ list: fc.integer({ min: 0, max: 2 }), choice: fc.nat(999) });
  fc.assert(fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
    const slots = new ValueSlots<Value>();
    const heads = [0, 0, 0];
    const expected: { slot: number; value: Value }[][] = [[], [], []];
    steps.forEach(({ list, choice }, number) => {
      const value = { number };
      const entries = expected[list]!;
      if (choice < 600 || entries.length === 0) {
        heads[list] = slots.push(value, heads[list]!, list + 10);
        entries.unshift({ slot: heads[list]!, value });
      } else {
        const [removed] = entries.splice(choice % entries.length, 1);
        assertEquals(slots.owner(removed!.slot), list + 10);
        if (removed!.slot === heads[list]) heads[list] = slots.next(removed!.slot);
        slots.remove(removed!.slot);
      }
    });
    expected.forEach((entries, list) => {
      assertEquals(listFrom(slots, heads[list]!), entries.map(({ value }) => value));
    });
    assertEquals(slots.size, expected.flat().length);
  }));
});

test("ValueSlots never gives out slot 0", () => {
  const slots = new ValueSlots<Value>();
  const all = Array.from({ length: MANY }, (_, i) => slots.push({ number: i }, 0, 0));
  assertEquals([all.includes(0), new Set(all).size], [false, MANY]);
  for (const slot of all) slots.remove(slot);
  const again = Array.from({ length: MANY }, (_, i) => slots.push({ number: i }, 0, 0));
  assertEquals([again.includes(0), new Set(again).size], [false, MANY]);
});

test("ValueSlots gives pages back as they become empty, whichever remain", () => {
  const slots = new ValueSlots<Value>();
  const onePage = (slots.remove(slots.push({ number: 0 }, 0, 0)), slots.capacityBytes);
  const all = Array.from({ length: MANY * 10 }, (_, i) => slots.push({ number: i }, 0, 0));
  const last = all.pop()!;
  for (const slot of all) slots.remove(slot);
  assertEquals([slots.size, slots.value(last)], [1, { number: MANY * 10 - 1 }]);
  assertEquals(slots.capacityBytes <= onePage * 3, true);
  for (let i = 0; i < MANY * 20; i++) slots.remove(slots.push({ number: i }, 0, 0));
  assertEquals(slots.capacityBytes <= onePage * 3, true);
});

test("ValueSlots.setOwner() changes the owner alone", () => {
  const slots = new ValueSlots<Value>();
  const slot = slots.push({ number: 7 }, 0, 1);
  slots.setOwner(slot, 2);
  assertEquals([slots.owner(slot), slots.value(slot), slots.next(slot)], [2, { number: 7 }, 0]);
});

test("ValueSlots.append() and visit() go through a list, and through everything", () => {
  const slots = new ValueSlots<Value>();
  const values = Array.from({ length: MANY }, (_, number) => ({ number }));
  let head = 0;
  for (const value of values) head = slots.push(value, head, 0);
  const other = slots.push({ number: -1 }, 0, 0);
  const out: Value[] = [];
  slots.append(head, out);
  assertEquals(out, values.toReversed());
  slots.remove(other);
  const visited: Value[] = [];
  slots.visit((slot, value) => {
    assertEquals(slots.value(slot) === value, true);
    visited.push(value);
  });
  assertEquals(visited.sort((a, b) => a.number - b.number), values);
});
