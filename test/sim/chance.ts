// Chance of the simulation, all of it drawn from one seed. Each part of a world has a stream of its
// own, named after what it is for, so that leaving one part out changes nothing for the others:
// that is what makes a failing plan shrink.

import { prng, type Random } from "../../src/core/base/prng.ts";

export class Chance {
  /** Unsigned 32-bit integers. */
  readonly next: Random;

  constructor(seed: number, stream: string) {
    let hash = 0x811c9dc5;
    for (let i = 0; i < stream.length; i++) {
      hash = Math.imul(hash ^ stream.charCodeAt(i), 0x01000193);
    }
    this.next = prng(Math.imul(seed, 0x9e3779b1) ^ hash);
  }

  /** From 0 to `end`, which is not among them. */
  below(end: number): number {
    return this.next() % end;
  }

  /** From `low` to `high`, both among them. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True in so many of a thousand cases. */
  happens(perMille: number): boolean {
    return this.below(1000) < perMille;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}
