// Finding a smaller plan, with a broken broker and with plain conditions.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { type Plan, planOf } from "./plan.ts";
import { SABOTAGES } from "./sabotage.ts";
import { shrink } from "./shrink.ts";
import { simulate } from "./simulate.ts";

test("shrink() leaves out whatever is not needed", async () => {
  const plan: Plan = {
    seed: 5,
    clients: [0, 1, 2, 3],
    faults: ["split", "cut", "crash", "jump"],
    safetyMs: 16_000,
  };
  const fails = (candidate: Plan): Promise<boolean> =>
    Promise.resolve(
      candidate.clients.includes(2) && candidate.faults.includes("crash") &&
        candidate.safetyMs >= 4000,
    );
  const { seed, clients, faults, safetyMs } = await shrink(plan, fails);
  assertEquals({ seed, clients, faults }, { seed: 5, clients: [2], faults: ["crash"] });
  assertEquals(safetyMs >= 4000 && safetyMs < 4450, true);
});

test("shrink() finds a smaller world in which a broken broker is still noticed", async () => {
  const fails = async (plan: Plan): Promise<boolean> =>
    (await simulate(plan, SABOTAGES["wills"])).violation?.checker === "wills";
  let seed = 1;
  while (!await fails(planOf(seed))) seed++;
  const smallest = await shrink(planOf(seed), fails);
  assertEquals(await fails(smallest), true);
  assertEquals(smallest.clients.length, 1);
});
