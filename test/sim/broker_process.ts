// The broker as a process that can be killed and started again: the real driver around the real
// core, over what the disk has kept. Everything else in a simulated world outlives it. Where hosts
// hibernate, its memory may also go while its connections stay, and nobody must notice.

import type { BrokerCoreOptions } from "../../src/core/broker/state.ts";
import type { BrokerEvent } from "../../src/core/broker/event.ts";
import type { Hibernation, Sleeper } from "../../src/core/broker/hibernation.ts";
import type { Limits } from "../../src/core/broker/limits.ts";
import type { Policy } from "../../src/core/broker/question.ts";
import type { ListenerSettings } from "../../src/core/session/peer.ts";
import type { Judge } from "../../src/core/broker/reconfigure.ts";
import { HIBERNATION } from "../../src/core/broker/wake.ts";
import type { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { Writer } from "../../src/core/codec/writer.ts";
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
  readonly makeCore?: (options: BrokerCoreOptions, hibernation?: Hibernation) => WatchedCore;
  readonly limits?: Partial<Limits>;
  readonly policy?: (policy: Policy) => Policy;
}

/** What any broker of a world is made of. */
export interface BrokerParts {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly authority: Authority;
  readonly limits: Limits;
  readonly sabotage: Sabotage;
  readonly onEvent: (event: BrokerEvent) => void;
  readonly fail: (violation: Violation) => void;
}

/** The broker as the world sees it, wherever it runs. */
export interface SimBroker {
  /** While it is in memory. */
  readonly core: WatchedCore | undefined;
  /** Whether it takes connections. */
  readonly isUp: boolean;
  accept(connection: SimConnection): void;
  start(): void;
  /** Ends as it should; there is nobody who comes in any more. */
  stop(): void;
  /** Dies, with all that was only in memory. */
  kill(): void;
  /** Loses its memory, and nobody must notice; unless something is under way that sleep would lose. */
  sleep(): void;
  /** Reads its settings again, which have not changed, and judges everybody anew. */
  reload(judge: Judge): void;
  disconnect(clientId: string, reasonCode: ReasonCode): void;
  /** Its disk is well from now on. */
  calm(): void;
  /** What stands on its disk. */
  countRecords(): number;
  /** All that a step has brought about has been done. */
  turnOver?(): void;
  /** Puts its surroundings in place; call the result to take them away, when all is over. */
  install?(): () => void;
}

export interface ProcessOptions extends BrokerParts {
  readonly store: SimStore;
  readonly listener: ListenerSettings;
  readonly hibernates: boolean;
}

export class BrokerProcess implements SimBroker {
  core: WatchedCore | undefined;
  #driver: Driver | undefined;
  readonly #options: ProcessOptions;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.start();
  }

  get isUp(): boolean {
    return this.#driver !== undefined;
  }

  /** Starts with what the store has kept; whoever was connected is not any more. */
  start(): void {
    const { scheduler, store, listener } = this.#options;
    store.open();
    const core = this.#makeCore();
    core.restore(store.load(), scheduler.processNow, [listener]);
    this.#drive(core);
  }

  /** It wakes at once. */
  sleep(): void {
    const { scheduler, store, authority, listener } = this.#options;
    const before = this.core;
    if (before === undefined || before.hasChanges || before.hasOutputs || store.isBehind) return;
    const sleepers: Sleeper[] = [];
    for (const connection of before.connections) {
      const writer = new Writer(new Uint8Array(64));
      if (!before.snapshot(connection, writer, scheduler.processNow)) return;
      sleepers.push({
        peer: connection.peer,
        listener,
        snapshot: writer.bytes.slice(0, writer.length),
      });
    }
    scheduler.killProcess();
    authority.forgetQuestions();
    const core = this.#makeCore();
    core.wake(core.restore(store.load(), scheduler.processNow, [listener], sleepers));
    const driver = this.#drive(core);
    for (const { peer } of sleepers) {
      // Its peer is its transport; see `Driver.accept`.
      const connection = peer as SimConnection;
      connection.accepted(driver.accept(connection, listener));
    }
  }

  reload(judge: Judge): void {
    this.#driver?.configure(this.#settings());
    this.#driver?.recheck(judge);
  }

  #makeCore(): WatchedCore {
    const { chance, sabotage, hibernates } = this.#options;
    const make = sabotage.makeCore ?? ((...given) => new WatchedCore(...given));
    const random = chance.next;
    const options = { ...this.#settings(), random, keepsJournal: true, hibernates };
    return make(options, hibernates ? HIBERNATION : undefined);
  }

  /** Those of the plan unless it is broken. */
  #settings(): { readonly limits: Limits; readonly policy: Policy } {
    const { authority, limits, sabotage } = this.#options;
    const policy = sabotage.policy?.(authority) ?? authority;
    return { limits: { ...limits, ...sabotage.limits }, policy };
  }

  #drive(core: WatchedCore): Driver {
    const { scheduler, store, authority, hibernates, onEvent, fail } = this.#options;
    this.core = core;
    this.#driver = new Driver({
      core,
      host: {
        now: () => scheduler.processNow,
        defer: (flush) => void scheduler.afterInProcess(0, flush),
      },
      store,
      commitsAtOnce: hibernates,
      onEvent,
      ask: (question) => authority.ask(question),
      onError: (stage, error) => {
        // The authority fails now and then, as the world has it.
        if (stage === "question") return;
        const detail = error instanceof Error ? error.stack ?? error.message : String(error);
        fail(new Violation("internal", `${stage}: ${detail}`));
      },
    });
    return this.#driver;
  }

  accept(connection: SimConnection): void {
    if (this.#driver === undefined) connection.killServer(true);
    else connection.accepted(this.#driver.accept(connection, this.#options.listener));
  }

  stop(): void {
    const driver = this.#driver;
    this.#driver = undefined;
    driver?.stop();
  }

  disconnect(clientId: string, reasonCode: ReasonCode): void {
    this.#driver?.disconnect(clientId, reasonCode);
  }

  calm(): void {
    this.#options.store.health = { slowMsMax: 0, failingPerMille: 0 };
  }

  countRecords(): number {
    return [...this.#options.store.load()].length;
  }

  kill(): void {
    const { scheduler, store, authority } = this.#options;
    scheduler.killProcess();
    store.crash();
    authority.forgetQuestions();
    this.core = undefined;
    this.#driver = undefined;
  }
}
