// The table against the obvious matcher while filters come and go between look-ups, and its bounds.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { matches } from "../../../src/core/topic/filter.ts";
import { RouteTable, type Topic } from "../../../src/core/topic/route_table.ts";
import { test } from "../../harness.ts";
import { anyFilter, anyTopic } from "./arbitraries.ts";

interface Value {
  readonly filter: string;
}

const encoder = new TextEncoder();

function makeTable(
  { topicsMax = 1_000, bytesMax = 1_000_000, levelsMax = 201 } = {},
): RouteTable<Value> {
  return new RouteTable({ topicsMax, bytesMax, levelsMax });
}

function filtersOf(table: RouteTable<Value>, topic: Topic<Value>): string[] {
  return table.values(topic).map(({ filter }) => filter).sort();
}

/** Finds a topic amid other bytes. */
function find(table: RouteTable<Value>, name: string): Topic<Value> | null {
  const bytes = encoder.encode(`+${name}+`);
  return table.find(bytes, 1, bytes.length - 1);
}

test("RouteTable.values() is what the obvious matcher finds, whatever happened in between", () => {
  const step = fc.oneof(
    fc.record({ filter: anyFilter }),
    fc.record({ topic: anyTopic }),
    fc.record({ topic: anyTopic }),
    fc.record({ held: fc.nat() }),
    fc.record({ removed: fc.nat() }),
  );
  const limits = fc.record({
    topicsMax: fc.constantFrom(1, 4, 1_000),
    bytesMax: fc.constantFrom(1, 2_000, 1_000_000),
    levelsMax: fc.constant(9),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), limits, (steps, limits) => {
      const table = new RouteTable<Value>(limits);
      const stored: { slot: number; value: Value }[] = [];
      const held: Topic<Value>[] = [];
      const check = (topic: Topic<Value>): void => {
        const expected = stored.map(({ value }) => value.filter)
          .filter((filter) => matches(filter, topic.name)).sort();
        assertEquals(filtersOf(table, topic), expected);
      };
      for (const step of steps) {
        if ("filter" in step) {
          const value = { filter: step.filter };
          stored.push({ slot: table.add(step.filter, value), value });
        } else if ("topic" in step) {
          const topic = find(table, step.topic)!;
          assertEquals(topic.name, step.topic);
          held.push(topic);
          check(topic);
        } else if ("held" in step) {
          if (held.length > 0) check(held[step.held % held.length]!);
        } else if (stored.length > 0) {
          const [gone] = stored.splice(step.removed % stored.length, 1);
          assertEquals(table.value(gone!.slot), gone!.value);
          table.remove(gone!.slot);
        }
        assertEquals(table.size, stored.length);
      }
      for (const topic of held) check(topic);
      const visited: string[] = [];
      table.visit((filter) => visited.push(filter));
      assertEquals(visited.sort(), stored.map(({ value }) => value.filter).sort());
    }),
    { numRuns: 300 },
  );
});

test("RouteTable.find() gives one topic for equal bytes", () => {
  const table = makeTable();
  const topic = find(table, "a/é")!;
  assertEquals([find(table, "a/é") === topic, table.findName("a/é") === topic], [true, true]);
  assertEquals(find(table, "a/e") === topic, false);
  assertEquals([topic.name, topic.bytes, topic.isReserved], [
    "a/é",
    encoder.encode("a/é"),
    false,
  ]);
  assertEquals(find(table, "$SYS/a")!.isReserved, true);
});

test("RouteTable.find() keeps bytes of its own", () => {
  const table = makeTable();
  const bytes = encoder.encode("a/b");
  const topic = table.find(bytes, 0, 3)!;
  bytes.fill(0x78);
  assertEquals([topic.name, find(table, "a/b") === topic], ["a/b", true]);
});

test("RouteTable.find() is null for what is no Topic Name [MQTT-4.7.3-1] [MQTT-3.3.2-2]", () => {
  const table = makeTable({ levelsMax: 3 });
  for (const name of ["", "+", "a/#", "a\0b", "a/b/c/d"]) {
    assertEquals([name, find(table, name), table.findName(name)], [name, null, null]);
  }
  assertEquals(table.findName("\ud800"), null);
  assertEquals(find(table, "a/b/c")?.name, "a/b/c");
  assertEquals(table.stats().topics, 1);
});

test("Topic.equals() compares the bytes of a range", () => {
  const topic = find(makeTable(), "a/b")!;
  const bytes = encoder.encode("xa/b/a/bb");
  assertEquals(
    [[1, 4], [5, 8], [0, 3], [1, 5], [1, 3], [6, 9]].map(([start, end]) =>
      topic.equals(bytes, start!, end!)
    ),
    [true, true, false, false, false, false],
  );
});

test("RouteTable.values() gives the same list again until a matching filter changes", () => {
  const table = makeTable();
  const topics = ["a/b", "a/c"].map((name) => find(table, name)!);
  table.add("a/+", { filter: "a/+" });
  const before = topics.map((topic) => table.values(topic));
  const slot = table.add("x/b/#", { filter: "x/b/#" });
  table.remove(slot);
  assertEquals(topics.map((topic, i) => table.values(topic) === before[i]), [true, true]);
  table.add("a/c", { filter: "a/c" });
  assertEquals(topics.map((topic, i) => table.values(topic) === before[i]), [true, false]);
});

test("RouteTable.values() gives lists that never change afterwards", () => {
  const table = makeTable();
  const topic = find(table, "a")!;
  const slot = table.add("a", { filter: "a" });
  const before = table.values(topic);
  table.add("#", { filter: "#" });
  table.remove(slot);
  assertEquals([before, filtersOf(table, topic)], [[{ filter: "a" }], ["#"]]);
});

test("RouteTable keeps no more topics than allowed, and those longest that are in use", () => {
  const table = makeTable({ topicsMax: 100 });
  const used = find(table, "used")!;
  for (let i = 0; i < 1_000; i++) {
    find(table, `once/${i}`);
    assertEquals(find(table, "used") === used, true);
    assertEquals(table.stats().topics <= 100, true);
  }
});

test("RouteTable keeps no more bytes than allowed", () => {
  const table = makeTable({ topicsMax: 100_000, bytesMax: 100_000 });
  for (let i = 0; i < 200; i++) find(table, `${i}`.repeat(1_000));
  assertEquals(table.stats().topicBytes <= 100_000 + 10_000, true);
});

test("RouteTable counts the lists of topics, also of those that only a connection holds", () => {
  const table = makeTable({ topicsMax: 100_000, bytesMax: 400_000 });
  for (let i = 0; i < 1_000; i++) table.add("#", { filter: "#" });
  const held = Array.from({ length: 500 }, (_, i) => find(table, `topic/${i}`)!);
  for (let round = 0; round < 3; round++) {
    for (const topic of held) assertEquals(table.values(topic).length, 1_000);
    const kept = held.reduce((sum, topic) => sum + topic.values.length * 8, 0);
    assertEquals(kept <= 400_000 + 2 * 8_000, true);
    assertEquals(table.stats().topicBytes <= 400_000 + 2 * 10_000, true);
  }
});
