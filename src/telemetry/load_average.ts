/**
 * How fast a count grows: three exponentially weighted rates per minute, over one, five and
 * fifteen minutes. No clock here: each sample comes with the time since the one before.
 *
 * @module
 */

/** The periods by the names of their topics, in seconds. */
export const LOAD_PERIODS: readonly { readonly name: string; readonly seconds: number }[] = [
  { name: "1min", seconds: 60 },
  { name: "5min", seconds: 300 },
  { name: "15min", seconds: 900 },
];

/** The rates of one count. */
export class LoadAverage {
  #count: number;
  readonly #perMinute: number[] = LOAD_PERIODS.map(() => 0);

  /** @param count what there was before the first sample. */
  constructor(count: number) {
    this.#count = count;
  }

  /** The rate over the period of that place in {@linkcode LOAD_PERIODS}. */
  perMinute(period: number): number {
    return this.#perMinute[period]!;
  }

  /** Takes what the count has become `seconds` after the last sample. */
  sample(count: number, seconds: number): void {
    // Two samples at one instant would divide by nothing; the second is part of the next one.
    if (!(seconds > 0)) return;
    const rate = (count - this.#count) * 60 / seconds;
    this.#count = count;
    for (const [period, { seconds: length }] of LOAD_PERIODS.entries()) {
      const kept = Math.exp(-seconds / length);
      this.#perMinute[period] = rate + kept * (this.#perMinute[period]! - rate);
    }
  }
}
