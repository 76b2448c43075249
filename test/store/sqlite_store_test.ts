// The SQLite store on real files: what every store promises, the memory store as an oracle, time
// over restarts, failures, and what it does with the disk.

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import * as fs from "node:fs";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { prng } from "../../src/core/base/prng.ts";
import type { Change } from "../../src/core/broker/change.ts";
import { MemoryStore } from "../../src/store/memory_store.ts";
import type { SqlDatabase } from "../../src/store/sql_database.ts";
import { SqliteStore } from "../../src/store/sqlite_store.ts";
import { queued, session, storeSuite } from "../contract/store_contract.ts";
import { test } from "../harness.ts";
import { runtime } from "../support/current_runtime.ts";
import { faulty } from "../support/faulty_database.ts";
import { messageOf, RandomChanges } from "../support/random_changes.ts";
import { SqliteFiles } from "../support/sqlite_files.ts";
import { contentsOfStore } from "../support/store_contents.ts";

let files: SqliteFiles | undefined;

storeSuite({
  name: "SqliteStore",
  open: () => (files = new SqliteFiles()).open(),
  reopen: (store) => files!.reopen(store as SqliteStore),
  release: () => Promise.resolve(files!.release()),
});

async function withFiles(
  body: (files: SqliteFiles) => Promise<void>,
  sync: "full" | "later" | "normal" = "normal",
): Promise<void> {
  const files = new SqliteFiles(sync);
  try {
    await body(files);
  } finally {
    files.release();
  }
}

test("SqliteStore holds what a memory store holds, and nothing when all is over", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 25 }), async (seed, batches) => {
      await withFiles(async (files) => {
        const changes = new RandomChanges(prng(seed));
        const memory = new MemoryStore();
        let store = await files.open();
        for (let count = 0; count < batches; count++) {
          const batch = changes.batch();
          memory.commit(batch);
          store.commit(batch);
          if (count % 5 === 0) store = await files.reopen(store);
          if (count % 7 === 0) store = await files.crash();
        }
        assertEquals(await contentsOfStore(store), await contentsOfStore(memory));
        store.commit(changes.endOfAll());
        const tables = ["sessions", "subscriptions", "queued", "inflight", "held_packet_ids"];
        store.checkpoint();
        const all = [
          ...tables,
          "recent",
          "wills",
          "undecided_wills",
          "retained",
          "messages",
          "holders",
        ];
        assertEquals(
          all.map((table) => [table, files.count(table)]),
          all.map((table) => [table, 0]),
        );
      });
    }),
    { numRuns: 40 },
  );
});

test("SqliteStore.loadDeliveries() gives what its tables have and what its log has", async () => {
  const clients = Array.from({ length: 4 }, (_, index) => `client ${index}`);
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 25 }), async (seed, batches) => {
      await withFiles(async (files) => {
        const changes = new RandomChanges(prng(seed));
        const memory = new MemoryStore();
        let store = await files.open();
        for (let count = 0; count < batches; count++) {
          const batch = changes.batch();
          memory.commit(batch);
          store.commit(batch);
          if (count % 4 === 0) store.checkpoint();
          if (count % 9 === 0) store = await files.crash();
          for (const clientId of clients) {
            for (const after of [0, 3]) {
              for (
                const limits of [{ countMax: 99, bytesMax: 9000 }, { countMax: 2, bytesMax: 9 }]
              ) {
                assertEquals(
                  store.loadDeliveries(clientId, after, limits).map(({ sequence }) => sequence),
                  memory.loadDeliveries(clientId, after, limits).map(({ sequence }) => sequence),
                );
              }
            }
          }
        }
      });
    }),
    { numRuns: 40 },
  );
});

