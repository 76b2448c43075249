/**
 * A histogram of latencies that costs one addition per value: whole microseconds, in buckets that
 * widen with the value so that none is off by more than about three per cent.
 *
 * @module
 */

/** Buckets per doubling; up to this value each microsecond has its own. */
const STEPS = 32;
const STEPS_LOG2 = 5;
const BUCKETS = STEPS * (32 - STEPS_LOG2 + 1);

export class Histogram {
  readonly #counts: Float64Array = new Float64Array(BUCKETS);
  #total = 0;
  #max = 0;

  /** How many values there are. */
  get total(): number {
    return this.#total;
  }

  get max(): number {
    return this.#max;
  }

  /** Notes a value in microseconds; those below 0 count as 0. */
  add(micros: number): void {
    const value = micros <= 0 ? 0 : micros >= 0x7fff_ffff ? 0x7fff_ffff : micros | 0;
    const index = indexOf(value);
    this.#counts[index] = this.#counts[index]! + 1;
    this.#total++;
    if (value > this.#max) this.#max = value;
  }

  /** The value below which the given part of all values lies, 0 when there are none. */
  percentile(part: number): number {
    const wanted = Math.max(1, Math.ceil(this.#total * part));
    let seen = 0;
    for (let index = 0; index < BUCKETS; index++) {
      seen += this.#counts[index]!;
      if (seen >= wanted) return Math.min(this.#max, middleOf(index));
    }
    return 0;
  }

  /** How many values lie from `low` up to, and not at, `high`, to the width of a bucket. */
  between(low: number, high: number): number {
    let count = 0;
    for (let index = 0; index < BUCKETS; index++) {
      const middle = middleOf(index);
      if (middle >= low && middle < high) count += this.#counts[index]!;
    }
    return count;
  }
}

function indexOf(value: number): number {
  if (value < STEPS) return value;
  const shift = 31 - Math.clz32(value) - STEPS_LOG2;
  return STEPS * (shift + 1) + (value >>> shift) - STEPS;
}

function middleOf(index: number): number {
  if (index < STEPS) return index;
  const shift = Math.floor(index / STEPS) - 1;
  const low = (STEPS + index % STEPS) * 2 ** shift;
  return low + (2 ** shift - 1) / 2;
}
