/**
 * Lets a few pieces of expensive work run at once, has a bounded number of others wait in order,
 * and turns the rest away at once: what strangers can ask for must not pile up.
 *
 * @module
 */

import { RingQueue } from "../core/base/ring_queue.ts";

export interface WorkGateOptions {
  /** Pieces of work that run at one time. */
  readonly runningMax: number;
  /** Pieces that may wait for that. */
  readonly waitingMax: number;
}

export class WorkGate {
  readonly #options: WorkGateOptions;
  readonly #waiting: RingQueue<() => void> = new RingQueue();
  #running = 0;

  constructor(options: WorkGateOptions) {
    this.#options = options;
  }

  /** Does the work, now or in its turn; `undefined` when there is too much to do already. */
  run<T>(work: () => Promise<T>): Promise<T> | undefined {
    if (this.#running < this.#options.runningMax) {
      this.#running++;
      return this.#finish(work);
    }
    if (this.#waiting.length >= this.#options.waitingMax) return undefined;
    return new Promise<void>((resolve) => this.#waiting.push(resolve))
      .then(() => this.#finish(work));
  }

  async #finish<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      // The place goes to the next in line; nobody who comes now can take it.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
