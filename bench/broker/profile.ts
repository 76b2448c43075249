/**
 * `deno task bench:profile`: where the broker's CPU goes. Runs the bundled broker on Node with its
 * sampling profiler under a scenario, and prints the functions in which it was found most often.
 *
 * @module
 */

import { fromRoot } from "../../tools/root.ts";
import { endOnSignals, messageOf, prepare } from "./brokers.ts";
import { parseOptions, UsageError } from "./options.ts";
import { brokerCpuOf } from "./report.ts";
import { measure } from "./run.ts";
import { digits, table } from "./text_plot.ts";

/** The part of a `.cpuprofile` that is read: a tree of calls, and which of them each sample hit. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const FOLDER = "dist/bench/profile";
const ROWS = 20;

async function main(words: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(words);
    if (typeof options === "string") {
      console.log("Takes --scenario, --duration and the load's options of bench:broker.");
      return 0;
    }
    const source = {
      kind: "midge",
      runtime: "node",
      extraArgs: ["--cpu-prof", `--cpu-prof-dir=${fromRoot(FOLDER)}`],
    } as const;
    await prepare([source]);
    for (const scenario of options.scenarios) {
      await Deno.remove(fromRoot(FOLDER), { recursive: true }).catch(() => {});
      const report = await measure(source, scenario, options);
      console.log(`\n${scenario.name}: ${scenario.summary}`);
      console.log(`${digits(brokerCpuOf(report) ?? NaN)} µs of CPU a message, profiled\n`);
      console.log(costs(await readProfile()));
    }
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(messageOf(error));
    return 1;
  }
}

async function readProfile(): Promise<Profile> {
  for await (const { name } of Deno.readDir(fromRoot(FOLDER))) {
    return JSON.parse(await Deno.readTextFile(fromRoot(`${FOLDER}/${name}`)));
  }
  throw new Error("The broker has left no profile");
}

/** The functions by the time that was spent in them, and not in what they called. */
function costs({ nodes, samples, timeDeltas }: Profile): string {
  const nameById = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]));
  const micros = new Map<string, number>();
  let total = 0;
  samples.forEach((id, index) => {
    const name = nameById.get(id) || "(anonymous)";
    // Waiting for work is no cost.
    if (name === "(idle)") return;
    const spent = timeDeltas[index]!;
    total += spent;
    micros.set(name, (micros.get(name) ?? 0) + spent);
  });
  const rows = [...micros].sort(([, a], [, b]) => b - a).slice(0, ROWS);
  return table([
    ["function", "part of the CPU"],
    ...rows.map(([name, spent]) => [name, `${(spent / total * 100).toFixed(1)} %`]),
  ]);
}

if (import.meta.main) {
  endOnSignals();
  Deno.exit(await main(Deno.args));
}
