// Makes a failing plan smaller while it still fails in the same way: fewer clients, fewer faults,
// less time. The seed stays: what is left out leaves everything else as it was.

import type { Plan } from "./plan.ts";

const SAFETY_MS_MIN = 250;

/** Finds a small plan for which `fails` is still true. */
export async function shrink(
  plan: Plan,
  fails: (plan: Plan) => Promise<boolean>,
): Promise<Plan> {
  let smallest = plan;
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (const candidate of smallerThan(smallest)) {
      if (!await fails(candidate)) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  return smallest;
}

/** Plans with one thing less, the largest steps first. */
function* smallerThan(plan: Plan): Iterable<Plan> {
  const { clients, faults, safetyMs } = plan;
  const half = Math.floor(safetyMs / 2);
  if (half >= SAFETY_MS_MIN) yield { ...plan, safetyMs: half };
  for (const fault of faults) yield { ...plan, faults: faults.filter((one) => one !== fault) };
  if (clients.length > 1) {
    for (const client of clients) {
      yield { ...plan, clients: clients.filter((one) => one !== client) };
    }
  }
  const less = Math.floor(safetyMs * 0.9);
  if (less >= SAFETY_MS_MIN) yield { ...plan, safetyMs: less };
}
