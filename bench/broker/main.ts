/**
 * `deno task bench:broker`: puts load on a broker and prints what came of it. `--help` tells all.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import process from "node:process";
import {
  type BrokerSource,
  endOnSignals,
  hasProgram,
  messageOf,
  nameOf,
  prepare,
} from "./brokers.ts";
import { type BenchOptions, HELP, listScenarios, parseOptions, UsageError } from "./options.ts";
import { brokerCpuOf, lostOf, rateOf, type Report, violationsOf } from "./report.ts";
import { measure } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import { digits, duration, grouped, latencyPlot, size, table, timelinePlot } from "./text_plot.ts";

const SLICE_SECONDS = 0.1;

/** What one run has come to. */
interface Outcome {
  readonly scenario: Scenario;
  readonly source: BrokerSource;
  readonly report: Report;
}

async function main(words: readonly string[]): Promise<number> {
  let options: BenchOptions | "help" | "list";
  try {
    options = parseOptions(words);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}. See --help for what there is.`);
    return 1;
  }
  if (options === "help" || options === "list") {
    console.log(options === "help" ? HELP : listScenarios());
    return 0;
  }
  try {
    return await runAll(withPinning(options));
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  }
}

async function runAll(options: BenchOptions): Promise<number> {
  const { scenarios, sources, rounds } = options;
  await prepare(sources);
  const outcomes: Outcome[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const scenario of scenarios) {
      for (const source of sources) {
        const report = await measure(source, scenario, options);
        outcomes.push({ scenario, source, report });
        const label = rounds > 1 ? `round ${round + 1}, ` : "";
        console.log(`\n${label}${scenario.name}, ${nameOf(source)}: ${scenario.summary}`);
        console.log(details(report));
      }
    }
  }
  console.log(`\n${summary(options, outcomes)}`);
  if (options.jsonPath !== undefined) {
    await Deno.writeTextFile(options.jsonPath, JSON.stringify(outcomes.map(figures), null, 1));
  }
  return outcomes.some(({ report }) => violationsOf(report).length > 0) ? 2 : 0;
}

/** One run, told with its plots. */
function details(report: Report): string {
  const { unit, received, expected, latency, lateness, hasRate, timeline } = report;
  const cpu = brokerCpuOf(report);
  const lost = lostOf(report);
  const lines = [
    `  ${grouped(received)} of ${grouped(expected)} ${unit}s in ${report.seconds.toFixed(2)} s` +
    (lost > 0 ? `, ${grouped(lost)} lost` : ", none lost"),
    `  ${grouped(rateOf(report))} ${unit}s/s` +
    (cpu === undefined ? "" : `, ${digits(cpu)} µs of the broker's CPU each`) +
    `, ${digits(report.generatorCpuSeconds * 1e6 / Math.max(1, received))} µs of the generator's`,
  ];
  const { brokerResidentBytes, bytesPerConnection } = report;
  if (brokerResidentBytes !== undefined) {
    lines.push(
      `  ${size(brokerResidentBytes)} of the broker's memory` +
        (bytesPerConnection === undefined ? "" : `, ${size(bytesPerConnection)} a connection`),
    );
  }
  lines.push(timelinePlot(timeline, SLICE_SECONDS));
  lines.push(`  latency: ${percentiles(latency)}${hasRate ? "" : " (flat out: mostly queueing)"}`);
  if (hasRate) lines.push(`  sent late: ${percentiles(lateness)}`);
  lines.push(latencyPlot(latency));
  for (const violation of violationsOf(report)) lines.push(`  VIOLATION: ${violation}`);
  return lines.join("\n");
}

function percentiles(histogram: Report["latency"]): string {
  const at = (part: number): string => duration(histogram.percentile(part));
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, longest ${duration(histogram.max)}`;
}

/**
 * Medians over the rounds; and the ratios to the last broker's figure of the same round, of which
 * the median as well.
 */
function summary({ scenarios, sources, rounds }: BenchOptions, outcomes: Outcome[]): string {
  const rows = [[
    `medians of ${rounds} round${rounds > 1 ? "s" : ""}`,
    "per second",
    "ratio",
    "CPU µs",
    "ratio",
    "p50",
    "p99",
    "p99.9",
    "memory",
    "lost",
    "violations",
  ]];
  for (const scenario of scenarios) {
    const of = (source: BrokerSource): Report[] =>
      outcomes.filter((outcome) => outcome.scenario === scenario && outcome.source === source)
        .map(({ report }) => report);
    const reference = of(sources.at(-1)!);
    for (const source of sources) {
      const reports = of(source);
      const ratio = (value: (report: Report) => number | undefined): string => {
        if (source === sources.at(-1)) return "";
        const median = medianOf(reports.keys().toArray(), (round) => {
          const own = value(reports[round]!);
          const other = value(reference[round]!);
          return own === undefined || !other ? undefined : own / other;
        });
        return median === undefined ? "" : median.toFixed(2);
      };
      const cpu = medianOf(reports, brokerCpuOf);
      const memory = medianOf(reports, (report) => report.brokerResidentBytes);
      const late = (part: number): string =>
        duration(medianOf(reports, ({ latency }) => latency.percentile(part))!);
      rows.push([
        `${scenario.name}, ${nameOf(source)}`,
        grouped(medianOf(reports, rateOf)!),
        ratio(rateOf),
        cpu === undefined ? "?" : digits(cpu),
        ratio(brokerCpuOf),
        late(0.5),
        late(0.99),
        late(0.999),
        memory === undefined ? "?" : size(memory),
        grouped(reports.reduce((sum, report) => sum + lostOf(report), 0)),
        `${reports.filter((report) => violationsOf(report).length > 0).length || "none"}`,
      ]);
    }
  }
  return table(rows);
}

function medianOf<Item>(
  items: readonly Item[],
  value: (item: Item) => number | undefined,
): number | undefined {
  const values = items.map(value).filter((each) => each !== undefined).sort((a, b) => a - b);
  return values[values.length >> 1];
}

/** A run as it is written to a file. */
function figures({ scenario, source, report }: Outcome): Record<string, unknown> {
  const { latency, lateness, ...rest } = report;
  const micros = (histogram: Report["latency"]): Record<string, number> => ({
    p50: histogram.percentile(0.5),
    p99: histogram.percentile(0.99),
    p999: histogram.percentile(0.999),
    max: histogram.max,
  });
  return {
    broker: nameOf(source),
    ...rest,
    scenario,
    lost: lostOf(report),
    perSecond: rateOf(report),
    brokerCpuMicros: brokerCpuOf(report),
    latencyMicros: micros(latency),
    latenessMicros: micros(lateness),
    violations: violationsOf(report),
  };
}

/** Pins this process, where the machine lets us; otherwise nobody is pinned. */
function withPinning(options: BenchOptions): BenchOptions {
  const { pin } = options;
  if (pin === undefined) return options;
  const cpus = navigator.hardwareConcurrency;
  const isPossible = pin.every((cpu) => Number(cpu) < cpus) && hasProgram("taskset") &&
    spawnSync("taskset", ["-a", "-c", "-p", pin[1], `${process.pid}`]).status === 0;
  return isPossible ? options : { ...options, pin: undefined };
}

if (import.meta.main) {
  endOnSignals();
  Deno.exit(await main(Deno.args));
}
