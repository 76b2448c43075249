// A database of SQLite as each runtime ships it, on real files.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperationError } from "../../src/core/base/operation_error.ts";
import type { DatabaseOptions, SqlDatabase } from "../../src/store/sql_database.ts";
import { test } from "../harness.ts";
import { runScript, sourceUrl } from "../support/child_script.ts";
import { runtime, runtimeName } from "../support/current_runtime.ts";

async function inFolder(action: (path: string) => Promise<void>): Promise<void> {
  const folder = fs.mkdtempSync(join(tmpdir(), "midge-sqlite-"));
  try {
    await action(join(folder, "test.db"));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

function open(path: string, sync: DatabaseOptions["sync"] = "full"): Promise<SqlDatabase> {
  return runtime.openDatabase({ path, sync });
}

function modeOf(path: string): number {
  return fs.statSync(path).mode & 0o7777;
}

async function refusal(path: string): Promise<readonly [code: string, message: string]> {
  const error = await assertRejects(() => open(path), OperationError);
  return [error.code, error.message];
}

test("openDatabase() keeps values of every kind", async () => {
  await inFolder(async (path) => {
    const database = await open(path);
    database.exec("CREATE TABLE kept (id INTEGER PRIMARY KEY, number, text TEXT, bytes BLOB)");
    const insert = database.prepare("INSERT INTO kept (number, text, bytes) VALUES (?, ?, ?)");
    const rows = [
      [0, "", new Uint8Array()],
      [-1, "größer 🦟", new Uint8Array([0, 1, 255])],
      [Number.MAX_SAFE_INTEGER, null, new Uint8Array([1, 2, 3, 4]).subarray(1, 3)],
      [null, "1", null],
    ];
    database.transaction(() => {
      for (const row of rows) assertEquals(insert.run(...row), 1);
    });
    database.close();
    const again = await open(path, "normal");
    const select = again.prepare("SELECT number, text, bytes FROM kept ORDER BY id");
    assertEquals(select.all(), rows);
    assertEquals([...select.iterate()], rows);
    assertEquals(again.prepare("DELETE FROM kept WHERE id > ?").run(1), 3);
    again.close();
  });
});

test("openDatabase() makes files for nobody else, and takes others' rights away", async () => {
  await inFolder(async (path) => {
    (await open(path)).close();
    assertEquals(modeOf(path), 0o600);
    fs.chmodSync(path, 0o664);
    const database = await open(path);
    database.exec("CREATE TABLE t (a)");
    assertEquals([modeOf(path), modeOf(`${path}-wal`)], [0o600, 0o600]);
    database.close();
  });
});

test("openDatabase() refuses what is open elsewhere, for as long as it is", async () => {
  await inFolder(async (path) => {
    const database = await open(path);
    const refused = [
      "database-locked",
      `Cannot use database "${path}": it is in use by another program`,
    ];
    assertEquals(await refusal(path), refused);
    database.exec("CREATE TABLE t (a)");
    assertEquals(await refusal(path), refused);
    const elsewhere = await runScript(
      `import { openDatabase } from "${sourceUrl("src/runtime/node/sqlite.ts")}";
const error = await openDatabase({ path: ${JSON.stringify(path)}, sync: "full" }).catch((e) => e);
console.log(JSON.stringify([error.code, error.message]));`,
    );
    assertEquals(elsewhere, `${JSON.stringify(refused)}\n`);
    database.close();
    (await open(path)).close();
  });
});

test("openDatabase() says by a code what is wrong", async () => {
  await inFolder(async (path) => {
    assertEquals((await refusal(join(path, "missing", "x.db")))[0], "not-found");
    fs.writeFileSync(path, "These are no tables of anything. ".repeat(200));
    const text = fs.readFileSync(path);
    assertEquals(await refusal(path), [
      "database-corrupt",
      `Cannot use database "${path}": it is not a database`,
    ]);
    assertEquals(fs.readFileSync(path), text);
    fs.rmSync(path);
    fs.mkdirSync(path);
    assertEquals((await refusal(path))[0], "database-failed");
  });
});

test("openDatabase() follows no link that a stranger may have put there", async () => {
  await inFolder(async (path) => {
    const folder = `${path}.d`;
    fs.mkdirSync(folder);
    fs.chmodSync(folder, 0o777);
    fs.symlinkSync(path, join(folder, "link.db"));
    assertEquals((await refusal(join(folder, "link.db")))[0], "permission-denied");
    assertEquals(fs.existsSync(path), false);
  });
});

test("SqlDatabase.transaction() happens whole or not at all", async () => {
  await inFolder(async (path) => {
    const database = await open(path);
    database.exec("CREATE TABLE t (a INTEGER PRIMARY KEY)");
    const insert = database.prepare("INSERT INTO t VALUES (?)");
    const all = database.prepare("SELECT a FROM t ORDER BY a");
    database.transaction(() => void insert.run(1));
    const error = assertThrows(
      () =>
        database.transaction(() => {
          insert.run(2);
          insert.run(1);
        }),
      OperationError,
    );
    assertEquals(error.code, "database-failed");
    assertThrows(
      () =>
        database.transaction(() => {
          insert.run(3);
          throw new RangeError("Enough");
        }),
      RangeError,
      "Enough",
    );
    assertEquals(all.all(), [[1]]);
    database.transaction(() => void insert.run(4));
    // Who stops reading early leaves nothing open behind.
    for (const [value] of all.iterate()) {
      assertEquals(value, 1);
      break;
    }
    database.transaction(() => void insert.run(5));
    assertEquals(all.all(), [[1], [4], [5]]);
    database.close();
  });
});

test("SqlDatabase tells a full disk and a damaged file apart from other failures", async () => {
  await inFolder(async (path) => {
    const database = await open(path);
    database.exec("CREATE TABLE t (a)");
    const insert = database.prepare("INSERT INTO t VALUES (?)");
    database.exec("PRAGMA max_page_count = 20");
    const full = assertThrows(
      () =>
        database.transaction(() => {
          for (let count = 0; count < 100; count++) insert.run(new Uint8Array(1000));
        }),
      OperationError,
    );
    assertEquals([full.code, full.message], [
      "disk-full",
      `Cannot use database "${path}": the disk is full`,
    ]);
    assertEquals(database.prepare("SELECT count(*) FROM t").all(), [[0]]);
    database.exec("PRAGMA max_page_count = 1000");
    database.transaction(() => {
      for (let count = 0; count < 100; count++) insert.run(new Uint8Array(1000));
    });
    const wrong = assertThrows(() => database.exec("SELECT a FROM missing"), OperationError);
    assertEquals(wrong.code, "database-failed");
    database.close();
    fs.truncateSync(path, 50_000);
    assertEquals((await refusal(path))[0], "database-corrupt");
  });
});

test("openDatabase() says which versions have SQLite", {
  skip: runtimeName === "node" ? false : "only Node can be told to do without it",
}, async () => {
  const output = await runScript(
    `import { openDatabase } from "${sourceUrl("src/runtime/node/sqlite.ts")}";
const error = await openDatabase({ path: "/nowhere", sync: "full" }).catch((e) => e);
console.log(error.code, error.message.replace(process.versions.node, "here"));`,
    { through: ["env", "NODE_OPTIONS=--no-experimental-sqlite"] },
  );
  assertEquals(
    output,
    "not-supported SQLite is not part of Node here: it is in Node 24, Deno 2.9 and Bun 1.4\n",
  );
});
