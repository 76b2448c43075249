/**
 * Brings the broker's changes to a store, one batch at a time: everything that was recorded since
 * the last batch, by whichever connections, becomes durable together. Who may be told of it is
 * decided by two numbers: the last change that is durable, and the last one that is on its way.
 *
 * A store that fails is tried again, the same batch first, at growing intervals. Meanwhile nothing
 * is acknowledged that depends on it, and the broker stops reading once too much has gathered.
 *
 * @module
 */

import type { BrokerCore } from "../core/broker/broker_core.ts";
import type { BrokerEvent } from "../core/broker/event.ts";
import type { Batch } from "../core/broker/journal.ts";
import type { Load } from "../core/broker/state.ts";
import type { Delivery } from "../core/session/delivery.ts";
import type { Store } from "../store/store.ts";

/** How long changes may stay in memory for which nobody waits. */
const LAZY_MS = 50;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 10_000;
/** After a batch of so many changes the next ones gather while they come: some are over by then. */
const GATHER_CHANGES_MIN = 256;
/** None have come for so long: whoever publishes waits for us now. */
const GATHER_PAUSE_MS = 1;
const GATHER_PAUSES_MAX = 30;
/** A store that has not answered by then is said to fail. */
const PATIENCE_MS = 10_000;

type Timer = ReturnType<typeof setTimeout>;

export interface CommitsOptions {
  readonly core: BrokerCore;
  readonly store: Store;
  /** Commits every change with its turn, whether or not somebody waits for it. */
  readonly isEager: boolean;
  /** Ends a turn, because something is durable, or should be, while there is none to be ended. */
  readonly endTurn: () => void;
  readonly onLoaded: (load: Load, deliveries: readonly Delivery[]) => void;
  readonly report: (event: BrokerEvent) => void;
}

export class Commits {
  /** The number of the last change that is durable. */
  durable = 0;
  /** The number of the last change that is durable or on its way. */
  underway = 0;
  readonly #options: CommitsOptions;
  /** What the store was given and has not committed. */
  #batch: Batch | undefined;
  /** It is working on that. */
  #isBusy = false;
  /** The core has yet to be told what is durable. */
  #isUntold = false;
  #isForced = false;
  #isFailing = false;
  #isStopped = false;
  #loads: Load[] = [];
  #retryMs = RETRY_MS_MIN;
  #retry: Timer | undefined;
  #lazy: Timer | undefined;
  #patience: Timer | undefined;
  #gathering: Timer | undefined;
  #onIdle: (() => void) | undefined;

  constructor(options: CommitsOptions) {
    this.#options = options;
  }

