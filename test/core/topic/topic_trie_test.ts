// The trie against a Map and the obvious matcher, the edges of the standard, depth, and memory.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { matches } from "../../../src/core/topic/filter.ts";
import { TopicTrie } from "../../../src/core/topic/topic_trie.ts";
import { test } from "../../harness.ts";
import { anyFilter, anyTopic } from "./arbitraries.ts";

interface Value {
  readonly topic: string;
}

function makeTrie(...topics: readonly string[]): TopicTrie<Value> {
  const trie = new TopicTrie<Value>();
  for (const topic of topics) trie.set(topic, { topic });
  return trie;
}

function matching(trie: TopicTrie<Value>, filter: string): string[] {
  const out: Value[] = [];
  trie.match(filter, out);
  return out.map(({ topic }) => topic).sort();
}

test("TopicTrie finds what a Map and the obvious matcher find, while topics come and go", () => {
  const step = fc.oneof(
    fc.record({ set: anyTopic }),
    fc.record({ deleted: anyTopic }),
    fc.record({ filter: anyFilter }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), fc.integer(), (steps, seed) => {
      const trie = new TopicTrie<Value>({ seed });
      const stored = new Map<string, Value>();
      for (const step of steps) {
        if ("set" in step) {
          const value = { topic: step.set };
          assertEquals(trie.set(step.set, value), stored.get(step.set));
          stored.set(step.set, value);
          assertEquals(trie.get(step.set) === value, true);
        } else if ("deleted" in step) {
          assertEquals(trie.delete(step.deleted), stored.get(step.deleted));
          stored.delete(step.deleted);
          assertEquals(trie.get(step.deleted), undefined);
        } else {
          const expected = [...stored.keys()].filter((topic) => matches(step.filter, topic));
          assertEquals(matching(trie, step.filter), expected.sort());
        }
        assertEquals(trie.size, stored.size);
      }
      for (const topic of stored.keys()) trie.delete(topic);
      const { values, nodes, levels } = trie.stats();
      assertEquals({ values, nodes, levels }, { values: 0, nodes: 1, levels: 0 });
    }),
    { numRuns: 300 },
  );
});

test("TopicTrie.setBytes() stores the same topic as set(), wherever it stands", () => {
  fc.assert(fc.property(anyTopic, fc.nat(5), (topic, start) => {
    const trie = new TopicTrie<Value>();
    const around = new TextEncoder().encode(`${"/".repeat(start)}${topic}/`);
    const [first, second] = [{ topic }, { topic }];
    assertEquals(trie.setBytes(around, start, around.length - 1, first), undefined);
    assertEquals(trie.set(topic, second) === first, true);
    assertEquals([trie.size, trie.get(topic) === second], [1, true]);
  }));
});

test("TopicTrie.match() takes empty levels for levels", () => {
  const trie = makeTrie("/", "//", "a//b", "/a", "a/", "a", "a/b");
  assertEquals(matching(trie, "/"), ["/"]);
  assertEquals(matching(trie, "+/+"), ["/", "/a", "a/", "a/b"]);
  assertEquals(matching(trie, "a/+"), ["a/", "a/b"]);
  assertEquals(matching(trie, "+//b"), ["a//b"]);
  assertEquals(matching(trie, "/#"), ["/", "//", "/a"]);
});

test('TopicTrie.match() includes the parent level of "#" [MQTT-4.7.1-1]', () => {
  const trie = makeTrie("a", "a/b", "a/b/c", "ab", "b");
  assertEquals(matching(trie, "a/#"), ["a", "a/b", "a/b/c"]);
  assertEquals(matching(trie, "a/b/c/#"), ["a/b/c"]);
  assertEquals(matching(trie, "+/b/#"), ["a/b", "a/b/c"]);
  assertEquals(matching(trie, "a/b/c/d/#"), []);
});

