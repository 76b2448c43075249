// A store told as Mosquitto would tell it, chunk by chunk, and printed by `db-dump`.

import { assertEquals } from "@std/assert";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { dbDump } from "../../src/cli/db_dump/db_dump.ts";
import type { Change } from "../../src/core/broker/change.ts";
import { readStoreDb } from "../../src/store/store_chunks.ts";
import { queued, session } from "../contract/store_contract.ts";
import { test } from "../harness.ts";
import { runtime } from "../support/current_runtime.ts";
import { messageOf } from "../support/random_changes.ts";
import { SqliteFiles } from "../support/sqlite_files.ts";
import { inFolder, runInside } from "../support/tool_process.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function contents(now: number): Change[] {
  const message = messageOf("a/b", text("hello"), {
    qos: 2,
    publisherId: "publisher",
    publisherUsername: "somebody",
    expiresAt: now + 60_000,
  });
  const retained = messageOf("r", text("kept"), { qos: 1, retain: true });
  retained.retainedSequence = 1;
  const { delivery } = queued("c", 1, message, 2);
  const sent = { kind: "delivery-sent", clientId: "c", delivery, wasQueued: false } as const;
  return [
    { ...session("c"), username: "user", endsAt: now + 5000 } as Change,
    {
      kind: "subscription-set",
      clientId: "c",
      filter: "a/#",
      qos: 2,
      noLocal: true,
      retainAsPublished: true,
      subscriptionId: 7,
    },
    { ...sent, packetId: 3 },
    { ...sent, packetId: 4, delivery: { ...delivery, sequence: 2 } },
    { kind: "delivery-received", clientId: "c", packetId: 4 },
    queued("c", 3, message),
    { kind: "packet-id-held", clientId: "c", packetId: 9 },
    { kind: "retained-set", message: retained },
  ];
}

test("readStoreDb() gives everything that Mosquitto has a chunk for", async () => {
  const files = new SqliteFiles();
  try {
    const store = await files.open();
    const { instant, wall } = files.clocks;
    store.commit(contents(instant));
    store.close();
    const database = await runtime.openDatabase({ path: files.path, sync: "normal" });
    files.database = database;
    const db = readStoreDb(database, files.path, wall);
    const clientId = text("c");
    const base = {
      kind: "base-message",
      expiryTime: wall / 1000 + 60,
      sourcePacketId: 0,
      sourcePort: 0,
      sourceClientId: text("publisher"),
      sourceUsername: text("somebody"),
      topic: text("a/b"),
      qos: 2,
      retain: 0,
      payload: text("hello"),
      properties: {},
      offset: 0,
      length: 57,
    };
    const received = {
      ...base,
      expiryTime: 0,
      sourceClientId: text(""),
      sourceUsername: text(""),
      topic: text(""),
      qos: 0,
      payload: text(""),
      length: 32,
    };
    const message = {
      kind: "client-message",
      clientId,
      qos: 2,
      retain: 0,
      dup: 0,
      direction: 1,
      subscriptionId: 0,
      offset: 0,
      length: 17,
    };
    const expected = [
      { kind: "configuration", shutdown: 1, idBytes: 8, lastStoreId: 0n, offset: 0, length: 16 },
      {
        kind: "client",
        clientId,
        username: text("user"),
        sessionExpiryTime: wall / 1000 + 5,
        sessionExpiryInterval: 3600,
        lastPacketId: 0,
        listenerPort: 1883,
        offset: 0,
        length: 29,
      },
      {
        kind: "subscription",
        clientId,
        filter: text("a/#"),
        qos: 2,
        options: 0x0c,
        subscriptionId: 7,
        offset: 0,
        length: 16,
      },
      { ...base, storeId: 1n },
      { ...message, storeId: 1n, packetId: 3, state: 5 },
      { ...received, storeId: 2n },
      { ...message, storeId: 2n, packetId: 4, state: 9 },
      { ...message, storeId: 0n, packetId: 9, direction: 0, state: 7 },
      { ...base, storeId: 3n },
      { ...message, storeId: 3n, packetId: 0, qos: 1, state: 11 },
      {
        ...received,
        storeId: 4n,
        topic: text("r"),
        payload: text("kept"),
        qos: 1,
        retain: 1,
        length: 37,
      },
      { kind: "retained", storeId: 4n, offset: 0, length: 8 },
    ];
    assertEquals([...db.chunks()], expected);
    // As often as it is asked for.
    assertEquals([...db.chunks()].length, expected.length);
  } finally {
    files.release();
  }
});

test("db-dump prints a store of this broker, unless a broker has it open", async () => {
  const files = new SqliteFiles();
  try {
    const store = await files.open();
    store.commit(contents(files.clocks.instant));
    await inFolder(async (folder) => {
      assertEquals(await runInside(dbDump, [files.path], { folder }), {
        status: 1,
        stdout: "",
        stderr: `Error: Cannot use database "${files.path}": it is in use by another program.\n`,
      });
    });
    store.close();
    await inFolder(async (folder) => {
      // Known by its name, and under another one by its first bytes.
      for (const name of ["store.midge", "renamed"]) {
        copyFileSync(files.path, join(folder, name));
        assertEquals(await runInside(dbDump, ["--stats", `$DIR/${name}`], { folder }), {
          status: 0,
          stdout: "DB_CHUNK_CFG:        1\nDB_CHUNK_BASE_MSG:   4\nDB_CHUNK_CLIENT_MSG: 4\n" +
            "DB_CHUNK_RETAIN:     1\nDB_CHUNK_SUB:        1\nDB_CHUNK_CLIENT:     1\n",
          stderr: "",
        });
      }
      assertEquals(await runInside(dbDump, ["$DIR/missing.midge"], { folder }), {
        status: 1,
        stdout: "",
        stderr: "Error: Unable to open $DIR/missing.midge\n",
      });
    });
    files.database = await runtime.openDatabase({ path: files.path, sync: "normal" });
  } finally {
    files.release();
  }
});
