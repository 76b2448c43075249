/**
 * `deno task bench:growth`: how the broker's CPU per delivered message grows with what there is of
 * subscribers, filters, connections, payload and silent clients. Draws one chart for each into
 * docs/performance, with a line per runtime.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { fromRoot } from "../../tools/root.ts";
import { endOnSignals, messageOf, type MidgeRuntime, nameOf, prepare } from "./brokers.ts";
import { brokerCpuOf, violationsOf } from "./report.ts";
import { measure } from "./run.ts";
import { type Scenario, scenario } from "./scenario.ts";
import { type Chart, drawChart, type Series } from "./svg_chart.ts";
import { digits, grouped, size } from "./text_plot.ts";

/** What grows, and the scenario for each of its values. */
interface Axis {
  readonly name: string;
  readonly title: string;
  readonly label: string;
  readonly values: readonly number[];
  readonly scenarioOf: (value: number) => Scenario;
  readonly format?: (value: number) => string;
}

const FOLDER = "docs/performance";
const FEW = { publishers: 10, subscribers: 10 } as const;

const AXES: readonly Axis[] = [
  {
    name: "subscribers",
    title: "One publisher, more and more subscribers",
    label: "subscribers of the topic",
    values: [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000],
    scenarioOf: (subscribers) => scenario({ pattern: "fan-out", publishers: 1, subscribers }),
  },
  {
    name: "filters",
    title: "Ten pairs, under more and more filters of others",
    label: "other filters, each with a wildcard",
    values: [10, 100, 1000, 10_000, 100_000, 1_000_000],
    scenarioOf: (otherFilters) => scenario({ ...FEW, otherFilters }),
  },
  {
    name: "connections",
    title: "The same load, spread over more and more connections",
    label: "connections, half of them publish to the other half",
    values: [10, 30, 100, 300, 1000, 3000, 10_000, 15_000],
    scenarioOf: (count) => scenario({ publishers: count / 2, subscribers: count / 2 }),
  },
  {
    name: "payload",
    title: "Ten pairs, with larger and larger payloads",
    label: "payload",
    values: [16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576],
    scenarioOf: (bytes) => scenario({ ...FEW, size: bytes }),
    format: size,
  },
  {
    name: "silent",
    title: "Ten pairs, among more and more silent clients",
    label: "clients that are connected and say nothing",
    values: [10, 100, 1000, 10_000, 15_000],
    scenarioOf: (silent) => scenario({ ...FEW, silent }),
  },
];

const HELP = `Draws how the broker's CPU per message grows, into ${FOLDER}.

Usage: deno task bench:growth [option]...

  --only <names>       Some of ${AXES.map(({ name }) => name).join(", ")}, with commas
  --runtimes <names>   Some of deno, bun and node, with commas [bun,deno,node]
  --duration <s>       Seconds of each measurement [2]
  --repeat <n>         Measurements of each point, of which the least counts [1]
  --short              Every other point, and half a second each
  -h, --help           Print this
`;

interface Flags {
  readonly help: boolean;
  readonly short: boolean;
  readonly only?: string;
  readonly runtimes?: string;
  readonly duration?: string;
  readonly repeat?: string;
}

async function main(words: readonly string[]): Promise<number> {
  const unknown: string[] = [];
  const flags: Flags = parseArgs([...words], {
    boolean: ["help", "short"],
    string: ["only", "runtimes", "duration", "repeat"],
    alias: { help: "h" },
    unknown: (word: string): void => void unknown.push(word),
  });
  const names = flags.only?.split(",") ?? AXES.map(({ name }) => name);
  const runtimes = (flags.runtimes ?? "bun,deno,node").split(",");
  const stray = [
    ...unknown,
    ...names.filter((name) => !AXES.some((axis) => axis.name === name)),
    ...runtimes.filter((name) => !["deno", "bun", "node"].includes(name)),
  ];
  if (flags.help) {
    console.log(HELP);
    return 0;
  }
  const seconds = Number(flags.duration ?? (flags.short ? 0.5 : 2));
  const repeat = Number(flags.repeat ?? 1);
  if (!(seconds > 0) || !(repeat >= 1)) stray.push("a duration or a repetition of less than one");
  if (stray.length > 0) {
    console.error(`Cannot use "${stray[0]}". See --help for what there is.`);
    return 1;
  }
  try {
    // Checked above.
    await draw(names, runtimes as MidgeRuntime[], { seconds, repeat, isShort: flags.short });
    return 0;
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  }
}

interface Effort {
  readonly seconds: number;
  readonly repeat: number;
  readonly isShort: boolean;
}

async function draw(
  names: readonly string[],
  runtimes: readonly MidgeRuntime[],
  effort: Effort,
): Promise<void> {
  const sources = runtimes.map((runtime) => ({ kind: "midge", runtime } as const));
  await prepare(sources);
  await Deno.mkdir(fromRoot(FOLDER), { recursive: true });
  for (const axis of AXES.filter(({ name }) => names.includes(name))) {
    const last = axis.values.length - 1;
    const values = axis.values.filter((_, index) =>
      !effort.isShort || index % 2 === 0 || index === last
    );
    const format = axis.format ?? grouped;
    const lines = sources.map(({ runtime }) => ({
      name: runtime,
      points: [] as [number, number][],
    }));
    // The runtimes take turns, so that a slow minute of the machine hits all alike.
    for (const value of values) {
      for (const [index, source] of sources.entries()) {
        const cpu = await leastCpu(source, axis.scenarioOf(value), effort);
        lines[index]!.points.push([value, cpu]);
        console.log(`${axis.name} ${format(value)}, ${nameOf(source)}: ${digits(cpu)} µs`);
      }
    }
    const chart: Chart = {
      title: axis.title,
      xLabel: axis.label,
      yLabel: "broker CPU, µs per delivered message",
      series: lines satisfies Series[],
      formatX: format,
      ...axis.format === undefined ? {} : { ticksX: values },
    };
    await Deno.writeTextFile(fromRoot(`${FOLDER}/${axis.name}.svg`), drawChart(chart));
  }
  // The formatter has a say in every file of the checkout.
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", fromRoot(FOLDER)] }).output();
}

/** The least of some measurements: what disturbs one only ever adds. */
async function leastCpu(
  source: { readonly kind: "midge"; readonly runtime: MidgeRuntime },
  load: Scenario,
  { seconds, repeat }: Effort,
): Promise<number> {
  let least = Infinity;
  for (let time = 0; time < repeat; time++) {
    const report = await measure(source, load, {
      seconds,
      warmupSeconds: Math.min(1, seconds),
      version: 4,
      inflightMax: 50,
      pin: ["0", "1"],
    });
    const violations = violationsOf(report);
    if (violations.length > 0) throw new Error(`${nameOf(source)}: ${violations.join("; ")}`);
    const cpu = brokerCpuOf(report);
    if (cpu === undefined) throw new Error("CPU time is read from /proc, which is not here");
    least = Math.min(least, cpu);
  }
  return least;
}

if (import.meta.main) {
  endOnSignals();
  Deno.exit(await main(Deno.args));
}
