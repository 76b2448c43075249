/**
 * Those who wait for one thing to happen, each with a signal of its own. Nothing of one that has
 * gone is kept.
 *
 * @module
 */

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Waiters {
  readonly #waiters: Set<Waiter> = new Set();

  get size(): number {
    return this.#waiters.size;
  }

  /** Waits; rejects with the reason of the signal, which is not aborted yet. */
  wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener("abort", onAbort);
      };
      const waiter: Waiter = {
        resolve() {
          end();
          resolve();
        },
        reject(error) {
          end();
          reject(error);
        },
      };
      const onAbort = (): void => waiter.reject(signal!.reason);
      signal?.addEventListener("abort", onAbort);
      this.#waiters.add(waiter);
    });
  }

  /** It has happened. */
  resolve(): void {
    for (const waiter of [...this.#waiters]) waiter.resolve();
  }

  /** It will not happen. */
  reject(error: unknown): void {
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }
}
