// Each checker bites: a broker that breaks its promise is found out, by that checker, within a few
// worlds.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { planOf } from "./plan.ts";
import { SABOTAGES } from "./sabotage.ts";
import { simulate } from "./simulate.ts";

const SEEDS_MAX = 80;

for (const [checker, sabotage] of Object.entries(SABOTAGES)) {
  test(`The checker of ${checker} notices a broker that is broken there`, async () => {
    const noticed = new Set<string>();
    for (let seed = 1; seed <= SEEDS_MAX && !noticed.has(checker); seed++) {
      const { violation } = await simulate(planOf(seed), sabotage);
      if (violation !== undefined) noticed.add(violation.checker);
    }
    assertEquals([...noticed].filter((one) => one === checker), [checker]);
  });
}
