// A fixed budget of simulated worlds on each runtime. More of them: `deno task sim --seeds 10000`.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { commandOf, planOf } from "./plan.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 100;

test("A broker among bad networks, disks, clocks, deciders and clients keeps what MQTT promises", async () => {
  const broken: string[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const plan = planOf(seed);
    const { violation } = await simulate(plan);
    if (violation === undefined) continue;
    broken.push(`${commandOf(plan)} (${violation.checker}: ${violation.message})`);
  }
  assertEquals(broken, []);
});

test("simulate() takes the same course each time", async () => {
  for (const seed of [3, 4, 7]) {
    assertEquals(await simulate(planOf(seed)), await simulate(planOf(seed)));
  }
});
