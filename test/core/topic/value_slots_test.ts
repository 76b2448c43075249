import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { PAGE_SLOTS, ValueSlots } from "../../../src/core/topic/value_slots.ts";
import { test } from "../../harness.ts";

function listFrom<T>(slots: ValueSlots<T>, head: number): T[] {
  const values: T[] = [];
  let previous = 0;
  for (let slot = head; slot !== 0; slot = slots.next(slot)) {
    assertEquals(slots.previous(slot), previous);
    values.push(slots.value(slot)!);
    previous = slot;
  }
  return values;
}

test("ValueSlots keeps several lists apart under any pushes and removals", () => {
  const step = fc.record({ list: fc.integer({ min: 0, max: 2 }), choice: fc.nat(999) });
  fc.assert(fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
    const slots = new ValueSlots<number>();
    const heads = [0, 0, 0];
    const expected: { slot: number; value: number }[][] = [[], [], []];
    steps.forEach(({ list, choice }, value) => {
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
  const slots = new ValueSlots<number>();
  const all = Array.from({ length: PAGE_SLOTS * 2 }, (_, i) => slots.push(i, 0, 0));
  assertEquals([all.includes(0), new Set(all).size], [false, PAGE_SLOTS * 2]);
  for (const slot of all) slots.remove(slot);
  const again = Array.from({ length: PAGE_SLOTS * 2 }, (_, i) => slots.push(i, 0, 0));
  assertEquals([again.includes(0), new Set(again).size], [false, PAGE_SLOTS * 2]);
});

test("ValueSlots gives pages back as they become empty, whichever remain", () => {
  const slots = new ValueSlots<number>();
  const onePage = (slots.remove(slots.push(0, 0, 0)), slots.capacityBytes);
  const all = Array.from({ length: PAGE_SLOTS * 40 }, (_, i) => slots.push(i, 0, 0));
  const last = all.pop()!;
  for (const slot of all) slots.remove(slot);
  assertEquals([slots.size, slots.value(last)], [1, PAGE_SLOTS * 40 - 1]);
  assertEquals(slots.capacityBytes <= onePage * 3, true);
  for (let i = 0; i < PAGE_SLOTS * 100; i++) slots.remove(slots.push(i, 0, 0));
  assertEquals(slots.capacityBytes <= onePage * 3, true);
});

test("ValueSlots.setOwner() changes the owner alone", () => {
  const slots = new ValueSlots<string>();
  const slot = slots.push("value", 0, 1);
  slots.setOwner(slot, 2);
  assertEquals([slots.owner(slot), slots.value(slot), slots.next(slot)], [2, "value", 0]);
});