  /** Has all changes committed for which somebody waits; a turn begins to end with this. */
  begin(): void {
    const { core } = this.#options;
    if (this.#isBusy || this.#isUntold || this.#isStopped || this.#retry !== undefined) return;
    if (this.#batch === undefined && this.#isDue) {
      if (this.#gathering !== undefined && !this.#isForced) return;
      this.#batch = core.takeChanges();
      this.underway = this.#batch.upTo;
    }
    this.#isForced = false;
    if (this.#batch !== undefined) this.#commit(this.#batch);
  }

  /**
   * Tells the core what has become durable, and reads what it asks for; a turn ends with this, when
   * all that was waiting has left.
   *
   * @returns whether there is something to begin with.
   */
  settle(loads: readonly Load[], now: number): boolean {
    const { core } = this.#options;
    if (loads.length > 0) this.#loads.push(...loads);
    try {
      if (this.#isUntold) core.committed(now);
    } finally {
      this.#isUntold = false;
      if (this.#loads.length > 0) this.#load();
    }
    const isFree = !this.#isBusy && this.#retry === undefined;
    if (isFree && !core.hasChanges) this.#onIdle?.();
    const mayWait = core.hasChanges && !this.#isDue && !this.#isStopped;
    if (isFree && mayWait) this.#lazy ??= this.#ring(LAZY_MS, "lazy");
    return isFree && !this.#isStopped && this.#isDue && this.#gathering === undefined;
  }

  /** Commits all there is; whether that was possible within the time given. */
  async finish(timeoutMs: number): Promise<boolean> {
    let limit: Timer | undefined;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      limit = setTimeout(resolve, timeoutMs);
      this.#force();
    });
    this.#isStopped = true;
    for (const timer of [limit, this.#retry, this.#lazy, this.#patience, this.#gathering]) {
      clearTimeout(timer);
    }
    return this.#batch === undefined && !this.#options.core.hasChanges;
  }

  /** Has everything committed, whether or not somebody waits for it. */
  #force(): void {
    this.#isForced = true;
    this.#options.endTurn();
  }

  get #isDue(): boolean {
    const { core } = this.#options;
    return core.isCommitDue || ((this.#isForced || this.#options.isEager) && core.hasChanges);
  }

  #commit({ changes }: Batch): void {
    try {
      const result = changes.length === 0 ? undefined : this.#options.store.commit(changes);
      if (result === undefined) {
        this.#succeed();
        return;
      }
      this.#isBusy = true;
      this.#patience ??= this.#ring(PATIENCE_MS, "patience");
      result.then(() => {
        this.#isBusy = false;
        this.#succeed();
        this.#options.endTurn();
      }, (error) => {
        this.#isBusy = false;
        this.#fail(error);
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  #succeed(): void {
    const isLarge = this.#batch!.changes.length >= GATHER_CHANGES_MIN;
    if (isLarge && !this.#options.isEager) this.#gather(1);
    this.#batch = undefined;
    this.durable = this.underway;
    this.#isUntold = true;
    this.#retryMs = RETRY_MS_MIN;
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#options.report({ kind: "store-recovered" });
  }

  /** Lets changes gather until none come any more, or for long enough. */
  #gather(pauses: number): void {
    const { core, endTurn } = this.#options;
    const { changeActivity } = core;
    clearTimeout(this.#gathering);
    this.#gathering = setTimeout(() => {
      if (core.changeActivity !== changeActivity && pauses < GATHER_PAUSES_MAX) {
        this.#gather(pauses + 1);
      } else {
        this.#gathering = undefined;
        endTurn();
      }
    }, GATHER_PAUSE_MS);
  }

  #fail(error: unknown): void {
    this.#complain(error instanceof Error ? error.message : String(error));
    if (this.#isStopped || this.#retry !== undefined) return;
    this.#retry = this.#ring(this.#retryMs, "retry");
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
  }

  #complain(detail: string): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#options.report({ kind: "store-failing", detail });
  }

  /** Reads what the store has of all that was asked for. */
  #load(): void {
    const loads = this.#loads;
    this.#loads = [];
    for (const load of loads) {
      if (load.awaitedChange > this.durable || this.#retry !== undefined) this.#loads.push(load);
      else this.#loadOne(load);
    }
  }

  #loadOne(load: Load): void {
    const { store, onLoaded } = this.#options;
    const failed = (error: unknown): void => {
      this.#loads.push(load);
      this.#fail(error);
    };
    try {
      const deliveries = store.loadDeliveries(load.clientId, load.afterSequence, load);
      if ("then" in deliveries) {
        deliveries.then((loaded) => {
          onLoaded(load, loaded);
          this.#options.endTurn();
        }, failed);
      } else {
        onLoaded(load, deliveries);
      }
    } catch (error) {
      failed(error);
    }
  }

  /** Rings once, and then sees what there is to do. */
  #ring(ms: number, reason: "lazy" | "retry" | "patience"): Timer {
    const batch = this.#batch;
    return setTimeout(() => {
      switch (reason) {
        case "lazy":
          this.#lazy = undefined;
          if (this.#options.core.hasChanges) this.#force();
          return;
        case "retry":
          this.#retry = undefined;
          this.#force();
          return;
        case "patience":
          this.#patience = undefined;
          if (!this.#isBusy) return;
          if (batch === this.#batch) this.#complain("It has not answered for long");
          else this.#patience = this.#ring(PATIENCE_MS, "patience");
      }
    }, ms);
  }
}
