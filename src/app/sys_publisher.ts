/**
 * Keeps the `$SYS` topics up to date: the clock, the timer and the readings around `SysTopics`.
 *
 * @module
 */

import type { Config } from "../config/config.ts";
import { Alarm } from "../driver/alarm.ts";
import type { Host } from "../runtime/host.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { sysReadings } from "../telemetry/sys_readings.ts";
import { SysTopics } from "../telemetry/sys_topics.ts";
import type { Broker } from "./broker.ts";
import { NAME, VERSION } from "./version.ts";

export interface SysPublisherOptions {
  readonly runtime: Runtime;
  readonly host: Pick<Host, "memory">;
  readonly broker: Broker;
  readonly config: Config;
}

export class SysPublisher {
  readonly #options: SysPublisherOptions;
  readonly #alarm: Alarm;
  readonly #topics: SysTopics;

  constructor(options: SysPublisherOptions) {
    const { runtime, broker, config, host } = options;
    this.#options = options;
    this.#alarm = new Alarm(() => runtime.now(), () => this.#tick());
    this.#topics = new SysTopics({
      version: `${NAME} version ${VERSION}`,
      intervalSeconds: config.general.sysInterval,
      retains: config.general.retainAvailable,
      read: () => {
        const { gauges } = broker;
        return sysReadings(broker.counters, {
          ...gauges,
          connectedSessions: gauges.connected,
          waitingPackets: gauges.backlogPackets,
          waitingBytes: gauges.backlogBytes,
          heapBytes: host.memory().heapBytes,
        });
      },
      publish: (topic, payload, retain) => {
        broker.publish({ topic, payload, retain, qos: 2 });
      },
      hasReaders: () => broker.hasReaders("$SYS/"),
    }, runtime.now());
  }

  start(): void {
    this.#alarm.set(this.#topics.nextTick(this.#options.runtime.now(), Date.now()));
  }

  /** Somebody is about to look for the retained values. */
  refresh(): void {
    this.#topics.refresh();
  }

  /** The numbers of the last update by their topics. */
  systree(): readonly (readonly [string, number])[] {
    return Object.entries(this.#topics.systree());
  }

  configure({ general }: Config): void {
    this.#topics.configure({
      intervalSeconds: general.sysInterval,
      retains: general.retainAvailable,
    });
    this.#alarm.cancel();
    this.start();
  }

  stop(): void {
    this.#alarm.cancel();
  }

  #tick(): void {
    this.#topics.tick(this.#options.runtime.now());
    this.start();
  }
}
