// The broker as the edge has it: the real object of the Worker, on a host that forgets it whenever
// it may. It has no listeners, and nobody tells it to stop: a host just dies.

import { BrokerObject, type Decider } from "../../src/runtime/workers/broker_object.ts";
import type { ObjectState } from "../../src/runtime/workers/workers_api.ts";
import type { BrokerParts, SimBroker } from "./broker_process.ts";
import type { Chance } from "./chance.ts";
import { EdgeHost } from "./edge_host.ts";
import { Violation } from "./model.ts";
import type { SimConnection } from "./network.ts";
import type { DiskHealth } from "./sim_store.ts";
import { WatchedCore } from "./watched_core.ts";

const BINDINGS = { MIDGE_LOG_TYPE: "none" };

export class EdgeBroker implements SimBroker {
  core: WatchedCore | undefined;
  isUp = true;
  readonly #parts: BrokerParts;
  readonly #host: EdgeHost;

  constructor(parts: BrokerParts, chance: Chance, health: DiskHealth) {
    this.#parts = parts;
    this.#host = new EdgeHost(parts.scheduler, chance, (state) => this.#make(state), health);
  }

  accept(connection: SimConnection): void {
    if (this.isUp) this.#host.connect(connection);
    else connection.killServer(true);
  }

  start(): void {
    this.isUp = true;
    this.#host.recover();
  }

  stop(): void {
    this.isUp = false;
  }

  kill(): void {
    this.isUp = false;
    this.#parts.scheduler.killProcess();
    this.#host.die();
    this.#forget();
  }

  sleep(): void {
    if (!this.#host.mayRest) return;
    this.#host.forget();
    this.#forget();
  }

  reload(): void {}

  disconnect(): void {}

  calm(): void {
    this.#host.health = { slowMsMax: 0, failingPerMille: 0 };
    this.#host.recover();
  }

  countRecords(): number {
    return this.#host.countRecords();
  }

  turnOver(): void {
    this.#host.turnOver();
  }

  install(): () => void {
    const leave = this.#host.install();
    const { error } = console;
    console.error = (text: string) => {
      // The authority fails now and then, as the world has it.
      if (!text.startsWith("Error: question")) this.#parts.fail(new Violation("internal", text));
    };
    return () => {
      console.error = error;
      leave();
      this.#host.release();
    };
  }

  #forget(): void {
    this.core = undefined;
    this.#parts.authority.forgetQuestions();
  }

  #make(state: object): BrokerObject {
    const { limits, sabotage, chance, onEvent } = this.#parts;
    const make = sabotage.makeCore ?? ((...given) => new WatchedCore(...given));
    // As much of a host as an object needs.
    return new BrokerObject(state as ObjectState, BINDINGS, {
      limits: { ...limits, ...sabotage.limits },
      decider: this.#decider(),
      makeCore: (options, hibernation) =>
        this.core = make({ ...options, random: chance.next }, hibernation),
      onEvent: (event) => {
        if (!("peer" in event)) return onEvent(event);
        const { peer } = event;
        onEvent({ ...event, peer: { ...peer, remotePort: Number(peer.remoteAddress) } });
      },
    });
  }

  #decider(): Decider {
    const { authority, sabotage } = this.#parts;
    if (sabotage.policy === undefined) return authority;
    const ask = authority.ask.bind(authority);
    return Object.assign(sabotage.policy(authority), { ask });
  }
}