test("SqliteStore keeps a message once, however many queues hold it", async () => {
  await withFiles(async (files) => {
    let store = await files.open();
    const message = messageOf("t", new Uint8Array(500).fill(1));
    const clients = Array.from({ length: 100 }, (_, index) => `c${index}`);
    store.commit(clients.map(session));
    store.commit(clients.map((clientId) => queued(clientId, 1, message)));
    store.checkpoint();
    assertEquals([files.count("messages"), files.count("queued WHERE body IS NULL")], [1, 100]);
    // Also for those who come later.
    store.commit(clients.slice(0, 1).map((clientId) => queued(clientId, 2, message)));
    store.checkpoint();
    assertEquals(files.count("messages"), 1);
    store = await files.reopen(store);
    const limits = { countMax: 1, bytesMax: 1 };
    const deliveries = clients.map((clientId) => store.loadDeliveries(clientId, 0, limits)[0]!);
    assertEquals(deliveries.map(({ message }) => message.payloadLength), clients.map(() => 500));
    store.commit(clients.map((clientId): Change => ({ kind: "session-removed", clientId })));
    assertEquals([files.count("messages"), files.count("holders")], [0, 0]);
  });
});

test("SqliteStore tells time by the broker's clock, and over a restart by the wall's", async () => {
  await withFiles(async (files) => {
    const { clocks } = files;
    let store = await files.open();
    const ends = (): number => {
      const [record] = [...store.load()];
      return record!.kind === "session-set" ? record!.endsAt : NaN;
    };
    store.commit([{ ...session("c"), endsAt: 61_000 } as Change]);
    assertEquals(ends(), 61_000);
    // Somebody sets the clock while the broker runs.
    clocks.wall += 365 * 86_400_000;
    clocks.instant += 10_000;
    store.commit([session("d")]);
    assertEquals(ends(), 61_000);
    // The next process has a clock of its own, and five seconds have passed.
    store.close();
    clocks.wall += 5000;
    clocks.instant = 77;
    store = await files.open();
    assertEquals(ends(), 77 + 45_000);
    // A clock that stands in the past tells of none, and a second is what may be unknown.
    store.close();
    clocks.wall = 0;
    clocks.instant = 0;
    store = await files.open();
    assertEquals(ends(), 44_000);
    store.close();
    clocks.wall = 20_000;
    store = await files.open();
    assertEquals(ends(), 24_000);
  });
});

test("SqliteStore gives nothing more time than it had, whatever the clock says after a crash", async () => {
  await withFiles(async (files) => {
    const { clocks } = files;
    const store = await files.open();
    store.commit([session("c")]);
    clocks.instant += 900;
    clocks.wall += 900;
    store.commit([{ ...session("c"), endsAt: clocks.instant + 5000 } as Change]);
    files.database!.close();
    clocks.wall -= 60_000;
    const [record] = [...(await files.open()).load()];
    assertEquals(record!.kind === "session-set" ? record!.endsAt : NaN, clocks.instant + 4900);
  });
});

test("SqliteStore is new until something is committed to it", async () => {
  await withFiles(async (files) => {
    const store = await files.open();
    assertEquals(store.isNew, true);
    store.commit([]);
    assertEquals(store.isNew, false);
    assertEquals((await files.reopen(store)).isNew, false);
  });
});

test("SqliteStore refuses what another program or a newer version has written", async () => {
  await withFiles(async (files) => {
    const { path, clocks } = files;
    (await files.open()).close();
    const database = await runtime.openDatabase({ path, sync: "normal" });
    files.database = database;
    database.exec("UPDATE midge SET value = 99 WHERE name = 'schema'");
    const newer = assertThrows(() => new SqliteStore({ database, path, clocks }), OperationError);
    assertEquals([newer.code, newer.message], [
      "not-supported",
      `Store "${path}" has schema version 99: this broker reads versions up to 1, ` +
      "a newer one has written it",
    ]);
    database.exec("ALTER TABLE midge RENAME TO other");
    const foreign = assertThrows(() => new SqliteStore({ database, path, clocks }), OperationError);
    assertEquals([foreign.code, foreign.message], [
      "not-supported",
      `Database "${path}" is not a store of this broker`,
    ]);
  });
});

