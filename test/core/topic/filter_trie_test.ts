// The trie against the obvious matcher, the edges of the standard, depth, width, and memory.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { matches } from "../../../src/core/topic/filter.ts";
import { FilterTrie } from "../../../src/core/topic/filter_trie.ts";
import { test } from "../../harness.ts";
import { anyFilter, anyTopic } from "./arbitraries.ts";

interface Value {
  readonly filter: string;
}

const encoder = new TextEncoder();

function makeTrie(...filters: readonly string[]): FilterTrie<Value> {
  const trie = new FilterTrie<Value>();
  for (const filter of filters) trie.add(filter, { filter });
  return trie;
}

/** The filters that match, sorted; the topic stands in the middle of other bytes. */
function matching(trie: FilterTrie<Value>, topic: string): string[] {
  const bytes = encoder.encode(`a/${topic}/a`);
  const out: Value[] = [];
  trie.match(bytes, 2, bytes.length - 2, out);
  return out.map(({ filter }) => filter).sort();
}

test("FilterTrie.match() finds what the obvious matcher finds, while filters come and go", () => {
  const step = fc.oneof(
    fc.record({ filter: anyFilter }),
    fc.record({ topic: anyTopic }),
    fc.record({ removed: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), fc.integer(), (steps, seed) => {
      const trie = new FilterTrie<Value>({ seed });
      const stored: { slot: number; value: Value }[] = [];
      for (const step of steps) {
        if ("filter" in step) {
          const value = { filter: step.filter };
          stored.push({ slot: trie.add(step.filter, value), value });
        } else if ("topic" in step) {
          const expected = stored.map(({ value }) => value.filter)
            .filter((filter) => matches(filter, step.topic)).sort();
          assertEquals(matching(trie, step.topic), expected);
        } else if (stored.length > 0) {
          const [gone] = stored.splice(step.removed % stored.length, 1);
          assertEquals(trie.value(gone!.slot), gone!.value);
          assertEquals(trie.filter(gone!.slot), gone!.value.filter);
          trie.remove(gone!.slot);
        }
        assertEquals(trie.size, stored.length);
      }
      const visited: string[] = [];
      trie.visit((filter, value) => visited.push(`${filter} ${value.filter}`));
      assertEquals(
        visited.sort(),
        stored.map(({ value }) => `${value.filter} ${value.filter}`).sort(),
      );
      for (const { slot } of stored) trie.remove(slot);
      const { values, nodes, levels } = trie.stats();
      assertEquals({ values, nodes, levels }, { values: 0, nodes: 1, levels: 0 });
    }),
    { numRuns: 300 },
  );
});

test("FilterTrie.match() takes empty levels for levels", () => {
  const trie = makeTrie("/", "//", "a//b", "a/+/b", "+/+", "/+", "+/", "+", "/#", "a/b");
  assertEquals(matching(trie, "/"), ["+/", "+/+", "/", "/#", "/+"]);
  assertEquals(matching(trie, "//"), ["/#", "//"]);
  assertEquals(matching(trie, "a//b"), ["a/+/b", "a//b"]);
  assertEquals(matching(trie, "/a"), ["+/+", "/#", "/+"]);
  assertEquals(matching(trie, "a"), ["+"]);
});

test('FilterTrie.match() includes the parent level of "#" [MQTT-4.7.1-1]', () => {
  const trie = makeTrie("a/#", "#", "a/b/#", "+/#", "a");
  assertEquals(matching(trie, "a"), ["#", "+/#", "a", "a/#"]);
  assertEquals(matching(trie, "a/b"), ["#", "+/#", "a/#", "a/b/#"]);
  assertEquals(matching(trie, "ab"), ["#", "+/#"]);
});

test('FilterTrie.match() hides "$" topics from a leading wildcard [MQTT-4.7.2-1]', () => {
  const trie = makeTrie("#", "+", "+/#", "+/x", "$SYS/#", "$SYS/+", "$SYS", "a/+", "a/#");
  assertEquals(matching(trie, "$SYS"), ["$SYS", "$SYS/#"]);
  assertEquals(matching(trie, "$SYS/x"), ["$SYS/#", "$SYS/+"]);
  assertEquals(matching(trie, "a/$x"), ["#", "+/#", "a/#", "a/+"]);
});

test("FilterTrie.match() gives a value once for each time it was added", () => {
  const trie = new FilterTrie<Value>();
  const value = { filter: "a" };
  const slots = [trie.add("a", value), trie.add("a", value), trie.add("+", value)];
  assertEquals(matching(trie, "a"), ["a", "a", "a"]);
  trie.remove(slots[1]!);
  assertEquals([matching(trie, "a"), trie.size], [["a", "a"], 2]);
});

