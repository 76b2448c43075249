// The store over an object's storage: it is the very same store, so it keeps the very same contract.

import { assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { Attachments, beginAttachment } from "../../src/runtime/workers/attachment.ts";
import { ObjectAlarm } from "../../src/runtime/workers/alarm.ts";
import { ObjectDatabase } from "../../src/runtime/workers/sqlite.ts";
import type { ObjectStorage } from "../../src/runtime/workers/workers_api.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import { SqliteStore } from "../../src/store/sqlite_store.ts";
import { storeSuite } from "../contract/store_contract.ts";
import { test } from "../harness.ts";
import { FakeStorage } from "../support/fake_object_storage.ts";
import { FakeClocks } from "../support/sqlite_files.ts";

/** The fake has all that is asked of it, and says so in types of its own. */
function storageOf(database: DatabaseSync): ObjectStorage {
  return new FakeStorage(database) as unknown as ObjectStorage;
}

let disk: DatabaseSync | undefined;

function openStore(): SqliteStore {
  const database = new ObjectDatabase(storageOf(disk!));
  return new SqliteStore({ database, path: "storage", clocks: new FakeClocks() });
}

storeSuite({
  name: "SqliteStore over an object's storage",
  open: () => {
    disk = new DatabaseSync(":memory:");
    return Promise.resolve(openStore());
  },
  reopen: () => Promise.resolve(openStore()),
  release: () => Promise.resolve(disk!.close()),
});

test("ObjectDatabase undoes a transaction that throws, and tells a full disk from other failures", () => {
  const disk = new DatabaseSync(":memory:");
  const database = new ObjectDatabase(storageOf(disk));
  database.exec("CREATE TABLE kept (value)");
  const insert = database.prepare("INSERT INTO kept VALUES (?)");
  const count = (): number => database.prepare("SELECT value FROM kept").all().length;
  assertThrows(() =>
    database.transaction(() => {
      insert.run("lost");
      throw new Error("Enough");
    }), Error);
  assertEquals(count(), 0);
  database.transaction(() => void insert.run(Uint8Array.of(1, 2)));
  assertEquals([...database.prepare("SELECT value FROM kept").iterate()], [[Uint8Array.of(1, 2)]]);
  assertEquals(database.prepare("UPDATE kept SET value = 1 WHERE value = 2").run(), 0);
  const failed = assertThrows(() => database.exec("SELECT * FROM nowhere"), OperationError);
  assertEquals(failed.code, "database-failed");
  disk.close();
  const refusing = {
    sql: {
      exec: () => {
        throw new Error("database or disk is full: SQLITE_FULL");
      },
    },
  } as unknown as ObjectStorage;
  const full = assertThrows(() => new ObjectDatabase(refusing).exec("x"), OperationError);
  assertEquals(full.code, "disk-full");
});

test("Attachments keep in the storage what is too long to be attached, until it is forgotten", () => {
  const disk = new DatabaseSync(":memory:");
  const attachments = new Attachments(new ObjectDatabase(storageOf(disk)));
  const pack = (snapshot: Uint8Array, wasStored: boolean): Uint8Array => {
    const writer = new Writer(new Uint8Array(16));
    beginAttachment(writer, 7, "192.0.2.1");
    writer.raw(snapshot, 0, snapshot.length);
    return attachments.pack(writer.bytes.slice(0, writer.length), 7, "192.0.2.1", wasStored);
  };
  const rows = (): unknown =>
    disk.prepare("SELECT count(*) AS count FROM long_attachments").get()!["count"];
  const short = new Uint8Array(1000).fill(1);
  const long = new Uint8Array(2_500_000).map((_, i) => i);
  const head = { id: 7, remoteAddress: "192.0.2.1" };
  assertEquals(attachments.unpack(pack(short, false)), {
    ...head,
    isStored: false,
    snapshot: short,
  });
  const attached = pack(long, false);
  assertEquals(attached.length < 100, true);
  assertEquals(attachments.unpack(attached), { ...head, isStored: true, snapshot: long });
  assertEquals(rows(), 3);
  assertEquals(attachments.unpack(pack(short, true)), {
    ...head,
    isStored: false,
    snapshot: short,
  });
  assertEquals(rows(), 0);
  assertEquals(attachments.unpack(null), undefined);
  disk.close();
});

test("ObjectAlarm is set when something is due earlier, and told by the host what was set", async () => {
  const set: number[] = [];
  const rings: string[] = [];
  let present: number | null = 5000;
  const host = {
    getAlarm: () => Promise.resolve(present),
    setAlarm: (at: number) => {
      set.push(present = at);
      return Promise.resolve();
    },
  };
  const alarm = new ObjectAlarm(host, () => rings.push("ring"));
  alarm.set(9000);
  alarm.set(4000);
  assertEquals(set, []);
  await alarm.recall();
  assertEquals(set, [4000]);
  alarm.set(6000);
  alarm.set(Infinity);
  alarm.set(3000);
  assertEquals(set, [4000, 3000]);
  alarm.rang();
  alarm.set(6000);
  assertEquals({ set, rings }, { set: [4000, 3000, 6000], rings: ["ring"] });
});
