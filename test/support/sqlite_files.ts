/** Stores in files of their own, with clocks that a test sets; what lies around is removed. */

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Disk, SYSTEM_DISK } from "../../src/runtime/node/database_files.ts";
import { openDatabase } from "../../src/runtime/node/sqlite.ts";
import type { DatabaseOptions, SqlDatabase } from "../../src/store/sql_database.ts";
import { SqliteStore } from "../../src/store/sqlite_store.ts";

/** Both clocks of a machine, as a test moves them. */
export class FakeClocks {
  instant = 1000;
  wall = 1_700_000_000_000;

  now(): number {
    return this.instant;
  }

  wallClock(): number {
    return this.wall;
  }
}

export class SqliteFiles {
  readonly clocks: FakeClocks = new FakeClocks();
  readonly folder: string = fs.mkdtempSync(join(tmpdir(), "midge-store-"));
  readonly path: string = join(this.folder, "test.midge");
  readonly sync: DatabaseOptions["sync"];
  /** What a database that is flushed later is flushed by. */
  disk: Disk = SYSTEM_DISK;
  /** What was opened last. */
  database: SqlDatabase | undefined;

  constructor(sync: DatabaseOptions["sync"] = "normal") {
    this.sync = sync;
  }

  /** The store of the one file; `wrap` may stand between it and the database. */
  async open(wrap = (database: SqlDatabase): SqlDatabase => database): Promise<SqliteStore> {
    const { path, sync, clocks } = this;
    this.database = await openDatabase({ path, sync }, this.disk);
    return new SqliteStore({ database: wrap(this.database), path, clocks });
  }

  async reopen(store: SqliteStore): Promise<SqliteStore> {
    store.close();
    return await this.open();
  }

  /** What is there when nobody closes the store. */
  async crash(): Promise<SqliteStore> {
    this.database!.close();
    return await this.open();
  }

  /** How many rows a table has. */
  count(table: string): number {
    return Number(this.database!.prepare(`SELECT count(*) FROM ${table}`).all()[0]![0]);
  }

  release(): void {
    this.database?.close();
    fs.rmSync(this.folder, { recursive: true });
  }
}
