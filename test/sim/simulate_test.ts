// A fixed budget of simulated worlds on each runtime. More of them: `deno task sim --seeds 10000`.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { commandOf, type Fault, FAULTS, type Plan, planOf } from "./plan.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 100;
/** Few of those have it, because it takes its time. */
const EDGE_SEEDS = 15;

test("A broker among bad networks, disks, clocks, deciders and clients keeps what MQTT promises", async () => {
  const plans = Array.from({ length: SEEDS }, (_, i) => planOf(i + 1));
  assertEquals(await brokenBy(plans), []);
});

test("The object of a Worker does so too, and may be forgotten at any time", async () => {
  const plans = Array.from({ length: EDGE_SEEDS }, (_, i) => {
    const plan = planOf(i + 1);
    return { ...plan, faults: withFaults(plan.faults, "hibernate", "edge") };
  });
  assertEquals(await brokenBy(plans), []);
});

test("simulate() takes the same course each time", async () => {
  for (const seed of [3, 4, 7]) {
    assertEquals(await simulate(planOf(seed)), await simulate(planOf(seed)));
  }
});

/** The commands that show what is broken, and what that is. */
async function brokenBy(plans: readonly Plan[]): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const plan of plans) {
    const { violation } = await simulate(plan);
    if (violation === undefined) continue;
    broken.push(`${commandOf(plan)} (${violation.checker}: ${violation.message})`);
  }
  return broken;
}

function withFaults(faults: readonly Fault[], ...more: readonly Fault[]): readonly Fault[] {
  return FAULTS.filter((fault) => faults.includes(fault) || more.includes(fault));
}
