/**
 * `deno task soak`: a broker process goes through storms, fights and churn until the time is over,
 * and is told of what was left, how fast it was, and whether its memory stayed flat.
 *
 *     deno task soak --minutes 60                     the broker on Deno
 *     deno task soak --minutes 10 --runtime node      on another runtime
 *     deno task soak --clients 2000                   fewer clients than ten thousand in a storm
 *
 * The status is 1 when anything is left over, when memory has grown, when a storm took too long, or
 * when somebody frozen has slowed the others down.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import process from "node:process";
import { bundleProgram, stopBundler } from "../../tools/bundle.ts";
import { installPackages, installRuntime } from "../../tools/packages.ts";
import { fromRoot } from "../../tools/root.ts";
import { MidgeProcess } from "../support/midge_process.ts";
import type { RuntimeName } from "../runtime/programs.ts";
import { type Round, soak, type SoakReport } from "./soak.ts";

const BUNDLE = "dist/bench/soak.js";
const STORM_SECONDS_MAX = 30;
const RATIO_MAX = 1.2;
/** How far memory may be from where it was after the warm-up. */
const FLAT = 0.05;
const IDLE_MS = 5000;
const THIRD_MIN = 3;
const MEBIBYTE = 1024 * 1024;

const flags = parseArgs(Deno.args, {
  string: ["minutes", "runtime", "clients"],
  unknown(word: string): boolean {
    console.error(`Unknown option "${word}"`);
    Deno.exit(2);
  },
});

const SIZE = {
  stormClients: Number(flags.clients ?? 10_000),
  readers: 1000,
  listenMs: 4000,
  fights: 2000,
  fighters: 32,
  churnClients: 100,
  churnTimes: 20,
  retainedTopics: 10_000,
};

async function main(): Promise<boolean> {
  const runtime = runtimeOf(flags.runtime ?? "deno");
  if (runtime !== "deno") await prepare(runtime);
  const config = `listener $PORT1 127.0.0.1
allow_anonymous true
sys_interval 1
log_type information
connection_messages false
`;
  let report: SoakReport | undefined;
  await MidgeProcess.with({ config, runtime }, async (midge) => {
    const { port, processId } = midge;
    const minutes = Number(flags.minutes ?? 5);
    report = await soak({ port, processId, size: SIZE, minutes, idleMs: IDLE_MS, onRound: print });
  });
  return judge(report!);
}

function runtimeOf(name: string): RuntimeName {
  if (name === "deno" || name === "bun" || name === "node") return name;
  throw new Error('"--runtime" takes deno, bun or node');
}

async function prepare(runtime: "bun" | "node"): Promise<void> {
  await installPackages();
  await bundleProgram("mod.ts", BUNDLE);
  await stopBundler();
  process.env["MIDGE_TEST_BUNDLE"] = fromRoot(BUNDLE);
  process.env[`MIDGE_TEST_${runtime.toUpperCase()}`] = await installRuntime(runtime);
}

function print(round: Round, number: number): void {
  const { stormSeconds, frozen, takeOvers, churned, retained, residentBytes } = round;
  console.log(
    `round ${number}: ${SIZE.stormClients} clients back in ${stormSeconds.toFixed(1)} s, p99 ` +
      `${frozen.without.toFixed(1)} ms and with one frozen ${frozen.with.toFixed(1)} ms, ` +
      `${takeOvers} take-overs, ${churned} messages in churn, ${retained} retained, ` +
      `${((residentBytes ?? 0) / MEBIBYTE).toFixed(0)} MiB`,
  );
}

function judge({ baseline, rounds, idle }: SoakReport): boolean {
  const left = rounds.filter(({ leftovers }) =>
    JSON.stringify(leftovers) !== JSON.stringify(baseline)
  );
  for (const { leftovers } of left) {
    console.log(`left over: ${JSON.stringify(leftovers)} and not ${JSON.stringify(baseline)}`);
  }
  const storm = Math.max(...rounds.map(({ stormSeconds }) => stormSeconds));
  const ratio = median(rounds.map(({ frozen }) => frozen.with / frozen.without));
  const growth = growthOf(rounds);
  console.log(
    `${rounds.length} rounds: storms took ${storm.toFixed(1)} s at most, one frozen reader makes ` +
      `p99 ${ratio.toFixed(2)} times as long, memory has changed by ${percent(growth)} %, ` +
      `and with nobody there it takes ${idle.map(percent).join(" % of a CPU, then ")} %`,
  );
  return left.length === 0 && storm <= STORM_SECONDS_MAX && ratio <= RATIO_MAX &&
    (growth === undefined || growth <= FLAT);
}

/**
 * The median of the last third beside that of the one before it: how much garbage is not collected
 * yet differs from round to round, and the first third is for memory to find its measure. Of few
 * rounds nothing can be said.
 */
function growthOf(rounds: readonly Round[]): number | undefined {
  const third = Math.floor(rounds.length / 3);
  const bytes = rounds.map(({ residentBytes }) => residentBytes);
  if (third < THIRD_MIN || bytes.includes(undefined)) return undefined;
  const [before, after] = [bytes.slice(-2 * third, -third), bytes.slice(-third)] as number[][];
  return median(after!) / median(before!) - 1;
}

function percent(share: number | undefined): string {
  return share === undefined ? "?" : (share * 100).toFixed(1);
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;
}

Deno.exit(await main() ? 0 : 1);
