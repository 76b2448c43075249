/**
 * The `$SYS` topics: what the broker tells its own clients about itself. When to update is said by
 * `nextTick`, but the timer and both clocks are the caller's; the topics are in sys_metrics.ts.
 *
 * The idea: numbers are read at every update, since maxima and loads need them, but topics are
 * formatted and published only while somebody could read them. Who subscribes after that finds the
 * retained values that the last update would have left, because `refresh` makes them just then.
 *
 * @module
 */

import { LOAD_PERIODS, LoadAverage } from "./load_average.ts";
import { SYS_LOADS, SYS_METRICS, SYS_PREFIX } from "./sys_metrics.ts";
import type { SysReadings } from "./sys_readings.ts";

/** How {@linkcode SysTopics} are made. */
export interface SysTopicsOptions {
  /** The payload of `$SYS/broker/version`: name and version of the broker. */
  readonly version: string;
  /** Seconds between two updates, at multiples of that many on the wall clock; 0: never. */
  readonly intervalSeconds: number;
  /** Whether retained messages are to be had. */
  readonly retains: boolean;
  read(): SysReadings;
  /** Publishes with QoS 2 as the broker. */
  publish(topic: string, payload: Uint8Array, retain: boolean): void;
  /** Whether a subscription could match one of the topics. */
  hasReaders(): boolean;
}

/**
 * A timer may ring a little before the wall clock gets there: what is due again so soon after an
 * update was meant by it.
 */
const EARLY_MS_MAX = 250;

/** A load that moves by less is not told again. */
const LOAD_STEP = 0.01;

export class SysTopics {
  readonly #options: SysTopicsOptions;
  readonly #encoder = new TextEncoder();
  readonly #startedAt: number;
  #intervalMs: number;
  #retains: boolean;
  #updatedAt: number;
  #readings: SysReadings;
  readonly #maxima: number[] = SYS_METRICS.map(() => 0);
  readonly #loads: readonly LoadAverage[];
  /** By topic, what was published last. */
  readonly #published: Map<string, number | string> = new Map();

  /** Makes the first update. @param now milliseconds on the clock that never jumps. */
  constructor(options: SysTopicsOptions, now: number) {
    this.#options = options;
    this.#intervalMs = options.intervalSeconds * 1000;
    this.#retains = options.retains;
    this.#startedAt = now;
    this.#updatedAt = now;
    this.#readings = this.#read();
    this.#loads = SYS_LOADS.map((load) => new LoadAverage(load.value(this.#readings)));
    this.#publishIfRead();
  }

  /** The instant of the next update on the clock of `now`; `Infinity` when there will be none. */
  nextTick(now: number, wallMs: number): number {
    if (this.#intervalMs === 0) return Infinity;
    const due = now + this.#intervalMs - wallMs % this.#intervalMs;
    return due - this.#updatedAt < EARLY_MS_MAX ? due + this.#intervalMs : due;
  }

  /** Reads the numbers, and publishes what has changed if somebody could read it. */
  tick(now: number): void {
    if (this.#intervalMs === 0) return;
    const seconds = (now - this.#updatedAt) / 1000;
    this.#updatedAt = now;
    this.#readings = this.#read();
    for (const [index, load] of SYS_LOADS.entries()) {
      this.#loads[index]!.sample(load.value(this.#readings), seconds);
    }
    this.#publishIfRead();
  }

  /**
   * Brings the retained messages up to the last update; to be called before a new subscription to
   * them looks for what is retained. It costs hardly anything when they are.
   */
  refresh(): void {
    // Without retained messages it would only tell others, out of turn.
    if (this.#intervalMs > 0 && this.#retains) this.#publishChanges();
  }

  /** Uses other settings from now on; the caller asks for `nextTick` again. */
  configure(settings: { readonly intervalSeconds: number; readonly retains: boolean }): void {
    this.#intervalMs = settings.intervalSeconds * 1000;
    // What was only sent is not there to be found.
    if (settings.retains && !this.#retains) this.#published.clear();
    this.#retains = settings.retains;
  }

  /** The numbers of the last update by their whole topics, without loads and deprecated names. */
  systree(): Record<string, number> {
    const tree: Record<string, number> = { [`${SYS_PREFIX}uptime`]: this.#uptime() };
    for (const [index, { topic }] of SYS_METRICS.entries()) {
      tree[SYS_PREFIX + topic] = this.#value(index);
    }
    return tree;
  }

  #read(): SysReadings {
    const readings = this.#options.read();
    for (const [index, metric] of SYS_METRICS.entries()) {
      const value = metric.value(readings);
      if (value > this.#maxima[index]!) this.#maxima[index] = value;
    }
    return readings;
  }

  #value(index: number): number {
    const metric = SYS_METRICS[index]!;
    return metric.isMaximum ? this.#maxima[index]! : metric.value(this.#readings);
  }

  #uptime(): number {
    return Math.floor((this.#updatedAt - this.#startedAt) / 1000);
  }

  #publishIfRead(): void {
    if (this.#intervalMs > 0 && this.#options.hasReaders()) this.#publishChanges();
  }

  #publishChanges(): void {
    this.#tell("version", this.#options.version, this.#options.version);
    const uptime = this.#uptime();
    this.#tell("uptime", uptime, `${uptime} seconds`);
    for (const [index, { topic, alias }] of SYS_METRICS.entries()) {
      const value = this.#value(index);
      this.#tell(topic, value, value);
      if (alias !== undefined) this.#tell(alias, value, value);
    }
    for (const [index, { what }] of SYS_LOADS.entries()) {
      for (const [period, { name }] of LOAD_PERIODS.entries()) {
        const value = this.#loads[index]!.perMinute(period);
        const topic = `load/${what}/${name}`;
        const before = this.#published.get(topic);
        if (typeof before === "number" && Math.abs(value - before) < LOAD_STEP) continue;
        this.#tell(topic, value, value.toFixed(2));
      }
    }
  }

  #tell(topic: string, value: number | string, text: number | string): void {
    if (this.#published.get(topic) === value) return;
    this.#published.set(topic, value);
    const payload = this.#encoder.encode(`${text}`);
    this.#options.publish(SYS_PREFIX + topic, payload, this.#retains);
  }
}
