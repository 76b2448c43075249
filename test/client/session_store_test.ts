// The stores of a client's session: the same behaviour in memory and in a file, and what only a
// file can get wrong.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { ClientError } from "../../src/client/client_error.ts";
import { MemorySessionStore } from "../../src/client/memory_session_store.ts";
import type { SessionChange, StoredMessage } from "../../src/client/session_store.ts";
import { SqliteSessionStore } from "../../src/client/sqlite_session_store.ts";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { currentRuntime } from "../../src/runtime/current.ts";
import { test } from "../harness.ts";
import { bytesOf } from "../support/packets.ts";

const runtime = await currentRuntime();

async function inFolder(body: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(`${tmpdir()}/midge-session-`);
  try {
    await body(`${folder}/session.db`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const MESSAGE: StoredMessage = {
  topic: "a/ä",
  payload: Uint8Array.of(0, 255, 10),
  qos: 2,
  retain: true,
  properties: {
    contentType: "text/plain",
    messageExpiryInterval: 60,
    correlationData: Uint8Array.of(1, 0),
    userProperties: [["k", "v"], ["k", "w"]],
  },
};

test("SqliteSessionStore gives back after a restart what was committed, to the bit", async () => {
  await inFolder(async (path) => {
    const first = await SqliteSessionStore.open({ runtime, path });
    assertEquals(first.load("me"), { outgoing: [], heldIds: [] });
    const plain: StoredMessage = {
      ...{ topic: "b", payload: bytesOf(""), qos: 1, retain: false, properties: {} },
    };
    first.commit([
      { kind: "queued", sequence: 1, message: MESSAGE },
      { kind: "queued", sequence: 2, message: plain },
      { kind: "sent", sequence: 2, packetId: 65_535, sentAt: 1_700_000_000_123 },
      { kind: "held", packetId: 9 },
    ]);
    first.close();
    assertEquals(statSync(path).mode & 0o777, 0o600);
    const second = await SqliteSessionStore.open({ runtime, path, sync: "normal" });
    assertEquals(second.load("me"), {
      outgoing: [
        { sequence: 1, packetId: undefined, sentAt: 0, isReceived: false, message: MESSAGE },
        {
          ...{ sequence: 2, packetId: 65_535, sentAt: 1_700_000_000_123, isReceived: false },
          message: plain,
        },
      ],
      heldIds: [9],
    });
    second.close();
  });
});

const sequence = fc.integer({ min: 1, max: 6 });
const packetId = fc.integer({ min: 1, max: 4 });
const change: fc.Arbitrary<SessionChange> = fc.oneof(
  fc.record({ kind: fc.constant("sent" as const), sequence, packetId, sentAt: fc.nat() }),
  fc.record({ kind: fc.constant("received" as const), sequence }),
  fc.record({ kind: fc.constant("removed" as const), sequence }),
  fc.record({ kind: fc.constant("held" as const), packetId }),
  fc.record({ kind: fc.constant("released" as const), packetId }),
  fc.constant({ kind: "session-lost" as const }),
);

test("SqliteSessionStore makes of any changes what MemorySessionStore makes of them", async () => {
  await inFolder(async (path) => {
    const store = await SqliteSessionStore.open({ runtime, path });
    store.load("me");
    fc.assert(
      fc.property(fc.array(fc.array(change)), (batches) => {
        const memory = new MemorySessionStore();
        const names = [1, 2, 3, 4, 5, 6];
        const begin: SessionChange[] = [
          ...names.map((name): SessionChange => ({ kind: "removed", sequence: name })),
          { kind: "session-lost" },
          ...names.map((name): SessionChange => ({
            ...{ kind: "queued", sequence: name, message: MESSAGE },
          })),
        ];
        for (const batch of [begin, ...batches]) {
          store.commit(batch);
          memory.commit(batch);
        }
        const [told, expected] = [store.load("me"), memory.load()];
        assertEquals(told.outgoing, expected.outgoing);
        assertEquals([...told.heldIds].sort(), [...expected.heldIds].sort());
      }),
      { numRuns: 40 },
    );
    store.close();
  });
});

test("SqliteSessionStore is for one client, one process, and the versions that it knows", async () => {
  await inFolder(async (path) => {
    const store = await SqliteSessionStore.open({ runtime, path });
    store.load("me");
    const stranger = assertThrows(() => store.load("you"), ClientError);
    assertEquals([stranger.code, stranger.message], [
      "store-failed",
      'Cannot use the session store of client "me" for "you"',
    ]);
    const again = () => SqliteSessionStore.open({ runtime, path });
    assertEquals((await assertRejects(again, OperationError)).code, "database-locked");
    store.close();
    const database = await runtime.openDatabase({ path, sync: "full" });
    database.transaction(() => database.exec("UPDATE session SET schema = 2"));
    database.close();
    assertEquals((await assertRejects(again, ClientError)).code, "store-failed");
    // What was refused is not left open.
    (await runtime.openDatabase({ path, sync: "full" })).close();
    const nowhere = () => SqliteSessionStore.open({ runtime, path: `${path}/no/such` });
    await assertRejects(nowhere, OperationError);
  });
});

test("SqliteSessionStore changes nothing when a batch fails", async () => {
  await inFolder(async (path) => {
    const store = await SqliteSessionStore.open({ runtime, path });
    store.load("me");
    store.commit([{ kind: "queued", sequence: 1, message: MESSAGE }]);
    assertThrows(() =>
      store.commit([
        { kind: "removed", sequence: 1 },
        { kind: "queued", sequence: 2, message: MESSAGE },
        { kind: "queued", sequence: 2, message: MESSAGE },
      ])
    );
    assertEquals(store.load("me").outgoing.map(({ sequence }) => sequence), [1]);
    store.close();
  });
});
