/**
 * How long a broker takes to have everything back: a million retained messages and a hundred thousand
 * sessions with a subscription each, from a database that is made for it and removed again.
 *
 *     deno run -A bench/store/start_bench.ts [thousands of retained messages] [of sessions]
 *
 * @module
 */

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { prng } from "../../src/core/base/prng.ts";
import { BrokerCore } from "../../src/core/broker/broker_core.ts";
import type { Change } from "../../src/core/broker/change.ts";
import { DEFAULT_LIMITS } from "../../src/core/broker/limits.ts";
import { openDatabase } from "../../src/runtime/node/sqlite.ts";
import { SqliteStore } from "../../src/store/sqlite_store.ts";
import { messageOf } from "../../test/support/random_changes.ts";

const PER_BATCH = 10_000;
const PAYLOAD = new Uint8Array(64).fill(7);
const MEBIBYTE = 1024 * 1024;

const retained = Number(process.argv[2] ?? 1000) * 1000;
const sessions = Number(process.argv[3] ?? 100) * 1000;
const clocks = { now: () => performance.now(), wallClock: () => Date.now() };

/** A fleet: devices with a few values each. */
const topicOf = (index: number): string =>
  `fleet/region${index % 10}/site${index % 1000}/device${index >> 2}/value${index & 3}`;

async function make(path: string): Promise<void> {
  const database = await openDatabase({ path, sync: "normal" });
  const store = new SqliteStore({ database, path, clocks });
  for (let index = 0; index < retained; index += PER_BATCH) {
    store.commit(Array.from({ length: PER_BATCH }, (_, offset): Change => {
      const number = index + offset;
      const message = messageOf(topicOf(number), PAYLOAD, { retain: true, publisherId: "p" });
      message.retainedSequence = number + 1;
      return { kind: "retained-set", message };
    }));
  }
  for (let index = 0; index < sessions; index += PER_BATCH) {
    store.commit(
      Array.from({ length: PER_BATCH }, (_, offset): Change[] => {
        const clientId = `device${index + offset}`;
        return [{
          kind: "session-set",
          clientId,
          username: undefined,
          isIdentified: false,
          protocolVersion: 5,
          listenerName: "",
          expiryInterval: 0xffffffff,
          endsAt: Infinity,
        }, {
          kind: "subscription-set",
          clientId,
          filter: `commands/${clientId}/#`,
          qos: 1,
          noLocal: false,
          retainAsPublished: false,
          subscriptionId: 0,
        }];
      }).flat(),
    );
  }
  store.close();
}

const folder = fs.mkdtempSync(join(tmpdir(), "midge-bench-"));
try {
  const path = join(folder, "bench.midge");
  await make(path);
  const before = process.cpuUsage();
  const start = performance.now();
  const database = await openDatabase({ path, sync: "full" });
  const store = new SqliteStore({ database, path, clocks });
  const core = new BrokerCore({ limits: DEFAULT_LIMITS, random: prng(1), keepsJournal: true });
  core.restore(store.load(), performance.now());
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  console.log(
    `${core.retainedCount} retained messages and ${core.sessionCount} sessions: ` +
      `${seconds.toFixed(2)} s, ${((user + system) / 1e6).toFixed(2)} s of CPU, ` +
      `${Math.round(process.memoryUsage().rss / MEBIBYTE)} MiB`,
  );
  store.close();
} finally {
  fs.rmSync(folder, { recursive: true });
}
