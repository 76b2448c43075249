/**
 * Lets a few pieces of expensive work run at once, has a bounded number of others wait in order,
 * for a bounded time, and turns the rest away: what strangers can ask for must not pile up, and
 * what nobody waits for any more need not be done.
 *
 * @module
 */

import { RingQueue } from "../core/base/ring_queue.ts";

export interface WorkGateOptions {
  /** Pieces of work that run at one time. */
  readonly runningMax: number;
  /** Pieces that may wait for that. */
  readonly waitingMax: number;
  /** How long a piece may have waited when its turn comes; then it is not done. */
  readonly waitMsMax?: number;
  /** Milliseconds on a clock that never jumps. */
  readonly now?: () => number;
}

const WAIT_MS_MAX = 10_000;

export class WorkGate {
  readonly #options: WorkGateOptions;
  readonly #waiting: RingQueue<() => void> = new RingQueue();
  #running = 0;

  constructor(options: WorkGateOptions) {
    this.#options = options;
  }

  /** Does the work, now or in its turn; `undefined` when there is too much to do already. */
  async run<T>(work: () => Promise<T>): Promise<T | undefined> {
    const { runningMax, waitingMax, waitMsMax = WAIT_MS_MAX } = this.#options;
    if (this.#running < runningMax) {
      this.#running++;
    } else {
      if (this.#waiting.length >= waitingMax) return undefined;
      const since = this.#now();
      // Whoever has done his work leaves his place to the next, so that nobody slips in between.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      if (this.#now() - since > waitMsMax) {
        this.#leave();
        return undefined;
      }
    }
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now();
  }
}
