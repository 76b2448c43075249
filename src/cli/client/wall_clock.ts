/**
 * The time of day to the nanosecond, as far as the machine tells it.
 *
 * The idea: the clock that jumps is right and coarse, the one that never jumps is fine and knows no
 * date; the fine one counts from where the coarse one stood, until the two part.
 *
 * @module
 */

/** An instant of the time of day. */
export interface WallTime {
  /** Whole ones, since 1970. */
  readonly seconds: number;
  /** Of the second: 0 to 999,999,999. */
  readonly nanoseconds: number;
}

/** How far the two may be apart, in milliseconds: what rounding and a slow machine explain. */
const DRIFT_MAX_MS = 2;
const MS_PER_S = 1000;
const NS_PER_MS = 1_000_000;

export class WallClock {
  readonly #coarse: () => number;
  readonly #fine: () => number;
  /** What the coarse clock showed when the fine one showed 0. */
  #origin: number;

  /** Both give milliseconds: since 1970, and since whenever. */
  constructor(coarse: () => number, fine: () => number) {
    this.#coarse = coarse;
    this.#fine = fine;
    this.#origin = coarse() - fine();
  }

  read(): WallTime {
    const coarse = this.#coarse();
    const fine = this.#fine();
    if (Math.abs(this.#origin + fine - coarse) > DRIFT_MAX_MS) this.#origin = coarse - fine;
    const exact = this.#origin + fine;
    const ms = Math.floor(exact);
    const seconds = Math.floor(ms / MS_PER_S);
    const nanoseconds = (ms - seconds * MS_PER_S) * NS_PER_MS;
    return { seconds, nanoseconds: nanoseconds + Math.floor((exact - ms) * NS_PER_MS) };
  }
}
