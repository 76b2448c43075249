// One simulated world, run from its plan to its end: first with faults, then without until everybody
// is at rest, then until everybody has gone. Nothing in it knows the real time or real chance, so
// the same plan always takes the same course, on every runtime.

import type { BrokerEvent } from "../../src/core/broker/event.ts";
import { DEFAULT_LISTENER, type Limits } from "../../src/core/broker/limits.ts";
import { Authority } from "./authority.ts";
import { BrokerProcess, type Sabotage, type SimBroker } from "./broker_process.ts";
import { Chance } from "./chance.ts";
import { checkLimits } from "./checkers/limits.ts";
import { AUDITOR, drawCharacter } from "./character.ts";
import { EdgeBroker } from "./edge_broker.ts";
import { recover, startFaults } from "./faults.ts";
import { Model, Violation } from "./model.ts";
import { type ClientEnd, SimConnection, type Weather } from "./network.ts";
import { type Fault, LASTING_SECONDS, limitsOf, MOUNT_POINT, type Plan } from "./plan.ts";
import { Scheduler } from "./scheduler.ts";
import { type ClientWorld, SimClient } from "./sim_client.ts";
import { type Disk, SimStore } from "./sim_store.ts";

/** An event of the broker and when it was. */
export interface Witnessed {
  readonly step: number;
  readonly now: number;
  readonly event: BrokerEvent;
}

/** When the broker's process was killed, or the clock went on by itself. */
export interface Upheaval {
  readonly kind: "crash" | "jump";
  readonly step: number;
  readonly now: number;
}

export class World implements ClientWorld {
  readonly plan: Plan;
  readonly scheduler: Scheduler = new Scheduler();
  readonly model: Model = new Model();
  readonly limits: Limits;
  readonly authority: Authority;
  readonly broker: SimBroker;
  readonly auditor: SimClient;
  readonly clients: SimClient[] = [];
  readonly connections: Set<SimConnection> = new Set();
  /** Those of clients without manners. */
  readonly rude: Set<SimConnection> = new Set();
  readonly events: Witnessed[] = [];
  readonly upheavals: Upheaval[] = [];
  isSettling = false;
  /** What went wrong first. */
  violation: Violation | undefined;
  readonly #weather: Weather;
  #dialled = 0;
  readonly #dialledBy: Map<string, number> = new Map();

