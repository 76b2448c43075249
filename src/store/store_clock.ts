/**
 * The time of a store. The broker's clock starts anew with each process and never jumps; the wall
 * clock goes on over a restart and jumps when somebody sets it. A store's own time has the best of
 * both: it runs with the broker's clock, and what passes between two runs the wall clock tells.
 *
 * So a wall clock that is set while the broker runs moves no deadline, and one that is behind at
 * the next start, as without a battery, lets nothing live longer than if no time had passed.
 *
 * @module
 */

/** The two clocks of a machine, both in milliseconds. */
export interface Clocks {
  /** The broker's, which never jumps. */
  now(): number;
  /** Since the epoch. */
  wallClock(): number;
}

/** When it was, by both. */
export interface TimeMark {
  readonly stored: number;
  readonly wall: number;
}

export class StoreClock {
  readonly #clocks: Clocks;
  /** What is added to an instant of the broker's clock. */
  readonly #offset: number;

  /** `last` is the latest mark of the runs before. */
  constructor(clocks: Clocks, last: TimeMark | undefined) {
    this.#clocks = clocks;
    const wall = clocks.wallClock();
    const start = last === undefined ? wall : last.stored + Math.max(0, wall - last.wall);
    this.#offset = start - clocks.now();
  }

  /** An instant of the broker's clock as it is stored; `Infinity` is `null`. */
  toStored(instant: number): number | null {
    return instant === Infinity ? null : Math.round(instant + this.#offset);
  }

  toInstant(stored: number | null): number {
    return stored === null ? Infinity : stored - this.#offset;
  }

  mark(): TimeMark {
    return {
      stored: Math.round(this.#clocks.now() + this.#offset),
      wall: Math.round(this.#clocks.wallClock()),
    };
  }
}