test('TopicTrie.match() hides "$" topics from a leading wildcard [MQTT-4.7.2-1]', () => {
  const trie = makeTrie("$SYS", "$SYS/a", "$SYS/a/b", "a", "a/$b", "/$a");
  assertEquals(matching(trie, "#"), ["/$a", "a", "a/$b"]);
  assertEquals(matching(trie, "+"), ["a"]);
  assertEquals(matching(trie, "+/+"), ["/$a", "a/$b"]);
  assertEquals(matching(trie, "+/a"), []);
  assertEquals(matching(trie, "$SYS/#"), ["$SYS", "$SYS/a", "$SYS/a/b"]);
  assertEquals(matching(trie, "$SYS/+"), ["$SYS/a"]);
});

test("TopicTrie is iterative: 65,535 separators are only slow", () => {
  const deep = "/".repeat(65_535);
  const trie = makeTrie(deep, "a");
  assertEquals(matching(trie, "#").length, 2);
  assertEquals(matching(trie, "+/".repeat(32_767) + "#").length, 1);
  assertEquals(matching(trie, "/".repeat(65_534)), []);
  assertEquals(trie.get(deep)?.topic === deep, true);
  trie.delete(deep);
  assertEquals(trie.stats().nodes, 2);
});

test("TopicTrie.match() finds very many at once", () => {
  const trie = new TopicTrie<Value>();
  for (let i = 0; i < 20_000; i++) trie.set(`a/${i}/b`, { topic: String(i) });
  assertEquals(matching(trie, "a/+/b").length, 20_000);
  assertEquals(matching(trie, "+/+/#").length, 20_000);
  assertEquals(matching(trie, "a/+/c"), []);
});

test("TopicTrie.clear() forgets everything", () => {
  const trie = makeTrie("a", "a/b", "$SYS/a");
  trie.clear();
  assertEquals([trie.size, trie.get("a"), matching(trie, "#")], [0, undefined, []]);
  trie.set("a", { topic: "a" });
  assertEquals(matching(trie, "#"), ["a"]);
});

test("TopicTrie gives memory back when a hundred thousand single-use topics are gone", () => {
  const trie = makeTrie("kept/first");
  const value = { topic: "" };
  const empty = trie.stats().capacityBytes;
  for (let i = 0; i < 100_000; i++) trie.set(`once/${i}/value`, value);
  trie.set("kept/last", { topic: "kept/last" });
  for (let i = 0; i < 100_000; i++) trie.delete(`once/${i}/value`);
  assertEquals(matching(trie, "#"), ["kept/first", "kept/last"]);
  assertEquals(trie.stats().capacityBytes < 4 * empty, true);
});

test("TopicTrie.scan() goes through all values, so many nodes at a time", () => {
  const topics = Array.from({ length: 100 }, (_, i) => `${i % 7}/${i}`);
  const trie = makeTrie(...topics);
  for (const count of [1, 10, 1000]) {
    const out: Value[] = [];
    let steps = 0;
    let most = 0;
    for (let before = Infinity; before > 0;) {
      const had = out.length;
      before = trie.scan(before, count, out);
      steps++;
      most = Math.max(most, out.length - had);
    }
    assertEquals(out.map(({ topic }) => topic).sort(), topics.toSorted());
    assertEquals([most <= count, steps >= 100 / count], [true, true]);
  }
  assertEquals(makeTrie().scan(Infinity, 10, []), 0);
});

test("TopicTrie.scan() misses nothing that stays while others are deleted", () => {
  const topics = Array.from({ length: 1000 }, (_, i) => `${i}`);
  const trie = makeTrie(...topics);
  const seen = new Set<string>();
  for (let before = Infinity; before > 0;) {
    const out: Value[] = [];
    before = trie.scan(before, 10, out);
    for (const { topic } of out) {
      seen.add(topic);
      if (Number(topic) % 100 !== 0) trie.delete(topic);
    }
  }
  assertEquals([seen.size, trie.size], [1000, 10]);
});
