// Runs a plan and says what was wrong with it, if anything: the one function that the command line,
// the tests and the search for a smaller plan have in common.

import type { Sabotage } from "./broker_process.ts";
import { checkAccess } from "./checkers/access.ts";
import { checkDuplicates } from "./checkers/duplicate.ts";
import { checkExpiry } from "./checkers/expiry.ts";
import { checkLeftovers } from "./checkers/leftovers.ts";
import { checkLoss } from "./checkers/loss.ts";
import { checkOrder } from "./checkers/order.ts";
import { checkRetained } from "./checkers/retained.ts";
import { checkShared } from "./checkers/shared.ts";
import { checkWills } from "./checkers/wills.ts";
import { memoryDisk, sqliteDisk } from "./disks.ts";
import { Violation } from "./model.ts";
import type { Plan } from "./plan.ts";
import { World } from "./world.ts";

/** What became of a run. */
export interface Outcome {
  readonly violation: Violation | undefined;
  readonly steps: number;
}

const AT_REST = [
  checkAccess,
  checkLoss,
  checkDuplicates,
  checkOrder,
  checkExpiry,
  checkShared,
  checkWills,
];

/** Runs a plan from its beginning to its end, or to where a promise is broken. */
export async function simulate(plan: Plan, sabotage?: Sabotage): Promise<Outcome> {
  const disk = plan.faults.includes("sqlite") ? await sqliteDisk() : memoryDisk();
  const world = new World(plan, disk, sabotage);
  const restore = world.scheduler.install();
  const leave = world.broker.install?.();
  try {
    await run(world);
  } catch (error) {
    const detail = error instanceof Error ? error.stack ?? error.message : String(error);
    world.fail(new Violation("internal", detail));
  } finally {
    leave?.();
    restore();
    disk.release();
  }
  return { violation: world.violation, steps: world.scheduler.step };
}

async function run(world: World): Promise<void> {
  await world.runUntilRest();
  check(world, ...AT_REST);
  if (world.violation !== undefined) return;
  await world.audit();
  check(world, checkRetained);
  await world.runUntilGone();
  if (world.violation === undefined) check(world, checkLeftovers);
}

function check(world: World, ...checkers: readonly ((world: World) => Violation | undefined)[]) {
  for (const checker of checkers) {
    if (world.violation !== undefined) return;
    const violation = checker(world);
    if (violation !== undefined) world.fail(violation);
  }
}
