/**
 * What a change costs the durable store itself, without a broker or a network: microseconds of CPU
 * for each message that goes through what a message of its kind goes through, in batches like those
 * of a busy broker.
 *
 *     deno run -A bench/store/commit_bench.ts
 *
 * @module
 */

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Change } from "../../src/core/broker/change.ts";
import type { QoS } from "../../src/core/codec/protocol.ts";
import type { Delivery } from "../../src/core/session/delivery.ts";
import { openDatabase } from "../../src/runtime/node/sqlite.ts";
import { SqliteStore } from "../../src/store/sqlite_store.ts";
import { messageOf } from "../../test/support/random_changes.ts";

const SESSIONS = 50;
const PER_BATCH = 400;
const BATCHES = 100;
const PAYLOAD = new Uint8Array(64).fill(7);

interface Load {
  readonly name: string;
  readonly qos: QoS;
  /** How many messages are ahead of one before it is sent. */
  readonly waiting: number;
  /** Nobody is there to have them. */
  readonly isAway?: boolean;
}

const LOADS: readonly Load[] = [
  { name: "QoS 1, sent at once", qos: 1, waiting: 0 },
  { name: "QoS 1, behind 20,000 others", qos: 1, waiting: 20_000 },
  { name: "QoS 2, sent at once", qos: 2, waiting: 0 },
  { name: "QoS 2, behind 20,000 others", qos: 2, waiting: 20_000 },
  { name: "QoS 1, for clients that are away", qos: 1, waiting: Infinity, isAway: true },
];

interface InFlight {
  readonly clientId: string;
  readonly packetId: number;
}

const sessionOf = (index: number): string => `subscriber ${index % SESSIONS}`;

/** The batches of a load: each message goes one step further with each batch. */
function* batches({ qos, waiting }: Load): Iterable<readonly Change[]> {
  const queue: Delivery[] = [];
  let received: InFlight[] = [];
  let sent: InFlight[] = [];
  let held: InFlight[] = [];
  let next = 0;
  let out = 0;
  for (let count = 0; count < BATCHES + waiting / PER_BATCH; count++) {
    if (waiting === Infinity && count === BATCHES) return;
    const changes: Change[] = [];
    for (const one of received) changes.push({ kind: "delivery-finished", ...one });
    for (const one of held) changes.push({ kind: "packet-id-released", ...one });
    received = [];
    held = [];
    for (const one of sent) {
      if (qos === 1) changes.push({ kind: "delivery-finished", ...one });
      else {
        changes.push({ kind: "delivery-received", ...one });
        received.push(one);
      }
    }
    sent = [];
    for (let index = 0; index < PER_BATCH; index++) {
      const clientId = sessionOf(next);
      if (qos === 2) {
        const one = { clientId: `publisher ${next % SESSIONS}`, packetId: next % 60_000 + 1 };
        changes.push({ kind: "packet-id-held", ...one });
        held.push(one);
      }
      const message = messageOf(`pairs/${next % SESSIONS}`, PAYLOAD, { publisherId: "publisher" });
      const sequence = ++next;
      const delivery = { message, qos, retain: false, subscriptionId: 0, sequence, recordedAt: 0 };
      const wasQueued = waiting > 0;
      if (wasQueued) changes.push({ kind: "delivery-queued", clientId, delivery });
      queue.push(delivery);
      if (queue.length <= waiting) continue;
      const first = queue.shift()!;
      const one = { clientId: sessionOf(out), packetId: out % 60_000 + 1 };
      out++;
      changes.push({ kind: "delivery-sent", ...one, delivery: first, wasQueued });
      sent.push(one);
    }
    yield changes;
  }
}

function session(clientId: string): Change {
  return {
    kind: "session-set",
    clientId,
    username: undefined,
    isIdentified: false,
    protocolVersion: 5,
    listenerName: "1883",
    expiryInterval: 3600,
    endsAt: Infinity,
  };
}

async function measure(load: Load): Promise<number> {
  const folder = fs.mkdtempSync(join(tmpdir(), "midge-bench-"));
  const path = join(folder, "bench.midge");
  const database = await openDatabase({ path, sync: "full" });
  const clocks = { now: () => performance.now(), wallClock: () => Date.now() };
  const store = new SqliteStore({ database, path, clocks });
  const clients = Array.from({ length: SESSIONS }, (_, index) => index);
  store.commit(clients.flatMap((i) => [session(sessionOf(i)), session(`publisher ${i}`)]));
  let micros = 0;
  let count = 0;
  for (const batch of batches(load)) {
    const before = process.cpuUsage();
    store.commit(batch);
    const { user, system } = process.cpuUsage(before);
    micros += user + system;
    count++;
  }
  store.close();
  fs.rmSync(folder, { recursive: true });
  return micros / (count * PER_BATCH);
}

for (const load of LOADS) {
  console.log(`${load.name.padEnd(36)} ${(await measure(load)).toFixed(2).padStart(6)} µs`);
}
