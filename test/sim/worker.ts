// A thread that runs worlds, a slice of seeds at a time, and says which of them failed.

import { planOf } from "./plan.ts";
import { simulate } from "./simulate.ts";

/** Seeds to run. */
export interface Slice {
  readonly from: number;
  readonly count: number;
}

/** What became of them. */
export interface Found {
  readonly failed: readonly number[];
  readonly steps: number;
}

/** The scope of a worker, as far as it is used here. */
interface Scope {
  onmessage: ((event: { readonly data: Slice }) => void) | null;
  postMessage(found: Found): void;
}

const scope = globalThis as unknown as Scope;

scope.onmessage = async ({ data: { from, count } }) => {
  const failed: number[] = [];
  let steps = 0;
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await simulate(planOf(seed));
    steps += outcome.steps;
    if (outcome.violation !== undefined) failed.push(seed);
  }
  scope.postMessage({ failed, steps });
};
