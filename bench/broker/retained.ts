/**
 * Retained messages: so many are stored, and then subscribers ask for all of them again and again.
 * Each subscription has to bring each message once.
 *
 * @module
 */

import process from "node:process";
import type { IncomingMessage } from "../../src/core/client/incoming_message.ts";
import { Histogram } from "./histogram.ts";
import type { LoadOptions } from "./load.ts";
import { Flusher, LoadClient, type LoadObserver } from "./load_client.ts";
import type { Report } from "./report.ts";
import { range } from "./scenario.ts";

const FILTER = "kept/#";
const WAIT_MS = 10_000;
const SLICE_MS = 100;

export async function runRetained(options: LoadOptions): Promise<Report> {
  const run = new RetainedRun(options);
  try {
    return await run.run();
  } finally {
    await run.close();
  }
}

/** One subscriber and what its present subscription has brought. */
interface Asking {
  readonly client: LoadClient;
  readonly seen: Uint8Array;
  count: number;
  askedAt: number;
  isAsking: boolean;
}

class RetainedRun implements LoadObserver {
  readonly #options: LoadOptions;
  readonly #flusher: Flusher = new Flusher();
  readonly #publisher: LoadClient;
  readonly #asking: Asking[];
  readonly #latency: Histogram = new Histogram();
  readonly #timeline: number[] = [];
  #failure: Error | undefined;
  #acknowledged = 0;
  #received = 0;
  #expected = 0;
  #duplicates = 0;
  #foreign = 0;
  #startedAt = 0;
  #lastAt = 0;
  #endsAt = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    const { publishers, subscribers } = options.scenario;
    this.#publisher = this.#client("publisher", -1);
    this.#asking = range(subscribers).map((index) => ({
      client: this.#client(`subscriber-${index}`, index),
      seen: new Uint8Array(publishers),
      count: 0,
      askedAt: 0,
      isAsking: false,
    }));
  }

  async run(): Promise<Report> {
    const { scenario, seconds, usage } = this.#options;
    await this.#publisher.connect();
    await this.#store(scenario.size);
    for (const { client } of this.#asking) await client.connect();
    const before = usage();
    const cpuBefore = process.cpuUsage();
    this.#startedAt = performance.now();
    this.#endsAt = this.#startedAt + seconds * 1000;
    for (const asking of this.#asking) this.#ask(asking);
    await this.#until(() => this.#asking.every(({ isAsking }) => !isAsking));
    const cpu = process.cpuUsage(cpuBefore);
    const after = usage();
    return {
      scenario: scenario.name,
      seconds: (this.#lastAt - this.#startedAt) / 1000,
      published: scenario.publishers,
      expected: this.#expected,
      received: this.#received,
      duplicates: this.#duplicates,
      reordered: 0,
      foreign: this.#foreign,
      unacknowledged: 0,
      refused: 0,
      latency: this.#latency,
      lateness: new Histogram(),
      timeline: this.#timeline,
      unit: "message",
      hasRate: false,
      // A slow reader is not at fault here: each subscriber asks for no more than it has read.
      mayLose: false,
      mayDuplicate: false,
      ...after === undefined || before === undefined ? {} : {
        brokerCpuSeconds: after.cpuSeconds - before.cpuSeconds,
        brokerResidentBytes: after.residentBytes,
      },
      generatorCpuSeconds: (cpu.user + cpu.system) / 1e6,
    };
  }

  /** Takes the messages back, so that a broker of somebody else's is left as it was. */
  async close(): Promise<void> {
    for (const { client } of this.#asking) client.abort();
    if (this.#publisher.engine.phase === "connected") {
      await this.#store(0).catch(() => {});
    }
    this.#publisher.close();
  }

  onMessage(client: LoadClient, message: IncomingMessage): void {
    const asking = this.#asking[client.index];
    const index = Number(message.topic.slice(FILTER.length - 1));
    if (asking === undefined || !message.retain || !(index < asking.seen.length)) {
      this.#foreign++;
      return;
    }
    if (asking.seen[index] === 1) {
      this.#duplicates++;
      return;
    }
    asking.seen[index] = 1;
    this.#received++;
    this.#lastAt = client.heardAt;
    this.#latency.add((client.heardAt - asking.askedAt) * 1000);
    const slice = Math.floor((client.heardAt - this.#startedAt) / SLICE_MS);
    while (this.#timeline.length <= slice) this.#timeline.push(0);
    this.#timeline[slice] = this.#timeline[slice]! + 1;
    if (++asking.count === asking.seen.length) client.requestUnsubscription([FILTER]);
  }

  onPublished(): void {
    this.#acknowledged++;
  }

  onUnsubscribed(client: LoadClient): void {
    const asking = this.#asking[client.index]!;
    asking.isAsking = false;
    if (performance.now() < this.#endsAt) this.#ask(asking);
  }

  onFailure(error: Error): void {
    this.#failure ??= error;
  }

  #client(name: string, index: number): LoadClient {
    return new LoadClient({
      target: this.#options.target,
      clientId: `bench-retained-${name}-${Math.random().toString(36).slice(2, 8)}`,
      observer: this,
      flusher: this.#flusher,
      inflightMax: this.#options.inflightMax,
      index,
    });
  }

  #ask(asking: Asking): void {
    asking.seen.fill(0);
    asking.count = 0;
    asking.isAsking = true;
    asking.askedAt = performance.now();
    this.#expected += asking.seen.length;
    asking.client.requestSubscription([FILTER], 0);
  }

  /** Stores all messages; those of no bytes delete. */
  async #store(size: number): Promise<void> {
    const { publishers } = this.#options.scenario;
    const payload = new Uint8Array(size);
    const { engine } = this.#publisher;
    this.#acknowledged = 0;
    for (let next = 0; next < publishers;) {
      const topic = FILTER.slice(0, -1) + next;
      const options = { qos: 1, retain: true } as const;
      if (engine.publish(topic, payload, options, performance.now()) >= 0) next++;
      else {
        this.#publisher.changed();
        const before = this.#acknowledged;
        await this.#until(() => this.#acknowledged > before);
      }
    }
    this.#publisher.changed();
    await this.#until(() => this.#acknowledged === publishers);
  }

  /** Waits for a condition, as long as anything happens at all. */
  async #until(isMet: () => boolean): Promise<void> {
    let seen = -1;
    let since = performance.now();
    while (!isMet()) {
      if (this.#failure !== undefined) throw this.#failure;
      const progress = this.#received + this.#acknowledged;
      const now = performance.now();
      if (progress !== seen) {
        seen = progress;
        since = now;
      } else if (now - since > WAIT_MS) {
        // What is missing is counted as lost.
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}