test("FilterTrie.match() appends to what is there", () => {
  const trie = makeTrie("a");
  const out: Value[] = [{ filter: "before" }];
  trie.match(encoder.encode("a"), 0, 1, out);
  assertEquals(out, [{ filter: "before" }, { filter: "a" }]);
});

test("FilterTrie is iterative: 65,535 separators are only slow", () => {
  const deep = "/".repeat(65_535);
  const wild = "+/".repeat(32_767) + "#";
  const trie = new FilterTrie<Value>();
  const slots = [deep, wild, "+/".repeat(32_767) + "+", "#"].map((filter) =>
    trie.add(filter, { filter })
  );
  assertEquals(matching(trie, deep).map((filter) => filter.length), [1, 65_535, 65_535]);
  const small = trie.filter(slots[0]!);
  assertEquals(small === deep, true);
  for (const slot of slots) trie.remove(slot);
  assertEquals([trie.stats().nodes, matching(trie, deep)], [1, []]);
});

test("FilterTrie.match() reaches each node at most once, however wildcards are mixed", () => {
  const trie = new FilterTrie<Value>();
  const depth = 12;
  for (let mix = 0; mix < 1 << depth; mix++) {
    const levels = Array.from({ length: depth }, (_, i) => mix >> i & 1 ? "+" : "a");
    trie.add([...levels, "#"].join("/"), { filter: String(mix) });
  }
  const topic = Array.from({ length: 30 }, () => "a").join("/");
  assertEquals(matching(trie, topic).length, 1 << depth);
  assertEquals(matching(trie, topic.replaceAll("a", "b")), [String((1 << depth) - 1)]);
});

test("FilterTrie gives memory back when filters leave, and keeps those that stay", () => {
  const trie = new FilterTrie<Value>();
  const empty = trie.stats().capacityBytes;
  const slots: number[] = [];
  for (let i = 0; i < 50_000; i++) {
    const filter = i % 2 === 0 ? `site/${i}/value` : `site/${i}/+/#`;
    slots.push(trie.add(filter, { filter }));
  }
  const full = trie.stats().capacityBytes;
  const kept = slots.splice(20_000, 4);
  for (const slot of slots) trie.remove(slot);
  assertEquals(trie.stats().capacityBytes * 50 < full, true);
  assertEquals(
    kept.map((slot) => trie.filter(slot)),
    ["site/20000/value", "site/20001/+/#", "site/20002/value", "site/20003/+/#"],
  );
  assertEquals(matching(trie, "site/20001/a"), ["site/20001/+/#"]);
  for (const slot of kept) trie.remove(slot);
  assertEquals(trie.stats().capacityBytes < empty + 60_000, true);
});

test("FilterTrie does not grow when 200,000 single-use filters pass through it", () => {
  const trie = makeTrie("a/b", "a/+");
  const value = { filter: "" };
  let largest = 0;
  for (let i = 0; i < 200_000; i++) {
    trie.remove(trie.add(`once/${i}/#`, value));
    largest = Math.max(largest, trie.stats().nodes);
  }
  assertEquals(largest, 4);
  assertEquals(trie.stats().capacityBytes < 60_000, true);
});

test("FilterTrie.reaches() knows whether any filter could match what begins so", () => {
  const reaches = (filters: readonly string[], prefix: string) => {
    const trie = new FilterTrie<Value>();
    const slots = filters.map((filter) => trie.add(filter, { filter }));
    const answer = trie.reaches(prefix);
    for (const slot of slots) trie.remove(slot);
    assertEquals(trie.reaches(prefix), false);
    return answer;
  };
  const yes = ["$SYS/#", "$SYS/+", "$SYS/a", "$SYS/a/b", "$SYS/+/#", "$SYS//"];
  const no = ["#", "+/#", "+/a", "$SYS", "$SYSTEM/#", "a/$SYS/#", "$sys/a", "$CONTROL/#"];
  for (const prefix of ["$SYS/", "$SYS"]) {
    for (const filter of yes) assertEquals([filter, reaches([filter], prefix)], [filter, true]);
    for (const filter of no) assertEquals([filter, reaches([filter], prefix)], [filter, false]);
  }
  const log = ["$SYS/#", "$SYS/+/log/N", "$SYS/broker/log/+", "$SYS/broker/#"];
  for (const filter of log) {
    assertEquals([filter, reaches([filter], "$SYS/broker/log/")], [filter, true]);
  }
  assertEquals(reaches(["$SYS/broker/uptime", "$SYS/broker/log"], "$SYS/broker/log/"), false);
  assertEquals([reaches(["#"], "a/"), reaches(["+/+"], "a/"), reaches(["+"], "a/")], [
    true,
    true,
    false,
  ]);
});
