// What the load generator counts, computes and draws with, by itself.

import { assertEquals, assertThrows } from "@std/assert";
import { Histogram } from "../../bench/broker/histogram.ts";
import { parseOptions, UsageError } from "../../bench/broker/options.ts";
import { planOf, scenario } from "../../bench/broker/scenario.ts";
import { drawChart } from "../../bench/broker/svg_chart.ts";
import { StreamTally } from "../../bench/broker/tally.ts";
import { duration, latencyPlot, size, table, timelinePlot } from "../../bench/broker/text_plot.ts";
import { test } from "../harness.ts";

test("StreamTally.add() tells gaps, late ones and duplicates apart", () => {
  const tally = new StreamTally();
  const arrivals = [0, 1, 4, 2, 2, 4, 5, 3].map((sequence) => tally.add(sequence));
  assertEquals(arrivals, [
    "next",
    "next",
    "after a gap",
    "late",
    "duplicate",
    "duplicate",
    "next",
    "late",
  ]);
  const { received, duplicates, late } = tally;
  assertEquals({ received, duplicates, late }, { received: 6, duplicates: 2, late: 2 });
});

test("Histogram.percentile() is off by no more than its buckets are wide", () => {
  const histogram = new Histogram();
  for (let micros = 1; micros <= 100_000; micros++) histogram.add(micros);
  for (const part of [0.0001, 0.01, 0.5, 0.99, 0.999, 1]) {
    const exact = part * 100_000;
    assertEquals(Math.abs(histogram.percentile(part) - exact) <= exact * 0.032, true, `${part}`);
  }
  assertEquals([histogram.total, histogram.max], [100_000, 100_000]);
  assertEquals(new Histogram().percentile(0.5), 0);
});

test("Histogram.add() takes what is below zero as zero, and any length as a length", () => {
  const histogram = new Histogram();
  histogram.add(-5);
  histogram.add(1e12);
  assertEquals([histogram.percentile(0.5), histogram.max], [0, 0x7fffffff]);
});

test("planOf() gives every pattern its streams and receivers", () => {
  const small = { publishers: 2, subscribers: 2 } as const;
  const all = { first: 0, count: 2 };
  const groupsOf = (pattern: "fan-in" | "fan-out" | "pairs" | "shared" | "qos-mix") =>
    planOf(scenario({ ...small, pattern })).groups;
  assertEquals(groupsOf("fan-in"), [all, all]);
  assertEquals(groupsOf("fan-out"), [all, all]);
  assertEquals(groupsOf("shared"), [all]);
  assertEquals(groupsOf("pairs"), [{ first: 0, count: 1 }, { first: 1, count: 1 }]);
  const mixed = planOf(scenario({ pattern: "qos-mix", publishers: 3, subscribers: 3 }));
  assertEquals(mixed.streams.map(({ qos }) => qos), [0, 1, 2]);
});

test("parseOptions() reads what --help tells of", () => {
  const options = parseOptions([
    "--scenario=pairs,latency",
    "--url",
    "mqtt://user@localhost:1884",
    "--against",
    "bun",
    "--qos=1",
    "--version=5",
    "--pin=none",
  ]);
  if (typeof options === "string") throw new Error(options);
  const { scenarios, sources, rounds, version, pin } = options;
  assertEquals(scenarios.map(({ name, qos, rate }) => [name, qos, rate]), [
    ["pairs", 1, 0],
    ["latency", 1, 5000],
  ]);
  assertEquals(sources, [
    { kind: "url", url: new URL("mqtt://user@localhost:1884"), pid: undefined },
    { kind: "midge", runtime: "bun" },
  ]);
  assertEquals({ rounds, version, pin }, { rounds: 3, version: 5, pin: undefined });
});

test("parseOptions() scales the clients of a named run, each as busy as before", () => {
  const options = parseOptions(["--scenario=named", "--scale=0.1"]);
  if (typeof options === "string") throw new Error(options);
  assertEquals(
    options.scenarios.map(({ name, publishers, subscribers, silent, rate }) =>
      [name, publishers, subscribers, silent, rate] as const
    ),
    [
      ["conn-tcp-10K-100 × 0.1", 0, 0, 1000, 0],
      ["fanout-1-1K-1-1K × 0.1", 1, 100, 0, 1],
      ["p2p-1K × 0.1", 100, 100, 0, 100],
      ["sharedsub-1K-5 × 0.1", 100, 5, 0, 100],
      ["fanout-5-1K-5-250K × 0.1", 5, 100, 0, 250],
    ],
  );
});

for (
  const words of [
    ["--wrong"],
    ["stray"],
    ["--scenario=none"],
    ["--qos=3"],
    ["--qos=x"],
    ["--rate=-1"],
    ["--rate="],
    ["--runtime=python"],
    ["--url=localhost"],
    ["--url=http://localhost"],
    ["--url=mqtt://localhost", "--runtime=bun"],
    ["--against=other"],
    ["--version=4"],
    ["--pin=0"],
    ["--rounds=0"],
  ]
) {
  test(`parseOptions() refuses ${words.join(" ")}`, () => {
    assertThrows(() => parseOptions(words), UsageError);
  });
}

test("table() aligns text to the left and figures to the right", () => {
  assertEquals(table([["a", "bb"], ["ccc", "d"]]), "a    bb\nccc   d");
});

test("latencyPlot() and timelinePlot() draw to scale", () => {
  const histogram = new Histogram();
  for (const micros of [3, 3, 3, 15]) histogram.add(micros);
  assertEquals(latencyPlot(histogram).split("\n").map((line) => line.trimEnd()), [
    `   < 5 µs  75.00 % ${"█".repeat(50)}`,
    "  < 10 µs   0.00 %",
    `  < 20 µs  25.00 % ${"█".repeat(17)}`,
  ]);
  assertEquals(timelinePlot([0, 50, 100, 7], 0.1), "   ▄█  up to 1,000/s");
});

test("duration() and size() say quantities as people do", () => {
  assertEquals([1, 999, 1500, 2e6].map(duration), ["1 µs", "999 µs", "1.5 ms", "2 s"]);
  assertEquals([16, 1024, 1 << 20].map(size), ["16 B", "1 KiB", "1 MiB"]);
});

test("drawChart() places points on logarithmic axes and escapes words", () => {
  const svg = drawChart({
    title: "a < b",
    xLabel: "x",
    yLabel: "y",
    series: [{ name: "line", points: [[1, 1], [10, 10], [100, 100]] }],
    formatX: String,
  });
  const points = /polyline points="([^"]*)"/.exec(svg)![1]!.split(" ").map((point) =>
    point.split(",").map(Number)
  );
  const [first, second, third] = points as [number[], number[], number[]];
  // Equal factors are equal distances, to the rounding of the figures.
  assertEquals(Math.abs(second[0]! - first[0]! - (third[0]! - second[0]!)) < 0.2, true);
  assertEquals(Math.abs(second[1]! - first[1]! - (third[1]! - second[1]!)) < 0.2, true);
  assertEquals(first[1]! > third[1]!, true);
  assertEquals(svg.includes("<title>a &lt; b</title>"), true);
});
