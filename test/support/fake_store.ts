// A store that does as it is told: it commits at once, when the test says so, or fails. What it has
// committed is in memory, so a broker can be opened on it again.

import type { Change, StoredRecord } from "../../src/core/broker/change.ts";
import type { Delivery } from "../../src/core/session/delivery.ts";
import { MemoryStore } from "../../src/store/memory_store.ts";
import type { LoadLimits, Store } from "../../src/store/store.ts";

/** At once; with promises that the test keeps; or not at all. */
export type Manner = "prompt" | "slow" | "failing";

interface Call {
  readonly run: () => void;
  readonly reject: (error: unknown) => void;
}

export class FakeStore implements Store {
  manner: Manner = "prompt";
  /** How many changes each batch had that was tried, committed or not. */
  readonly tried: number[] = [];
  readonly memory: MemoryStore = new MemoryStore();
  readonly #waiting: Call[] = [];

  load(): Iterable<StoredRecord> {
    return this.memory.load();
  }

  commit(changes: readonly Change[]): void | Promise<void> {
    this.tried.push(changes.length);
    return this.#call(() => this.memory.commit(changes));
  }

  loadDeliveries(
    clientId: string,
    afterSequence: number,
    limits: LoadLimits,
  ): readonly Delivery[] | Promise<readonly Delivery[]> {
    return this.#call(() => this.memory.loadDeliveries(clientId, afterSequence, limits));
  }

  close(): void {}

  /** How many calls wait for an answer. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Does what was asked of it first. */
  answer(): void {
    this.#waiting.shift()!.run();
  }

  /** Fails at what was asked of it first. */
  refuse(): void {
    this.#waiting.shift()!.reject(new Error("Disk full"));
  }

  #call<T>(run: () => T): T | Promise<T> {
    if (this.manner === "failing") throw new Error("Disk full");
    if (this.manner === "prompt") return run();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ run: () => resolve(run()), reject });
    });
  }
}
