/**
 * The way of every message, from topic bytes to subscribers, in tables of several sizes. The control
 * is what one would write without a table of one's own: decode the bytes with TextDecoder, then one
 * `Map.get`. The rows with churn change a filter between any two messages, as does their own control.
 *
 * Run with `deno run -A bench/core/route_bench.ts [filters…]`.
 *
 * @module
 */

import { Qlobber } from "qlobber";
import { RouteTable, type Topic } from "../../src/core/topic/route_table.ts";
import { compare } from "../harness.ts";
import { type Fleet, makeFleet } from "./fleet.ts";

interface Subscriber {
  slot: number;
}

/** Topics in use; a fleet's readings come from the same few topics again and again. */
const TOPICS = 1 << 10;
const STRANGERS = 1 << 10;

for (const filterCount of sizes()) {
  const fleet = makeFleet(filterCount, TOPICS);
  // What a publisher sends lies somewhere in a large buffer, not in an array of its own.
  const packets = fleet.topicBytes.map((bytes) => {
    const packet = new Uint8Array(bytes.length + 128);
    packet.set(bytes, 4);
    return packet;
  });
  const ends = fleet.topicBytes.map((bytes) => bytes.length + 4);
  benchWarm(fleet, packets, ends);
  benchChurn(fleet, packets, ends);
}

function makeTable(fleet: Fleet): RouteTable<Subscriber> {
  const table = new RouteTable<Subscriber>({
    topicsMax: 100_000,
    bytesMax: 1 << 26,
    levelsMax: 201,
  });
  for (const filter of fleet.filters) {
    const subscriber = { slot: 0 };
    subscriber.slot = table.add(filter, subscriber);
  }
  return table;
}

function benchWarm(fleet: Fleet, packets: readonly Uint8Array[], ends: readonly number[]): void {
  const table = makeTable(fleet);
  const decoder = new TextDecoder();
  const kept = new Map(
    fleet.topics.map((name) => [name, table.values(table.findName(name)!)] as const),
  );
  let at = 0;
  compare(`warm: ${fleet.filters.length} filters, ${TOPICS} topics`, [
    {
      name: "TextDecoder and Map.get",
      run: (iterations) => {
        let sum = 0;
        for (let i = 0; i < iterations; i++) {
          const number = at++ & (TOPICS - 1);
          const name = decoder.decode(packets[number]!.subarray(4, ends[number]!));
          sum += kept.get(name)!.length;
        }
        return sum;
      },
    },
    {
      name: "RouteTable.find() and values()",
      run: (iterations) => {
        let sum = 0;
        for (let i = 0; i < iterations; i++) {
          const number = at++ & (TOPICS - 1);
          sum += table.values(table.find(packets[number]!, 4, ends[number]!)!).length;
        }
        return sum;
      },
    },
    {
      name: "Topic.equals() of the last one, and values()",
      run: (iterations) => {
        const number = at++ & (TOPICS - 1);
        const packet = packets[number]!;
        const end = ends[number]!;
        let last: Topic<Subscriber> = table.find(packet, 4, end)!;
        let sum = 0;
        for (let i = 0; i < iterations; i++) {
          if (!last.equals(packet, 4, end)) last = table.find(packet, 4, end)!;
          sum += table.values(last).length;
        }
        return sum;
      },
    },
  ], { control: "TextDecoder and Map.get" });
}

function benchChurn(fleet: Fleet, packets: readonly Uint8Array[], ends: readonly number[]): void {
  const table = makeTable(fleet);
  const untouched = makeTable(fleet);
  const qlobber = new Qlobber({
    separator: "/",
    wildcard_one: "+",
    wildcard_some: "#",
    match_empty_levels: true,
  });
  for (const filter of fleet.filters) qlobber.add(filter, { slot: 0 });
  const strangers = Array.from({ length: STRANGERS }, (_, i) => fleet.strangerFilter(i));
  const slots = new Int32Array(STRANGERS);
  const passing = { slot: 0 };
  let at = 0;
  compare(
    `churn: ${fleet.filters.length} filters, one added and one removed for each two messages`,
    [
      {
        name: "qlobber",
        run: (iterations) => {
          let sum = 0;
          for (let i = 0; i < iterations; i++, at++) {
            const stranger = strangers[(at >> 1) & (STRANGERS - 1)]!;
            if ((at & 1) === 0) qlobber.add(stranger, passing);
            else qlobber.remove(stranger, passing);
            sum += qlobber.match(fleet.topics[at & (TOPICS - 1)]!).length;
          }
          return sum;
        },
      },
      {
        name: "RouteTable",
        run: (iterations) => {
          let sum = 0;
          for (let i = 0; i < iterations; i++, at++) {
            const number = (at >> 1) & (STRANGERS - 1);
            if ((at & 1) === 0) slots[number] = table.add(strangers[number]!, passing);
            else if (slots[number] !== 0) {
              table.remove(slots[number]!);
              slots[number] = 0;
            }
            const topic = at & (TOPICS - 1);
            sum += table.values(table.find(packets[topic]!, 4, ends[topic]!)!).length;
          }
          return sum;
        },
      },
      {
        name: "RouteTable, 16 topics",
        run: (iterations) => {
          let sum = 0;
          for (let i = 0; i < iterations; i++, at++) {
            const number = (at >> 1) & (STRANGERS - 1);
            if ((at & 1) === 0) slots[number] = table.add(strangers[number]!, passing);
            else if (slots[number] !== 0) {
              table.remove(slots[number]!);
              slots[number] = 0;
            }
            const topic = at & 15;
            sum += table.values(table.find(packets[topic]!, 4, ends[topic]!)!).length;
          }
          return sum;
        },
      },
      {
        name: "RouteTable, the changes alone",
        run: (iterations) => {
          for (let i = 0; i < iterations; i++, at++) {
            const number = (at >> 1) & (STRANGERS - 1);
            if ((at & 1) === 0) slots[number] = table.add(strangers[number]!, passing);
            else if (slots[number] !== 0) {
              table.remove(slots[number]!);
              slots[number] = 0;
            }
          }
          return slots[0];
        },
      },
      {
        name: "RouteTable, no changes",
        run: (iterations) => {
          let sum = 0;
          for (let i = 0; i < iterations; i++, at++) {
            const topic = at & (TOPICS - 1);
            sum += untouched.values(untouched.find(packets[topic]!, 4, ends[topic]!)!).length;
          }
          return sum;
        },
      },
    ],
    { control: "qlobber" },
  );
}

function sizes(): number[] {
  const runtime: { Deno?: { args: string[] }; process?: { argv: string[] } } = globalThis;
  const words = runtime.Deno?.args ?? runtime.process?.argv.slice(2) ?? [];
  return words.length > 0 ? words.map(Number) : [10_000, 100_000, 1_000_000];
}
