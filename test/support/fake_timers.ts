// The platform's timers on a clock that a test moves by hand. They stand in for `setTimeout` while
// a function runs, and are put back whatever it does.

interface Timer {
  readonly at: number;
  readonly ring: () => void;
}

export class FakeTimers {
  now = 0;
  readonly #timers: Map<number, Timer> = new Map();
  #lastId = 0;

  /** The instants at which something rings, the earliest first. */
  get pending(): number[] {
    return [...this.#timers.values()].map(({ at }) => at).sort((a, b) => a - b);
  }

  /** Runs with these timers in place of the platform's. */
  async run(body: () => void | Promise<void>): Promise<void> {
    const { setTimeout, clearTimeout } = globalThis;
    const set = (ring: () => void, delay = 0): number => {
      this.#timers.set(++this.#lastId, { at: this.now + delay, ring });
      return this.#lastId;
    };
    const clear = (id: number | undefined): void => {
      if (id !== undefined) this.#timers.delete(id);
    };
    // As far as our sources use them.
    globalThis.setTimeout = set as unknown as typeof setTimeout;
    globalThis.clearTimeout = clear as unknown as typeof clearTimeout;
    try {
      await body();
    } finally {
      globalThis.setTimeout = setTimeout;
      globalThis.clearTimeout = clearTimeout;
    }
  }

  /** Lets time pass, timer by timer. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = [...this.#timers].filter(([, { at }]) => at <= end)
        .sort(([, a], [, b]) => a.at - b.at)[0];
      if (next === undefined) break;
      const [id, { at, ring }] = next;
      this.#timers.delete(id);
      this.now = Math.max(this.now, at);
      ring();
    }
    this.now = end;
  }
}
