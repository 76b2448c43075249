/**
 * What of the sources an input reaches, as the counters of an instrumented bundle tell it. Reaching
 * a branch twice is something else than once, and a hundred times something else again: so loops
 * that go round more often count as new, up to a point.
 *
 * @module
 */

/** The counters of one source file, as istanbul keeps them. */
interface FileCounters {
  readonly b: Readonly<Record<string, number[]>>;
  readonly f: Record<string, number>;
}

export class Coverage {
  readonly #branches: readonly number[][];
  readonly #functions: readonly Record<string, number>[];
  /** For each counter the powers of two that were seen, one bit each. */
  readonly #seen: Uint8Array;

  constructor(counters: Readonly<Record<string, FileCounters>>) {
    const files = Object.values(counters);
    this.#branches = files.flatMap(({ b }) => Object.values(b));
    this.#functions = files.map(({ f }) => f);
    const sizes = [
      ...this.#branches.map((list) => list.length),
      ...this.#functions.map((record) => Object.keys(record).length),
    ];
    this.#seen = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  }

  /** How many counters have run, and how many there are. */
  get counts(): readonly [reached: number, all: number] {
    return [this.#seen.reduce((sum, bits) => sum + (bits === 0 ? 0 : 1), 0), this.#seen.length];
  }

  /** Forgets what was seen. */
  clear(): void {
    this.#seen.fill(0);
    this.take(false);
    this.#seen.fill(0);
  }

  /**
   * Notes what has run since the last time and sets the counters back; tells whether anything of it
   * is new. `isPlain`: that something ran counts, and not how often.
   */
  take(isPlain: boolean): boolean {
    let isNew = false;
    let at = 0;
    const note = (count: number): void => {
      if (count > 0) {
        const bit = isPlain ? 1 : 1 << Math.min(7, 31 - Math.clz32(count));
        if ((this.#seen[at]! & bit) === 0) {
          this.#seen[at] = this.#seen[at]! | bit;
          isNew = true;
        }
      }
      at++;
    };
    for (const list of this.#branches) {
      for (let i = 0; i < list.length; i++) {
        note(list[i]!);
        list[i] = 0;
      }
    }
    for (const record of this.#functions) {
      for (const key in record) {
        note(record[key]!);
        record[key] = 0;
      }
    }
    return isNew;
  }
}
