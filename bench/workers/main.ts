/**
 * `deno task bench:workers`: what a message costs the Worker's object, beside a minimal Worker
 * written by hand, in one workerd each, in turns; then how long an object takes to come and to
 * wake. Words choose among the rows: `load`, `kept`, `start`, `wake`.
 *
 * @module
 */

import { carryOut } from "../broker/run.ts";
import { usageOf } from "../broker/process_usage.ts";
import { brokerCpuOf, rateOf, type Report, violationsOf } from "../broker/report.ts";
import { type Scenario, scenario } from "../broker/scenario.ts";
import { digits, grouped, table } from "../broker/text_plot.ts";
import { installRuntime } from "../../tools/packages.ts";
import { fromRoot } from "../../tools/root.ts";
import { stopBundler } from "../../tools/bundle.ts";
import { bundleForWeb, WORKER_ENTRY } from "../../tools/web_bundles.ts";
import { WorkerdProcess } from "../../test/support/workerd_process.ts";
import { type Candidate, coldStart, OPEN, wakeUps } from "./waking.ts";

const CONTROL = "bench/workers/fan_out_worker.ts";
const FOLDER = "dist/bench";
const ROUNDS = 3;
const SECONDS = 2;

/** What both can do, QoS 0 alone. */
const LOADS: readonly Scenario[] = [
  scenario({ name: "fan-out 1:100", pattern: "fan-out", publishers: 1, subscribers: 100 }),
  scenario({ name: "50 pairs", pattern: "pairs" }),
  scenario({ name: "pairs, 1000 a second", pattern: "pairs", rate: 1000 }),
];

const TEN = { pattern: "pairs", publishers: 10, subscribers: 10 } as const;

/** What only a broker can. */
const KEPT: readonly Scenario[] = [
  scenario({ name: "10 pairs, QoS 1", ...TEN, qos: 1 }),
  scenario({ name: "10 pairs, QoS 1, sessions kept", ...TEN, qos: 1, isDurable: true }),
  scenario({ name: "10 pairs, QoS 2", ...TEN, qos: 2 }),
];

async function main(words: readonly string[]): Promise<void> {
  const wants = (word: string): boolean => words.length === 0 || words.includes(word);
  const binary = await installRuntime("workerd");
  const midge = await build("midge", WORKER_ENTRY);
  const control = await build("control", CONTROL);
  await stopBundler();
  if (wants("load")) await compareLoads(binary, midge, control);
  if (wants("kept")) await printKept(binary, midge);
  if (wants("start")) console.log(await coldStart(binary, [midge, control]));
  if (wants("wake")) console.log(await wakeUps(binary, [midge, control]));
}

async function build(name: string, entry: string): Promise<Candidate> {
  const worker = fromRoot(`${FOLDER}/${name}_worker.js`);
  await Deno.mkdir(fromRoot(FOLDER), { recursive: true });
  await Deno.writeFile(worker, (await bundleForWeb(entry)).code);
  return { name, worker };
}

async function compareLoads(binary: string, midge: Candidate, control: Candidate): Promise<void> {
  const rows = [["load", "midge/s", "µs", "control/s", "µs", "ratio"]];
  for (const each of LOADS) {
    const rounds: [Report, Report][] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push([await run(binary, midge, each), await run(binary, control, each)]);
    }
    const [ours, theirs] = [0, 1].map((side) => rounds.map((round) => round[side]!));
    const ratios = rounds.map(([one, other]) => cpuOf(one) / cpuOf(other));
    rows.push([each.name, ...figures(ours!), ...figures(theirs!), median(ratios).toFixed(2)]);
  }
  console.log(`${table(rows)}\n`);
}

async function printKept(binary: string, midge: Candidate): Promise<void> {
  const rows = [["load", "midge/s", "µs"]];
  for (const each of KEPT) {
    const rounds: Report[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await run(binary, midge, each));
    rows.push([each.name, ...figures(rounds)]);
  }
  console.log(`${table(rows)}\n`);
}

async function run(binary: string, candidate: Candidate, load: Scenario): Promise<Report> {
  const { worker } = candidate;
  const workerd = await WorkerdProcess.start({
    program: { binary, worker },
    bindings: OPEN,
    isForgetful: true,
  });
  try {
    const report = await carryOut({
      scenario: { ...load, wire: "ws" },
      target: {
        host: "127.0.0.1",
        port: workerd.port(),
        wire: "ws",
        version: 4,
        keepsSession: load.isDurable,
      },
      seconds: SECONDS,
      warmupSeconds: 0.5,
      inflightMax: 10,
      usage: () => usageOf(workerd.processId),
    });
    for (const sentence of violationsOf(report)) console.log(`${candidate.name}: ${sentence}`);
    return report;
  } finally {
    await workerd.discard();
  }
}

function figures(reports: readonly Report[]): string[] {
  return [grouped(Math.round(median(reports.map(rateOf)))), digits(median(reports.map(cpuOf)))];
}

function cpuOf(report: Report): number {
  return brokerCpuOf(report) ?? NaN;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

if (import.meta.main) await main(Deno.args);
