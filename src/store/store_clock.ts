/**
 * The time of a store. The broker's clock starts anew with each process and never jumps; the wall
 * clock goes on over a restart and jumps when somebody sets it. A store's own time has the best of
 * both: it runs with the broker's clock, and what passes between two runs the wall clock tells.
 *
 * So a wall clock that is set while the broker runs moves no deadline. One that is behind at the
 * next start, as without a battery, cannot tell how much time has passed: then as much has as may
 * lie between a mark and what was stored after it, so that nothing has more time left than it was
 * given.
 *
 * @module
 */

/** How much of the store's time lies between two marks while something is stored, at most. */
export const MARK_MS = 1000;

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
    this.#offset = startOf(wall, last) - clocks.now();
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

function startOf(wall: number, last: TimeMark | undefined): number {
  if (last === undefined) return wall;
  return last.stored + (wall < last.wall ? MARK_MS : wall - last.wall);
}
