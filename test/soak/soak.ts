/**
 * A soak: one round of all phases after another for as long as is wished, and what is left of the
 * broker in between. Whether it is well is a matter of counts; how fast it was, and what it took, is
 * reported.
 *
 * @module
 */

import { type Leftovers, Observation } from "./observation.ts";
import {
  type FrozenFigures,
  frozenSubscriber,
  reconnectStorm,
  retainedChurn,
  type SoakSize,
  subscriptionChurn,
  takeOverFights,
} from "./phases.ts";

/** What came of one round. */
export interface Round {
  readonly stormSeconds: number;
  readonly frozen: FrozenFigures;
  readonly takeOvers: number;
  readonly churned: number;
  readonly retained: number;
  /** When everybody had gone. */
  readonly residentBytes: number | undefined;
  readonly leftovers: Leftovers;
}

export interface SoakReport {
  /** Before the first of the rounds that count. */
  readonly baseline: Leftovers;
  readonly rounds: readonly Round[];
  /** Parts of a CPU that the broker takes with nobody there, before the rounds and after them. */
  readonly idle: readonly [before: number | undefined, after: number | undefined];
}

export interface SoakOptions {
  readonly port: number;
  readonly processId: number;
  readonly size: SoakSize;
  /** At least one round is made. */
  readonly minutes: number;
  /** How long the broker is watched while nobody is there. */
  readonly idleMs: number;
  readonly onRound?: (round: Round, number: number) => void;
}

/**
 * Soaks a broker. The first round is not counted: it warms up what is made once, and what is there
 * after it is what has to be there after each.
 */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { port, processId, size, minutes, idleMs, onRound } = options;
  const observation = await Observation.begin(port, processId);
  const { clients, subscriptions } = observation.leftovers;
  const alone = { clients, subscriptions };
  const first = await round(observation, port, size, alone);
  const baseline = first.leftovers;
  const before = await observation.idleShare(idleMs);
  const end = performance.now() + minutes * 60_000;
  const rounds: Round[] = [];
  do {
    const next = await round(observation, port, size, baseline);
    rounds.push(next);
    onRound?.(next, rounds.length);
  } while (performance.now() < end);
  const after = await observation.idleShare(idleMs);
  await observation.end();
  return { baseline, rounds, idle: [before, after] };
}

async function round(
  observation: Observation,
  port: number,
  size: SoakSize,
  expected: Partial<Leftovers>,
): Promise<Round> {
  const stormSeconds = await reconnectStorm(port, size);
  const frozen = await frozenSubscriber(port, size);
  const takeOvers = await takeOverFights(port, size);
  const churned = await subscriptionChurn(port, size);
  const retained = await retainedChurn(port, size);
  const leftovers = await observation.settle(expected);
  const { residentBytes } = observation;
  return { stormSeconds, frozen, takeOvers, churned, retained, residentBytes, leftovers };
}
