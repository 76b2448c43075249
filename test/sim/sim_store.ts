// A disk that is slow, fails, and loses what was not committed when the broker's process dies. What
// is committed outlives any number of brokers. It answers by thenables that call at once when they
// settle, so that no promise has a say in the order of things.

import { assert } from "../../src/core/base/assert.ts";
import type { Change, StoredRecord } from "../../src/core/broker/change.ts";
import type { Delivery } from "../../src/core/session/delivery.ts";
import type { LoadLimits, Store } from "../../src/store/store.ts";
import type { Chance } from "./chance.ts";
import type { Scheduler } from "./scheduler.ts";

/** Where it keeps what is committed. */
export interface Disk {
  /** Instants have their meaning for any process, and not for one with the same clock only. */
  readonly keepsTime: boolean;
  /** Opens what is there, after a crash too. */
  open(scheduler: Scheduler): Store;
  release(): void;
}

/** How bad the disk is; 0 is none of it. */
export interface DiskHealth {
  readonly slowMsMax: number;
  readonly failingPerMille: number;
}

type Task<T> = () => T;

export class SimStore implements Store {
  health: DiskHealth;
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #disk: Disk;
  #kept!: Store;
  /** It was given changes that it has not committed, and will be given them again. */
  isBehind = false;
  /** What was asked of it and is not done. */
  #underway: readonly Change[] | undefined;

  constructor(scheduler: Scheduler, chance: Chance, disk: Disk, health: DiskHealth) {
    this.#scheduler = scheduler;
    this.#chance = chance;
    this.health = health;
    this.#disk = disk;
  }

  /** A process begins, with a clock of its own, and looks at what is there. */
  open(): void {
    if (this.#disk.keepsTime) this.#scheduler.processAhead = this.#chance.below(1_000_000_000);
    this.#kept = this.#disk.open(this.#scheduler);
  }

  load(): Iterable<StoredRecord> {
    return this.#kept.load();
  }

  commit(changes: readonly Change[]): void | Promise<void> {
    this.#underway = changes;
    this.isBehind = true;
    return this.#perform(() => {
      this.#underway = undefined;
      this.isBehind = false;
      this.#keep(changes);
    });
  }

  loadDeliveries(
    clientId: string,
    afterSequence: number,
    limits: LoadLimits,
  ): readonly Delivery[] | Promise<readonly Delivery[]> {
    return this.#perform(() => {
      const deliveries = this.#kept.loadDeliveries(clientId, afterSequence, limits);
      assert(!("then" in deliveries), "The store beneath answers at once");
      return deliveries;
    });
  }

  close(): void {}

  /** The process dies: what was under way has reached the disk, or has not. */
  crash(): void {
    const changes = this.#underway;
    this.#underway = undefined;
    this.isBehind = false;
    if (changes !== undefined && this.#chance.happens(500)) this.#keep(changes);
  }

  #keep(changes: readonly Change[]): void {
    assert(this.#kept.commit(changes) === undefined, "The store beneath answers at once");
  }

  #perform<T>(task: Task<T>): T | Promise<T> {
    const { slowMsMax, failingPerMille } = this.health;
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
