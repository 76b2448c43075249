/**
 * Counts what arrived of one stream of numbered messages: what is missing, what came twice, what
 * came late. The expected number costs one comparison; only gaps are remembered one by one.
 *
 * @module
 */

/** Gaps beyond this many numbers are counted as lost at once, to bound what is remembered. */
const MISSING_MAX = 100_000;

/** What became of a message. */
export type Arrival = "next" | "after a gap" | "late" | "duplicate";

export class StreamTally {
  /** Distinct messages that arrived. */
  received = 0;
  duplicates = 0;
  /** Messages that arrived after one with a higher number. */
  late = 0;
  #next = 0;
  #missing: Set<number> | undefined;

  /** Notes the message of a number. */
  add(sequence: number): Arrival {
    if (sequence === this.#next) {
      this.#next = sequence + 1;
      this.received++;
      return "next";
    }
    if (sequence > this.#next) {
      this.#missing ??= new Set();
      for (let gap = this.#next; gap < sequence && this.#missing.size < MISSING_MAX; gap++) {
        this.#missing.add(gap);
      }
      this.#next = sequence + 1;
      this.received++;
      return "after a gap";
    }
    if (this.#missing?.delete(sequence)) {
      this.late++;
      this.received++;
      return "late";
    }
    this.duplicates++;
    return "duplicate";
  }
}