test("SqliteStore says that it is damaged when its messages make no sense", async () => {
  await withFiles(async (files) => {
    const store = await files.open();
    store.commit([session("c"), queued("c", 1, messageOf("t", new Uint8Array(3)))]);
    store.checkpoint();
    files.database!.exec("UPDATE queued SET body = x'00FFFF'");
    const error = assertThrows(
      () => store.loadDeliveries("c", 0, { countMax: 1, bytesMax: 1 }),
      OperationError,
    );
    assertEquals(error.code, "database-corrupt");
  });
});

/** A database that fails at the call with this number, counted over all its statements. */
function failing(database: SqlDatabase, plan: { failAt: number; calls: number }): SqlDatabase {
  return faulty(database, () => {
    if (++plan.calls === plan.failAt) throw new OperationError("disk-full", "Cannot write");
  });
}

test("SqliteStore.commit() that fails anywhere changes nothing, and can be tried again", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 60 }), async (seed, failAt) => {
      await withFiles(async (files) => {
        const changes = new RandomChanges(prng(seed));
        const memory = new MemoryStore();
        const plan = { failAt: 0, calls: 0 };
        const store = await files.open((database) => failing(database, plan));
        const first = changes.batch();
        store.commit(first);
        memory.commit(first);
        let batch: Change[] = [];
        for (let count = 0; count < 12; count++) {
          batch = [...batch, ...changes.batch()];
          plan.calls = 0;
          plan.failAt = failAt;
          try {
            store.commit(batch);
          } catch (error) {
            assertEquals((error as OperationError).code, "disk-full");
            plan.failAt = 0;
            assertEquals(await contentsOfStore(store), await contentsOfStore(memory));
            continue;
          }
          plan.failAt = 0;
          memory.commit(batch);
          batch = [];
        }
        store.commit(batch);
        memory.commit(batch);
        assertEquals(await contentsOfStore(store), await contentsOfStore(memory));
        store.commit(changes.endOfAll());
        assertEquals([files.count("messages"), files.count("holders")], [0, 0]);
      });
    }),
    { numRuns: 30 },
  );
});

test("SqliteStore.commit() that waits for the disk later makes nothing twice after a failure", async () => {
  await withFiles(async (files) => {
    const memory = new MemoryStore();
    const changes = new RandomChanges(prng(7));
    let fails = false;
    const store = await files.open((database) => ({
      ...failing(database, { failAt: 0, calls: 0 }),
      flush: async () => {
        if (fails) throw new OperationError("database-failed", "The disk failed");
        await database.flush();
      },
    }));
    for (let count = 0; count < 20; count++) {
      let batch = changes.batch();
      fails = true;
      const error = await Promise.resolve(store.commit(batch)).catch((error) => error);
      assertEquals(error.code, "database-failed");
      fails = false;
      batch = [...batch, ...changes.batch()];
      await store.commit(batch);
      memory.commit(batch);
      assertEquals(await contentsOfStore(store), await contentsOfStore(memory));
    }
    assertEquals(await contentsOfStore(await files.reopen(store)), await contentsOfStore(memory));
  }, "later");
});

test("SqliteStore gives disk space back, and keeps its log short", async () => {
  await withFiles(async (files) => {
    const store = await files.open();
    const size = (suffix: string): number => fs.statSync(files.path + suffix).size;
    const payload = new Uint8Array(100_000);
    store.commit([session("c")]);
    for (let count = 1; count <= 200; count++) {
      store.commit([queued("c", count, messageOf("t", payload))]);
    }
    const full = size("");
    assertEquals([full > 15_000_000, size("-wal") < 20_000_000], [true, true]);
    store.commit([{ kind: "session-removed", clientId: "c" }]);
    for (let count = 0; count < 64 * 20; count++) store.commit([]);
    store.checkpoint();
    assertEquals([size("") < 5_000_000, size("-wal")], [true, 0]);
  });
});

