/**
 * Connections and nothing else: how fast the broker accepts them, and what each costs it in time
 * and memory while it stays.
 *
 * @module
 */

import process from "node:process";
import { Histogram } from "./histogram.ts";
import type { LoadOptions } from "./load.ts";
import { Flusher, LoadClient, type LoadObserver } from "./load_client.ts";
import type { Report } from "./report.ts";

const AT_ONCE = 64;
const SLICE_MS = 100;
/** How long all connections stay before memory is read. */
const HOLD_MS = 500;

export async function runConnections(options: LoadOptions): Promise<Report> {
  const { scenario, target, usage } = options;
  const { silent: count, connectRate } = scenario;
  const clients: LoadClient[] = [];
  const failures: Error[] = [];
  const observer: LoadObserver = {
    onMessage(): void {},
    onPublished(): void {},
    onUnsubscribed(): void {},
    onFailure: (error) => void failures.push(error),
  };
  const flusher = new Flusher();
  const latency = new Histogram();
  const lateness = new Histogram();
  const timeline: number[] = [];
  const prefix = `bench-connection-${Math.random().toString(36).slice(2, 8)}`;
  const before = usage();
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  let next = 0;
  let lastAt = start;
  const open = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      const clientId = `${prefix}-${index}`;
      const client = new LoadClient({ target, clientId, observer, flusher, inflightMax: 1 });
      clients.push(client);
      let dueAt = performance.now();
      if (connectRate > 0) {
        dueAt = start + index * 1000 / connectRate;
        const wait = dueAt - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        lateness.add((performance.now() - dueAt) * 1000);
      }
      await client.connect();
      lastAt = performance.now();
      latency.add((lastAt - dueAt) * 1000);
      const slice = Math.floor((lastAt - start) / SLICE_MS);
      while (timeline.length <= slice) timeline.push(0);
      timeline[slice] = timeline[slice]! + 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, open));
    await new Promise((resolve) => setTimeout(resolve, HOLD_MS));
    if (failures.length > 0) throw failures[0];
    const after = usage();
    const cpu = process.cpuUsage(cpuBefore);
    return {
      scenario: scenario.name,
      seconds: (lastAt - start) / 1000,
      published: count,
      expected: count,
      received: latency.total,
      duplicates: 0,
      reordered: 0,
      foreign: 0,
      unacknowledged: 0,
      refused: 0,
      latency,
      lateness,
      timeline,
      unit: "connection",
      hasRate: connectRate > 0,
      mayLose: false,
      mayDuplicate: false,
      ...after === undefined || before === undefined ? {} : {
        brokerCpuSeconds: after.cpuSeconds - before.cpuSeconds,
        brokerResidentBytes: after.residentBytes,
        bytesPerConnection: (after.residentBytes - before.residentBytes) / count,
      },
      generatorCpuSeconds: (cpu.user + cpu.system) / 1e6,
    };
  } finally {
    for (const client of clients) client.abort();
  }
}
