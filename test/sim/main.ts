// `deno task sim`: runs simulated worlds by their seeds. A seed that fails is made smaller and
// printed as the one command that runs it again.

import { HELP, parseWish, type Wish } from "./command_line.ts";
import type { Found, Slice } from "./worker.ts";
import { commandOf, type Plan, planOf } from "./plan.ts";
import { shrink } from "./shrink.ts";
import { simulate } from "./simulate.ts";

/** Seeds that a worker is given at a time. */
const SLICE_SEEDS = 50;
const REPORT_MS = 10_000;

async function main(words: readonly string[]): Promise<number> {
  if (words.includes("--help")) {
    console.log(HELP);
    return 0;
  }
  let wish: Wish;
  try {
    wish = parseWish(words);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    console.error(`${error.message}. See --help for what there is.`);
    return 1;
  }
  return wish.kind === "plan" ? await runOne(wish.plan) : await search(wish);
}

async function runOne(plan: Plan): Promise<number> {
  const { violation, steps } = await simulate(plan);
  if (violation === undefined) {
    console.log(`Seed ${plan.seed}: all promises kept in ${steps} steps`);
    return 0;
  }
  console.log(`Seed ${plan.seed}, ${violation.checker}: ${violation.message}`);
  console.log(commandOf(plan));
  return 1;
}

async function search(wish: Extract<Wish, { readonly kind: "seeds" }>): Promise<number> {
  const { from, count, workers } = wish;
  const start = performance.now();
  let next = from;
  let done = 0;
  let steps = 0;
  let reportedAt = start;
  const failed: number[] = [];
  const lane = async (): Promise<void> => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    while (next < from + count && failed.length === 0) {
      const slice: Slice = { from: next, count: Math.min(SLICE_SEEDS, from + count - next) };
      next += slice.count;
      const found = await ask(worker, slice);
      done += slice.count;
      steps += found.steps;
      failed.push(...found.failed);
      if (performance.now() - reportedAt < REPORT_MS) continue;
      reportedAt = performance.now();
      console.log(`${done} seeds, ${rate(done, start)} a second`);
    }
    worker.terminate();
  };
  await Promise.all(Array.from({ length: workers }, lane));
  console.log(`${done} seeds, ${steps} steps, ${rate(done, start)} seeds a second`);
  const first = failed.sort((a, b) => a - b)[0];
  return first === undefined ? 0 : await explain(planOf(first));
}

function ask(worker: Worker, slice: Slice): Promise<Found> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(event.error ?? new Error(event.message));
    worker.postMessage(slice);
  });
}

/** Makes a failing plan smaller, and says how to run it. */
async function explain(plan: Plan): Promise<number> {
  const checker = (await simulate(plan)).violation?.checker;
  console.log(`Seed ${plan.seed} breaks a promise: ${commandOf(plan)}`);
  const smallest = await shrink(
    plan,
    async (candidate) => (await simulate(candidate)).violation?.checker === checker,
  );
  return await runOne(smallest);
}

function rate(count: number, start: number): string {
  return (count * 1000 / (performance.now() - start)).toFixed(1);
}

Deno.exit(await main(Deno.args));
