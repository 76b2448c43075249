// How a store gets from one version of its tables to the next.

import { assertEquals, assertThrows } from "@std/assert";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { migrate, readNumber, type SchemaStep } from "../../src/store/schema.ts";
import type { SqlDatabase } from "../../src/store/sql_database.ts";
import { test } from "../harness.ts";
import { runtime } from "../support/current_runtime.ts";
import { SqliteFiles } from "../support/sqlite_files.ts";

const STEPS: readonly SchemaStep[] = [
  ["CREATE TABLE kept (name TEXT PRIMARY KEY)", "INSERT INTO kept VALUES ('first')"],
  ["ALTER TABLE kept ADD COLUMN size INTEGER NOT NULL DEFAULT 7"],
  ["CREATE TABLE more (id INTEGER PRIMARY KEY)", "INSERT INTO more VALUES (1)"],
];

async function withDatabase(body: (database: SqlDatabase) => void): Promise<void> {
  const files = new SqliteFiles();
  try {
    files.database = await runtime.openDatabase({ path: files.path, sync: "normal" });
    body(files.database);
  } finally {
    files.release();
  }
}

test("migrate() takes a store of any older version to the present one, with what is in it", async () => {
  for (const version of [0, 1, 2, 3]) {
    await withDatabase((database) => {
      if (version > 0) migrate(database, "s", STEPS.slice(0, version));
      migrate(database, "s", STEPS);
      assertEquals(readNumber(database, "schema"), 3);
      assertEquals(database.prepare("SELECT name, size FROM kept").all(), [["first", 7]]);
      assertEquals(database.prepare("SELECT id FROM more").all(), [[1]]);
    });
  }
});

test("migrate() that fails leaves the older version whole", async () => {
  await withDatabase((database) => {
    migrate(database, "s", STEPS.slice(0, 1));
    const broken = [...STEPS.slice(0, 2), ["CREATE TABLE kept (again)"]];
    assertThrows(() => migrate(database, "s", broken), OperationError);
    assertEquals(readNumber(database, "schema"), 1);
    assertEquals(database.prepare("SELECT * FROM kept").all(), [["first"]]);
    migrate(database, "s", STEPS);
    assertEquals(readNumber(database, "schema"), 3);
  });
});
