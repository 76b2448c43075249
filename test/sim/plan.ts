// What one run of the simulation is made of: a seed, who takes part, which faults there are, and for
// how long. All of it follows from the seed, unless the command line leaves something out: that is
// how a failing run is made smaller without becoming another one.

import { DEFAULT_LIMITS, type Limits } from "../../src/core/broker/limits.ts";
import { NEVER_EXPIRES } from "../../src/core/session/session.ts";
import { Chance } from "./chance.ts";

/**
 * What can go wrong, and at last what must make no difference: all topics are mounted somewhere else,
 * the store is the real one and not the plainest, or the broker is the object of a Worker. Which of
 * them exist in a run is drawn.
 */
export const FAULTS = [
  "split",
  "delay",
  "cut",
  "half-open",
  "lag",
  "flood",
  "crash",
  "slow-store",
  "failing-store",
  "ask",
  "contradict",
  "revoke",
  "jump",
  "set-clock",
  "rude",
  "liar",
  "tight",
  "hibernate",
  "mount",
  "sqlite",
  "edge",
] as const;

export type Fault = typeof FAULTS[number];

const DATABASES: readonly Fault[] = ["sqlite", "edge"];

export interface Plan {
  readonly seed: number;
  /** The clients that take part, by their numbers. */
  readonly clients: readonly number[];
  readonly faults: readonly Fault[];
  /** Virtual milliseconds of the part with faults. */
  readonly safetyMs: number;
}

/** Where topics are mounted, in worlds that have that. */
export const MOUNT_POINT = "elsewhere/";

/** How long sessions last that are meant to outlast a run. */
export const LASTING_SECONDS = 1_000_000;

/** Their numbers are below this one. */
export const CLIENTS_MAX = 6;

const FAULT_PER_MILLE = 350;
/** A real database takes its time, which others could use. */
const DATABASE_PER_MILLE = 25;

/** What a seed stands for. */
export function planOf(seed: number): Plan {
  const chance = new Chance(seed, "plan");
  const count = chance.between(2, CLIENTS_MAX);
  const clients = Array.from({ length: count }, (_, i) => i);
  const faults = FAULTS.filter((fault) =>
    chance.happens(DATABASES.includes(fault) ? DATABASE_PER_MILLE : FAULT_PER_MILLE)
  );
  return { seed, clients, faults, safetyMs: chance.between(4, 40) * 500 };
}

/** The command that runs a plan again. */
export function commandOf(plan: Plan): string {
  const whole = planOf(plan.seed);
  const parts = [`deno task sim --seed ${plan.seed}`];
  if (plan.clients.length < whole.clients.length) {
    parts.push(`--clients ${plan.clients.join(",") || "none"}`);
  }
  if (plan.faults.join() !== whole.faults.join()) {
    parts.push(`--faults ${plan.faults.join(",") || "none"}`);
  }
  if (plan.safetyMs < whole.safetyMs) parts.push(`--ms ${plan.safetyMs}`);
  return parts.join(" ");
}

/** The broker's limits in this run: wide, or so tight that each of them is met. */
export function limitsOf({ seed, faults }: Plan): Limits {
  const chance = new Chance(seed, "limits");
  const wide: Limits = {
    ...DEFAULT_LIMITS,
    // A small window, so that the store gives queues back in parts.
    queueWindowMessagesMax: chance.pick([2, 5, 500]),
    inflightMessagesMax: chance.pick([1, 3, 20]),
    upgradesOutgoingQos: false,
    allowsDuplicateMessages: chance.happens(500),
    queueQos0Messages: chance.happens(300),
    idleBufferBytesMax: 64 * 1024,
    takeOverBurst: 1000,
    // Who speaks nonsense may have asked for a session without an end.
    sessionExpiryIntervalMax: faults.includes("rude") ? LASTING_SECONDS : NEVER_EXPIRES,
    rememberedTopicsMax: chance.pick([2, 64]),
    rememberedTopicBytesMax: 64 * 1024,
  };
  if (!faults.includes("tight")) return wide;
  return {
    ...wide,
    queuedMessagesMax: chance.pick([3, 10, 30]),
    queuedBytesMax: chance.pick([0, 2000]),
    queueWindowBytesMax: chance.pick([500, 512 * 1024]),
    queueWindowBytesTotalMax: chance.pick([1000, 256 * 1024 * 1024]),
    queuedMessagesTotalMax: chance.pick([20, 1000]),
    backlogBytesMax: chance.pick([2000, 20_000]),
    backlogBytesTotalMax: chance.pick([8000, 512 * 1024 * 1024]),
    uncommittedBytesMax: chance.pick([2000, 64 * 1024 * 1024]),
    inflightBytesMax: chance.pick([0, 500]),
    receiveMaximum: chance.pick([2, 20]),
    publishRateCount: chance.pick([0, 20]),
    retainedMessagesMax: chance.pick([2, 1000]),
  };
}