test("SqliteStore moves what takes long from its log to its tables, and keeps the log short", async () => {
  await withFiles(async (files) => {
    let store = await files.open();
    const memory = new MemoryStore();
    const clients = Array.from({ length: 20 }, (_, index) => `c${index}`);
    const commit = (changes: Change[]): void => {
      store.commit(changes);
      memory.commit(changes);
    };
    commit(clients.map(session));
    const bytesMax = { log: 0 };
    let sequence = 0;
    for (let count = 0; count < 100; count++) {
      const changes: Change[] = [];
      // Every message for two clients; one of them has it at once, the other is away.
      for (let index = 0; index < 500; index++) {
        const message = messageOf(`t/${index}`, new Uint8Array(100).fill(index));
        const packetId = ++sequence % 60_000 + 1;
        const clientId = clients[index % 10]!;
        const { delivery } = queued(clientId, sequence, message, 2);
        changes.push(
          { kind: "delivery-sent", clientId, delivery, packetId, wasQueued: false },
          queued(clients[10 + index % 10]!, sequence, message),
          // The first ones stay in flight.
          ...(sequence < 50 ? [] : [{ kind: "delivery-finished", clientId, packetId } as const]),
          { kind: "packet-id-held", clientId, packetId },
          ...(sequence < 50 ? [] : [{ kind: "packet-id-released", clientId, packetId } as const]),
        );
      }
      commit(changes);
      const [row] = files.database!.prepare("SELECT sum(length(records)) FROM recent").all();
      bytesMax.log = Math.max(bytesMax.log, Number(row![0]));
    }
    assertEquals([files.count("inflight"), bytesMax.log < 24_000_000], [49, true]);
    const stored = files.count("queued");
    assertEquals([stored > 25_000, stored < 45_000], [true, true]);
    store = await files.crash();
    assertEquals(await contentsOfStore(store), await contentsOfStore(memory));
  });
});

test("SqliteStore.load() gives what its log has while the disk is full", async () => {
  await withFiles(async (files) => {
    const message = messageOf("t", new Uint8Array(3));
    const { delivery } = queued("c", 2, message, 2);
    const sent = { kind: "delivery-sent", clientId: "c", packetId: 7, wasQueued: false } as const;
    const changes: Change[] = [
      session("c"),
      queued("c", 1, message),
      { ...sent, delivery },
      { kind: "delivery-received", clientId: "c", packetId: 7 },
      { kind: "packet-id-held", clientId: "c", packetId: 9 },
    ];
    (await files.open()).commit(changes);
    const plan = { failAt: 0, calls: 0 };
    files.database!.close();
    const store = await files.open((database) => failing(database, plan));
    plan.failAt = plan.calls + 1;
    const records = [...store.load()];
    assertEquals(
      records.map((record) => "delivery" in record ? { ...record, delivery: undefined } : record),
      changes.map((change) => "delivery" in change ? { ...change, delivery: undefined } : change),
    );
    // Nothing is lost by that: there is room again.
    const memory = new MemoryStore();
    memory.commit(changes);
    assertEquals(await contentsOfStore(store), await contentsOfStore(memory));
  });
});

test("SqliteStore refuses a log that makes no sense", async () => {
  await withFiles(async (files) => {
    let store = await files.open();
    store.commit([session("c"), queued("c", 1, messageOf("t", new Uint8Array(3)))]);
    files.database!.exec("UPDATE recent SET records = x'0AFFFFFFFF'");
    store = await files.crash();
    const error = assertThrows(() => [...store.load()], OperationError);
    assertEquals(error.code, "database-corrupt");
    const other = assertThrows(() => store.commit([session("c")]), OperationError);
    assertEquals(other.code, "database-corrupt");
  });
});
