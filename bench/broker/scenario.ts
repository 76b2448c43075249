/**
 * The scenarios: who publishes to which topic, who subscribes to what, how fast. Here they are only
 * described; load.ts, retained.ts and connections.ts carry them out.
 *
 * @module
 */

import type { QoS } from "../../src/core/codec/protocol.ts";
import type { Wire } from "./wire.ts";

/** What kind of work it is, and so who carries it out. */
export type Pattern =
  | "fan-in"
  | "fan-out"
  | "pairs"
  | "shared"
  | "qos-mix"
  | "retained"
  | "connections";

export interface Scenario {
  readonly name: string;
  readonly summary: string;
  readonly pattern: Pattern;
  readonly publishers: number;
  readonly subscribers: number;
  readonly qos: QoS;
  /** Bytes of a payload. */
  readonly size: number;
  /** Messages published per second by all together; 0: as fast as the broker takes them. */
  readonly rate: number;
  /** Idle connections beside those that have something to do. */
  readonly silent: number;
  /** Filters that match nothing, held by a few further connections. */
  readonly otherFilters: number;
  /** Connections opened per second, where that is what is measured; 0: as fast as possible. */
  readonly connectRate: number;
  /** By what it is carried to a broker that we start. */
  readonly wire: Wire;
  /** Whether sessions outlive their connections, and a broker that we start keeps them on disk. */
  readonly isDurable: boolean;
}

const BASE: Scenario = {
  name: "",
  summary: "",
  pattern: "pairs",
  publishers: 50,
  subscribers: 50,
  qos: 0,
  size: 64,
  rate: 0,
  silent: 0,
  otherFilters: 0,
  connectRate: 0,
  wire: "tcp",
  isDurable: false,
};

/** Makes a scenario; what is not said is as in `pairs`. */
export function scenario(parts: Partial<Scenario>): Scenario {
  return { ...BASE, ...parts };
}

/** Those that `--scenario all` runs. */
export const SCENARIOS: readonly Scenario[] = [
  scenario({
    name: "fan-out",
    summary: "1 publisher, 100 subscribers who all get everything",
    pattern: "fan-out",
    publishers: 1,
    subscribers: 100,
  }),
  scenario({ name: "pairs", summary: "50 publishers, each with a subscriber of its own" }),
  scenario({
    name: "fan-in",
    summary: "100 publishers, 1 subscriber who gets everything",
    pattern: "fan-in",
    publishers: 100,
    subscribers: 1,
  }),
  scenario({
    name: "shared",
    summary: "50 publishers, 5 subscribers who share one subscription",
    pattern: "shared",
    publishers: 50,
    subscribers: 5,
  }),
  scenario({ name: "qos1", summary: "pairs at QoS 1", qos: 1 }),
  scenario({ name: "qos2", summary: "pairs at QoS 2", qos: 2 }),
  scenario({
    name: "qos-mix",
    summary: "pairs, a third of them at QoS 0, 1 and 2 each",
    pattern: "qos-mix",
    publishers: 51,
    subscribers: 51,
  }),
  scenario({
    name: "retained",
    summary: "20 subscribers who ask for 1,000 retained messages again and again",
    pattern: "retained",
    publishers: 1000,
    subscribers: 20,
  }),
  scenario({
    name: "latency",
    summary: "pairs at 5,000 messages a second",
    rate: 5000,
  }),
  scenario({ name: "large", summary: "pairs with payloads of 16 KiB", size: 16_384 }),
  scenario({
    name: "wild",
    summary: "pairs under 100,000 other wildcard filters",
    otherFilters: 100_000,
  }),
  scenario({
    name: "connections",
    summary: "1,000 connections, as fast as they come",
    pattern: "connections",
    publishers: 0,
    subscribers: 0,
    silent: 1000,
  }),
];

/** Scenarios under the names by which other brokers publish their figures. */
export const NAMED_RUNS: readonly Scenario[] = [
  scenario({
    name: "conn-tcp-10K-100",
    summary: "10,000 connections, 100 new ones a second",
    pattern: "connections",
    publishers: 0,
    subscribers: 0,
    silent: 10_000,
    connectRate: 100,
  }),
  scenario({
    name: "fanout-1-1K-1-1K",
    summary: "1 publisher, 1,000 subscribers, 1 message a second: 1,000 deliveries a second",
    pattern: "fan-out",
    publishers: 1,
    subscribers: 1000,
    size: 16,
    rate: 1,
  }),
  scenario({
    name: "p2p-1K",
    summary: "1,000 publishers, each with a subscriber, 1 message a second each",
    publishers: 1000,
    subscribers: 1000,
    size: 16,
    rate: 1000,
  }),
  scenario({
    name: "sharedsub-1K-5",
    summary: "1,000 publishers with 1 message a second each, 5 subscribers who share",
    pattern: "shared",
    publishers: 1000,
    subscribers: 5,
    size: 16,
    rate: 1000,
  }),
  scenario({
    name: "fanout-5-1K-5-250K",
    summary: "5 publishers with 50 messages a second each, 1,000 subscribers: 250,000 deliveries",
    pattern: "fan-out",
    publishers: 5,
    subscribers: 1000,
    size: 16,
    rate: 250,
  }),
];

/** Who publishes a stream of messages, and with which QoS. */
export interface StreamPlan {
  readonly topic: string;
  readonly qos: QoS;
}

export interface SubscriberPlan {
  readonly filters: readonly string[];
  readonly qos: QoS;
  /** Those of one group share what is sent to it. */
  readonly group: number;
}

/** Streams that follow one another. */
export interface StreamRange {
  readonly first: number;
  readonly count: number;
}

/** A scenario spelled out. The number of a stream is its publisher's. */
export interface Plan {
  readonly streams: readonly StreamPlan[];
  readonly subscribers: readonly SubscriberPlan[];
  /** Which streams each group is to get. */
  readonly groups: readonly StreamRange[];
}

/** Spells out who publishes and subscribes to what. */
export function planOf({ pattern, publishers, subscribers, qos }: Scenario): Plan {
  const all = range(publishers);
  const everything: StreamRange = { first: 0, count: publishers };
  switch (pattern) {
    case "fan-in":
      return {
        streams: all.map((index) => ({ topic: `in/${index}`, qos })),
        subscribers: range(subscribers).map((group) => ({ filters: ["in/#"], qos, group })),
        groups: range(subscribers).map(() => everything),
      };
    case "fan-out": {
      const filters = all.map((index) => `out/${index}`);
      return {
        streams: filters.map((topic) => ({ topic, qos })),
        subscribers: range(subscribers).map((group) => ({ filters, qos, group })),
        groups: range(subscribers).map(() => everything),
      };
    }
    case "shared":
      return {
        streams: all.map((index) => ({ topic: `shared/${index}`, qos })),
        subscribers: range(subscribers).map(() => ({
          filters: ["$share/group/shared/#"],
          qos,
          group: 0,
        })),
        groups: [everything],
      };
    case "pairs":
    case "qos-mix": {
      const qosOf = (index: number): QoS => pattern === "pairs" ? qos : index % 3 as QoS;
      return {
        streams: all.map((index) => ({ topic: `pair/${index}`, qos: qosOf(index) })),
        subscribers: all.map((index) => ({
          filters: [`pair/${index}`],
          qos: qosOf(index),
          group: index,
        })),
        groups: all.map((first) => ({ first, count: 1 })),
      };
    }
    default:
      throw new Error(`"${pattern}" has no streams`);
  }
}

/** Numbers from 0 up to, and without, `count`. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