  constructor(plan: Plan, disk: Disk, sabotage: Sabotage = {}) {
    this.plan = plan;
    const { seed } = plan;
    const chance = new Chance(seed, "world");
    this.limits = limitsOf(plan);
    this.#weather = {
      delayMsMax: this.has("delay") ? chance.pick([20, 200, 1000]) : 3,
      splitPerMille: this.has("split") ? chance.pick([100, 500, 900]) : 0,
      windowBytes: chance.pick([300, 4000, 100_000]),
    };
    const mountPoint = this.has("mount") && !this.has("edge") ? MOUNT_POINT : "";
    this.authority = new Authority(this.scheduler, seed, {
      asksPerMille: this.has("ask") ? chance.pick([50, 500]) : 0,
      contradictsPerMille: this.has("contradict") ? 100 : 0,
    }, mountPoint);
    const health = {
      slowMsMax: this.has("slow-store") ? chance.pick([5, 100, 1000]) : 0,
      failingPerMille: this.has("failing-store") ? chance.pick([50, 500]) : 0,
    };
    const parts = {
      scheduler: this.scheduler,
      chance: new Chance(seed, "broker"),
      authority: this.authority,
      limits: this.limits,
      sabotage,
      onEvent: (event: BrokerEvent) => this.#witness(event),
      fail: (violation: Violation) => this.fail(violation),
    };
    const storeChance = new Chance(seed, "store");
    this.broker = this.has("edge")
      ? new EdgeBroker(parts, storeChance, health)
      : new BrokerProcess({
        ...parts,
        store: new SimStore(this.scheduler, storeChance, disk, health),
        hibernates: this.has("hibernate"),
        listener: { ...DEFAULT_LISTENER, mountPoint },
      });
    this.auditor = new SimClient("c-auditor", AUDITOR, new Chance(seed, "auditor"), this);
    for (const number of plan.clients) {
      const own = new Chance(seed, `client ${number}`);
      const character = drawCharacter(number, own, plan);
      this.clients.push(new SimClient(`c${number}`, character, own, this));
    }
  }

  has(fault: Fault): boolean {
    return this.plan.faults.includes(fault);
  }

  fail(violation: Violation): void {
    this.violation ??= violation;
  }

  dial(clientId: string, end: ClientEnd): SimConnection {
    const number = ++this.#dialled;
    const ordinal = (this.#dialledBy.get(clientId) ?? 0) + 1;
    this.#dialledBy.set(clientId, ordinal);
    const chance = new Chance(this.plan.seed, `connection ${clientId} ${ordinal}`);
    const connection = new SimConnection(number, this.scheduler, chance, this.#weather, end);
    this.connections.add(connection);
    const delay = chance.below(this.#weather.delayMsMax + 1);
    this.scheduler.after(delay, () => this.broker.accept(connection));
    return connection;
  }

  /** From the first connection up to where everybody is at rest. */
  async runUntilRest(): Promise<void> {
    const { plan } = this;
    // Who watches for Wills must be there before the first of them.
    this.auditor.start(0);
    while (!this.#isWatched && this.violation === undefined) await this.#runFor(100);
    plan.clients.forEach((number, i) => this.clients[i]!.start(20 * number));
    startFaults(this);
    await this.#runFor(plan.safetyMs);
    this.#settle();
    await this.#runUntilQuiet(REST_MS_MAX);
    if (!this.#isQuiet) {
      this.fail(new Violation("liveness", `Not at rest in the end: ${this.#restless()}`));
    }
  }

  /** A client that has seen nothing asks what is retained. */
  async audit(): Promise<void> {
    this.auditor.subscribe({
      filter: "r/#",
      qos: 2,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
    });
    await this.#runUntilQuiet(AUDIT_MS_MAX);
  }

  /** Everybody leaves, and takes everything along. */
  async runUntilGone(): Promise<void> {
    this.authority.pardon();
    await this.#clearRetained();
    for (const client of this.clients) client.leave();
    await this.#runFor(LEAVE_MS);
    this.auditor.leave();
    await this.#runFor(LEAVE_MS);
    // What nobody comes back for ends by itself.
    this.scheduler.jump(LASTING_SECONDS * 1000);
    await this.#runFor(LEAVE_MS);
  }

  get #isWatched(): boolean {
    const subscriptions = this.model.current.get(this.auditor.clientId)?.subscriptions ?? [];
    return subscriptions.some(({ since }) => since !== Infinity);
  }

  /** The auditor looks at all there is, and removes it. */
  async #clearRetained(): Promise<void> {
    const all = { filter: "#", qos: 0, retainHandling: 0 } as const;
    this.auditor.subscribe({ ...all, noLocal: true, retainAsPublished: false });
    await this.#runUntilQuiet(AUDIT_MS_MAX);
    const receipts = this.model.current.get(this.auditor.clientId)?.receipts ?? [];
    const topics = new Set(receipts.filter(({ retain }) => retain).map(({ topic }) => topic));
    for (const topic of topics) this.auditor.clear(topic);
    await this.#runUntilQuiet(AUDIT_MS_MAX);
  }

  #settle(): void {
    this.isSettling = true;
    this.authority.temper = { asksPerMille: 0, contradictsPerMille: 0 };
    this.#weather.delayMsMax = Math.min(this.#weather.delayMsMax, CALM_DELAY_MS);
    recover(this);
    this.broker.calm();
    for (const connection of this.rude) connection.end();
    for (const connection of this.connections) connection.heal();
    for (const client of [this.auditor, ...this.clients]) client.settle();
  }

  get #isQuiet(): boolean {
    const { core } = this.broker;
    return this.authority.openQuestions === 0 && core !== undefined && !core.hasChanges &&
      this.auditor.isAtRest &&
      this.clients.every((client) => client.isAtRest) &&
      [...core.connections].every(({ session }) =>
        session === undefined || (session.queue.length === 0 && session.owedRetained.size === 0)
      );
  }

  #restless(): string {
    const restless = this.clients.filter((client) => !client.isAtRest);
    return restless.map(({ clientId, engine }) =>
      `${clientId} is ${engine.phase} with ${engine.inflightCount} in flight and ` +
      `${engine.requestCount} requests`
    ).join(", ") || "the broker or the store";
  }

  /** Runs until nothing has been said for a while that matters. */
  async #runUntilQuiet(msMax: number): Promise<void> {
    const end = this.scheduler.now + msMax;
    // A store that failed is tried again after ten seconds at the latest.
    const quietMs = this.has("failing-store") ? 12_000 : 3000;
    let receipts = -1;
    let quietSince = this.scheduler.now;
    while (this.scheduler.now < end && this.violation === undefined) {
      await this.#runFor(250);
      const now = this.#receiptCount();
      if (!this.#isQuiet || now !== receipts) quietSince = this.scheduler.now;
      receipts = now;
      if (this.scheduler.now - quietSince >= quietMs) return;
    }
  }

  #receiptCount(): number {
    return this.model.sessions.reduce((sum, { receipts }) => sum + receipts.length, 0);
  }

  async #runFor(ms: number): Promise<void> {
    const { scheduler, authority } = this;
    const end = scheduler.now + ms;
    let since = scheduler.step;
    for (let { now } = scheduler; this.violation === undefined && scheduler.runNext(end);) {
      if (scheduler.now > now) since = scheduler.step;
      now = scheduler.now;
      if (scheduler.step - since > STEPS_AT_ONCE_MAX) {
        this.fail(new Violation("liveness", "There is no end to what happens at one moment"));
      }
      this.violation ??= checkLimits(this);
      // What was answered is heard of now.
      if (authority.hasAnswered || authority.openQuestions > 0 || this.has("edge")) {
        await this.#hear();
      }
      this.broker.turnOver?.();
    }
    scheduler.now = Math.max(scheduler.now, end);
  }

  async #hear(): Promise<void> {
    this.authority.hasAnswered = false;
    for (let i = 0; i < PROMISE_TICKS; i++) await Promise.resolve();
  }

  #witness(event: BrokerEvent): void {
    this.events.push({ step: this.scheduler.step, now: this.scheduler.now, event });
  }
}

const REST_MS_MAX = 300_000;
const CALM_DELAY_MS = 20;
const AUDIT_MS_MAX = 30_000;
const LEAVE_MS = 15_000;
/** More than happens where everything ends. */
const STEPS_AT_ONCE_MAX = 100_000;
/** More than the driver needs for an answer to reach the core. */
const PROMISE_TICKS = 8;
