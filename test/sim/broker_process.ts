// The broker as a process that can be killed and started again: the real driver around the real
// core, over what the disk has kept. Everything else in a simulated world outlives it.

import type { BrokerCoreOptions } from "../../src/core/broker/state.ts";
import type { BrokerEvent } from "../../src/core/broker/event.ts";
import type { Limits } from "../../src/core/broker/limits.ts";
import type { Policy } from "../../src/core/broker/question.ts";
import { Driver } from "../../src/driver/driver.ts";
import type { Authority } from "./authority.ts";
import type { Chance } from "./chance.ts";
import { Violation } from "./model.ts";
import type { SimConnection } from "./network.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimStore } from "./sim_store.ts";
import { WatchedCore } from "./watched_core.ts";

/** What is broken on purpose; nothing unless a test says so. */
export interface Sabotage {
  readonly makeCore?: (options: BrokerCoreOptions) => WatchedCore;
  readonly limits?: Partial<Limits>;
  readonly policy?: (policy: Policy) => Policy;
}

export interface ProcessOptions {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly store: SimStore;
  readonly authority: Authority;
  readonly limits: Limits;
  readonly sabotage: Sabotage;
  readonly onEvent: (event: BrokerEvent) => void;
  readonly fail: (violation: Violation) => void;
}

export class BrokerProcess {
  core: WatchedCore | undefined;
  driver: Driver | undefined;
  readonly #options: ProcessOptions;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.start();
  }

  /** The limits that the broker was told, which are those of the plan unless it is broken. */
  start(): void {
    const { scheduler, chance, store, authority, limits, sabotage, onEvent, fail } = this.#options;
    const make = sabotage.makeCore ?? ((options) => new WatchedCore(options));
    const core = make({
      limits: { ...limits, ...sabotage.limits },
      random: chance.next,
      policy: sabotage.policy?.(authority) ?? authority,
      keepsJournal: true,
    });
    core.restore(store.load(), scheduler.now);
    this.core = core;
    this.driver = new Driver({
      core,
      host: {
        now: () => scheduler.now,
        defer: (flush) => void scheduler.afterInProcess(0, flush),
      },
      store,
      onEvent,
      ask: (question) => authority.ask(question),
      onError: (stage, error) => {
        // The authority fails now and then, as the world has it.
        if (stage === "question") return;
        const detail = error instanceof Error ? error.stack ?? error.message : String(error);
        fail(new Violation("internal", `${stage}: ${detail}`));
      },
    });
  }

  accept(connection: SimConnection): void {
    if (this.driver === undefined) connection.killServer(true);
    else connection.accepted(this.driver.accept(connection));
  }

  /** The process dies, with all that was only in memory. */
  kill(): void {
    const { scheduler, store, authority } = this.#options;
    scheduler.killProcess();
    store.crash();
    authority.forgetQuestions();
    this.core = undefined;
    this.driver = undefined;
  }
}
