/**
 * What can be seen of a broker from outside: what `$SYS` says, and what Linux says of its process.
 * Where there is no `/proc`, memory and descriptors are unknown.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import { sleep } from "../support/wait.ts";
import { SoakClient } from "./soak_client.ts";

/** What must be as it was before, once everybody has gone. */
export interface Leftovers {
  readonly clients: number;
  readonly subscriptions: number;
  readonly retained: number;
  /** `undefined` where it cannot be known. */
  readonly descriptors: number | undefined;
}

const TOPICS = {
  clients: "$SYS/broker/clients/total",
  subscriptions: "$SYS/broker/subscriptions/count",
  retained: "$SYS/broker/retained messages/count",
} as const;
const UPTIME = "$SYS/broker/uptime";

/** So many seconds later all of `$SYS` has been told anew, when it is told every second. */
const FRESH_SECONDS = 2;

const DEADLINE_MS = 30_000;
const STEP_MS = 100;
const TICKS_PER_SECOND = 100;

export class Observation {
  readonly #processId: number;
  readonly #client: SoakClient;
  readonly #values: Map<string, number> = new Map();

  private constructor(processId: number, client: SoakClient) {
    this.#processId = processId;
    this.#client = client;
    client.onPublish = ({ topic, payload }) => {
      this.#values.set(topic, Number.parseInt(new TextDecoder().decode(payload)));
    };
  }

  /** Begins to look at a broker. */
  static async begin(port: number, processId: number): Promise<Observation> {
    const [client] = await SoakClient.connect(port, "observer");
    const observation = new Observation(processId, client);
    await client.subscribe([...Object.values(TOPICS), UPTIME]);
    await observation.#untilFresh();
    return observation;
  }

  get leftovers(): Leftovers {
    const value = (topic: string): number => this.#values.get(topic)!;
    return {
      clients: value(TOPICS.clients),
      subscriptions: value(TOPICS.subscriptions),
      retained: value(TOPICS.retained),
      descriptors: this.#descriptors(),
    };
  }

  /** Waits until these are as they were then, and gives up after a while; what all are then. */
  async settle(expected: Partial<Leftovers>): Promise<Leftovers> {
    await this.#untilFresh();
    const names = Object.keys(expected) as (keyof Leftovers)[];
    await this.#until(() => {
      const present = this.leftovers;
      return names.every((name) => present[name] === expected[name]);
    });
    return this.leftovers;
  }

  /** In bytes. */
  get residentBytes(): number | undefined {
    const kibibytes = /^VmRSS:\s+(\d+)/m.exec(this.#read("status"))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  }

  /**
   * Which part of a CPU the process takes while nobody wants anything: a timer that is left behind
   * rings on.
   */
  async idleShare(ms: number): Promise<number | undefined> {
    const before = this.#cpuSeconds();
    await sleep(ms);
    const after = this.#cpuSeconds();
    return before === undefined || after === undefined ? undefined : (after - before) * 1000 / ms;
  }

  end(): Promise<void> {
    return this.#client.leave();
  }

  /** Since the process began. */
  #cpuSeconds(): number | undefined {
    const fields = this.#read("stat").split(") ").at(-1)!.split(" ");
    if (fields.length < 13) return undefined;
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  #descriptors(): number | undefined {
    try {
      return readdirSync(`/proc/${this.#processId}/fd`).length;
    } catch {
      return undefined;
    }
  }

  #read(name: string): string {
    try {
      return readFileSync(`/proc/${this.#processId}/${name}`, "utf8");
    } catch {
      return "";
    }
  }

  /** Waits until what was true before has been told. */
  #untilFresh(): Promise<void> {
    const before = this.#values.get(UPTIME) ?? 0;
    return this.#until(() => (this.#values.get(UPTIME) ?? 0) >= before + FRESH_SECONDS);
  }

  async #until(condition: () => boolean): Promise<void> {
    const end = performance.now() + DEADLINE_MS;
    while (!condition() && performance.now() < end) await sleep(STEP_MS);
  }
}
