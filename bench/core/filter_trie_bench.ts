/**
 * Looks topics up in the filters of a device fleet, cold: what a topic costs that nobody kept. The
 * control is `qlobber`, configured as aedes does it and given the topic as a string that is made
 * already. Then the costs of adding and removing, and the bytes that a filter takes.
 *
 * Run with `deno run -A bench/core/filter_trie_bench.ts [filters…]`.
 *
 * @module
 */

import { Qlobber } from "qlobber";
import { FilterTrie } from "../../src/core/topic/filter_trie.ts";
import { compare } from "../harness.ts";
import { type Fleet, makeFleet, makeLonelyFilters } from "./fleet.ts";
import { MapTrie } from "./map_trie.ts";

interface Subscriber {
  slot: number;
}

const TOPICS = 1 << 16;

for (const filterCount of sizes()) {
  const fleet = makeFleet(filterCount, TOPICS);
  benchMatch(fleet);
  benchChange(fleet);
}
benchMemory("each filter a device of its own", makeLonelyFilters(1_000_000));

function benchMatch(fleet: Fleet): void {
  const trie = new FilterTrie<Subscriber>();
  const qlobber = new Qlobber({
    separator: "/",
    wildcard_one: "+",
    wildcard_some: "#",
    match_empty_levels: true,
  });
  const mapTrie = new MapTrie<Subscriber>();
  for (const filter of fleet.filters) {
    const subscriber = { slot: 0 };
    subscriber.slot = trie.add(filter, subscriber);
    qlobber.add(filter, subscriber);
    mapTrie.add(filter, subscriber);
  }
  const { topics, topicBytes } = fleet;
  let matched = 0;
  for (let i = 0; i < 1000; i++) {
    const out: Subscriber[] = [];
    trie.match(topicBytes[i]!, 0, topicBytes[i]!.length, out);
    if (out.length !== qlobber.match(topics[i]!).length) throw new Error("The rows disagree");
    if (out.length !== mapTrie.match(topics[i]!).length) throw new Error("The rows disagree");
    matched += out.length;
  }
  const title = `match: ${fleet.filters.length} filters, ${matched / 1000} matches a topic`;
  let at = 0;
  compare(title, [
    {
      name: "FilterTrie.match()",
      run: (iterations) => {
        let sum = 0;
        for (let i = 0; i < iterations; i++) {
          const bytes = topicBytes[at++ & (TOPICS - 1)]!;
          const out: Subscriber[] = [];
          trie.match(bytes, 0, bytes.length, out);
          sum += out.length;
        }
        return sum;
      },
    },
    {
      name: "qlobber",
      run: (iterations) => {
        let sum = 0;
        for (let i = 0; i < iterations; i++) {
          sum += qlobber.match(topics[at++ & (TOPICS - 1)]!).length;
        }
        return sum;
      },
    },
    {
      name: "a Map for each level",
      run: (iterations) => {
        let sum = 0;
        for (let i = 0; i < iterations; i++) {
          sum += mapTrie.match(topics[at++ & (TOPICS - 1)]!).length;
        }
        return sum;
      },
    },
  ], { control: "qlobber" });
}

function benchChange(fleet: Fleet): void {
  const trie = new FilterTrie<Subscriber>();
  const subscribers = fleet.filters.map(() => ({ slot: 0 }));
  const count = subscribers.length;
  const addNs = nsEach(count, (i) => {
    subscribers[i]!.slot = trie.add(fleet.filters[i]!, subscribers[i]!);
  });
  const bytes = trie.stats().capacityBytes / count;
  const strangers = Array.from({ length: 20_000 }, (_, i) => fleet.strangerFilter(i));
  const passing = { slot: 0 };
  const slots = new Int32Array(strangers.length);
  const addMoreNs = nsEach(strangers.length, (i) => {
    slots[i] = trie.add(strangers[i]!, passing);
  });
  const removeMoreNs = nsEach(strangers.length, (i) => trie.remove(slots[i]!));
  const removeNs = nsEach(count, (i) => trie.remove(subscribers[i]!.slot));
  console.log(
    `change: ${count} filters: add ${addNs} ns, at full size add ${addMoreNs} ns and ` +
      `remove ${removeMoreNs} ns, remove all ${removeNs} ns each; ` +
      `${bytes.toFixed(1)} bytes a filter, ${trie.stats().capacityBytes} bytes left when empty`,
  );
}

function benchMemory(title: string, filters: readonly string[]): void {
  const trie = new FilterTrie<Subscriber>();
  const passing = { slot: 0 };
  for (const filter of filters) trie.add(filter, passing);
  const bytes = trie.stats().capacityBytes / filters.length;
  console.log(`memory: ${filters.length} filters, ${title}: ${bytes.toFixed(1)} bytes a filter`);
}

function nsEach(count: number, action: (index: number) => void): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) action(i);
  return Math.round((performance.now() - start) * 1e6 / count);
}

function sizes(): number[] {
  const runtime: { Deno?: { args: string[] }; process?: { argv: string[] } } = globalThis;
  const words = runtime.Deno?.args ?? runtime.process?.argv.slice(2) ?? [];
  return words.length > 0 ? words.map(Number) : [10_000, 100_000, 1_000_000];
}
