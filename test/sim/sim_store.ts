// A disk that is slow, fails, and loses what was not committed when the broker's process dies. What
// is committed outlives any number of brokers. It answers by thenables that call at once when they
// settle, so that no promise has a say in the order of things.

import type { Change, StoredRecord } from "../../src/core/broker/change.ts";
import type { Delivery } from "../../src/core/session/delivery.ts";
import { MemoryStore } from "../../src/store/memory_store.ts";
import type { LoadLimits, Store } from "../../src/store/store.ts";
import type { Chance } from "./chance.ts";
import type { Scheduler } from "./scheduler.ts";

/** How bad the disk is; 0 is none of it. */
export interface Disk {
  readonly slowMsMax: number;
  readonly failingPerMille: number;
}

type Task<T> = () => T;

export class SimStore implements Store {
  disk: Disk;
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #memory: MemoryStore = new MemoryStore();
  /** What was asked of it and is not done. */
  #underway: readonly Change[] | undefined;

  constructor(scheduler: Scheduler, chance: Chance, disk: Disk) {
    this.#scheduler = scheduler;
    this.#chance = chance;
    this.disk = disk;
  }

  load(): Iterable<StoredRecord> {
    return this.#memory.load();
  }

  commit(changes: readonly Change[]): void | Promise<void> {
    this.#underway = changes;
    return this.#perform(() => {
      this.#underway = undefined;
      this.#memory.commit(changes);
    });
  }

  loadDeliveries(
    clientId: string,
    afterSequence: number,
    limits: LoadLimits,
  ): readonly Delivery[] | Promise<readonly Delivery[]> {
    return this.#perform(() => this.#memory.loadDeliveries(clientId, afterSequence, limits));
  }

  close(): void {}

  /** The process dies: what was under way has reached the disk, or has not. */
  crash(): void {
    const changes = this.#underway;
    this.#underway = undefined;
    if (changes !== undefined && this.#chance.happens(500)) this.#memory.commit(changes);
  }

  #perform<T>(task: Task<T>): T | Promise<T> {
    const { slowMsMax, failingPerMille } = this.disk;
    const fails = this.#chance.happens(failingPerMille);
    if (slowMsMax === 0 || this.#chance.happens(200)) {
      if (!fails) return task();
      this.#underway = undefined;
      throw new Error("Disk full");
    }
    const ms = this.#chance.below(slowMsMax);
    // As far as the driver uses it.
    const thenable = {
      then: (onDone: (value: T) => void, onFailed: (error: unknown) => void): void => {
        this.#scheduler.afterInProcess(ms, () => {
          if (!fails) return onDone(task());
          this.#underway = undefined;
          onFailed(new Error("Disk full"));
        });
      },
    };
    return thenable as unknown as Promise<T>;
  }
}
