// A database that is flushed later, on a disk that keeps of what was not flushed whatever it likes:
// power cuts at every step, flushes that fail, and closing before they have ended.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { prng } from "../../src/core/base/prng.ts";
import { openDatabase } from "../../src/runtime/node/sqlite.ts";
import type { SqlDatabase, SqlStatement } from "../../src/store/sql_database.ts";
import { test } from "../harness.ts";
import { PaperDisk } from "../support/paper_disk.ts";

const SLOTS = 40;
const VALUE_BYTES = 40_000;
const PER_TRANSACTION = 10;

/** Overwrites the same few rows over and over: each says by which transaction, and so does another. */
class Ledger {
  readonly #random = prng(7);
  readonly #put: SqlStatement;
  readonly #count: SqlStatement;
  readonly #database: SqlDatabase;
  /** By the number of the transaction, what was in the rows after it. */
  readonly #states: number[][] = [Array(SLOTS).fill(0)];

  constructor(database: SqlDatabase) {
    this.#database = database;
    database.exec("CREATE TABLE slots (id INTEGER PRIMARY KEY, writer INTEGER, value BLOB)");
    database.exec("CREATE TABLE counter (count INTEGER)");
    database.exec("INSERT INTO counter VALUES (0)");
    this.#put = database.prepare("INSERT OR REPLACE INTO slots VALUES (?, ?, ?)");
    this.#count = database.prepare("UPDATE counter SET count = ?");
  }

  get written(): number {
    return this.#states.length - 1;
  }

  write(): void {
    const number = this.#states.length;
    const state = this.#states.at(-1)!.slice();
    this.#database.transaction(() => {
      for (let count = 0; count < PER_TRANSACTION; count++) {
        const slot = this.#random() % SLOTS;
        this.#put.run(slot + 1, number, new Uint8Array(VALUE_BYTES).fill(number));
        state[slot] = number;
      }
      this.#count.run(number);
    });
    this.#states.push(state);
  }

  /** How many transactions a database has, which must have each of them whole. */
  async countIn(path: string): Promise<number> {
    const database = await openDatabase({ path, sync: "normal" });
    try {
      assertEquals(database.prepare("PRAGMA integrity_check").all(), [["ok"]]);
      const [row] = database.prepare("SELECT count FROM counter").all();
      const count = row![0] as number;
      const state = Array(SLOTS).fill(0);
      for (const [id, writer, value] of database.prepare("SELECT * FROM slots").iterate()) {
        state[id as number - 1] = writer;
        assertEquals((value as Uint8Array).at(-1), writer as number & 0xff);
      }
      assertEquals(state, this.#states[count]);
      return count;
    } finally {
      database.close();
    }
  }
}

async function withDisk(
  body: (ledger: Ledger, database: SqlDatabase, disk: PaperDisk, path: string) => Promise<void>,
): Promise<void> {
  const folder = fs.mkdtempSync(join(tmpdir(), "midge-disk-"));
  try {
    const path = join(folder, "test.midge");
    const disk = new PaperDisk(path);
    const database = await openDatabase({ path, sync: "later" }, disk);
    const ledger = new Ledger(database);
    database.checkpoint();
    await body(ledger, database, disk, path);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** What has no name in the folder but those of the database. */
function litter(path: string): string[] {
  return fs.readdirSync(join(path, "..")).filter((name) => !/^test\.midge(-wal)?$/.test(name));
}

test("SqlDatabase that is flushed later loses nothing in a power cut at any moment", () =>
  withDisk(async (ledger, database, disk, path) => {
    const random = prng(3);
    let acknowledged = 0;
    let cuts = 0;
    let moves = 0;
    let images = 0;
    const cut = async (): Promise<void> => {
      const folder = fs.mkdtempSync(join(tmpdir(), "midge-cut-"));
      try {
        const count = await ledger.countIn(disk.cut(folder, random));
        assertEquals([acknowledged <= count, count <= ledger.written], [true, true]);
        cuts++;
      } finally {
        fs.rmSync(folder, { recursive: true });
      }
    };
    disk.onFlush = async () => {
      for (let count = 0; count < images; count++) await cut();
    };
    for (let count = 0; count < 80; count++) {
      ledger.write();
      await database.flush();
      acknowledged = ledger.written;
      const moving = database.shorten();
      images = moving === undefined ? 0 : 2;
      if (moving === undefined) continue;
      await moving;
      moves++;
      // Where the log begins anew, the beginning of the old one may still be there.
      images = 8;
    }
    assertEquals([moves > 3, cuts > 40, fs.statSync(`${path}-wal`).size < 6_000_000], [
      true,
      true,
      true,
    ]);
    database.close();
    assertEquals([await ledger.countIn(path), litter(path)], [80, []]);
  }));

test("SqlDatabase.shorten() writes again what a disk that failed has forgotten", () =>
  withDisk(async (ledger, database, disk, path) => {
    for (let count = 0; count < 15; count++) {
      ledger.write();
      await database.flush();
    }
    const failures: string[] = [];
    disk.onFlush = (ending) => {
      failures.push(ending);
      throw new Error("Input/output error");
    };
    const error = await assertRejects(() => database.shorten()!, OperationError);
    assertEquals([error.code, error.message], [
      "database-failed",
      `Cannot use database "${path}": the disk failed`,
    ]);
    disk.onFlush = (ending) => {
      if (ending === "") throw new Error("Input/output error");
    };
    await assertRejects(() => database.shorten()!, OperationError);
    assertEquals(failures, ["-wal"]);
    disk.forget("");
    disk.onFlush = () => {};
    await database.shorten();
    assertEquals(database.shorten(), undefined);
    assertEquals(fs.statSync(`${path}-wal`).size, 0);
    fs.copyFileSync(path, `${path}.copy`);
    assertEquals(await ledger.countIn(`${path}.copy`), 15);
    database.close();
  }));

test("SqlDatabase.flush() writes the log where it was, however often the disk has failed", () =>
  withDisk(async (ledger, database, disk, path) => {
    for (let count = 1; count <= 3; count++) {
      ledger.write();
      const log = fs.readFileSync(`${path}-wal`);
      disk.onFlush = () => {
        throw new Error("Input/output error");
      };
      await assertRejects(() => database.flush(), OperationError);
      disk.onFlush = () => {};
      await database.flush();
      assertEquals(fs.readFileSync(`${path}-wal`), log);
    }
    database.close();
    assertEquals(await ledger.countIn(path), 3);
  }));

test("SqlDatabase.transaction() waits for the disk when its log is being moved", () =>
  withDisk(async (ledger, database, disk, path) => {
    for (let count = 0; count < 15; count++) ledger.write();
    let release = () => {};
    const gate = new Promise<void>((resolve) => release = resolve);
    disk.onFlush = () => gate;
    const moving = database.shorten()!;
    ledger.write();
    const { size } = fs.statSync(`${path}-wal`);
    assertEquals(size < 1_000_000, true);
    release();
    await moving;
    // It is not moved once more: there is something new in it.
    assertEquals(fs.statSync(`${path}-wal`).size, size);
    database.close();
    assertEquals([await ledger.countIn(path), litter(path)], [16, []]);
  }));

test("SqlDatabase.close() comes before a flush has ended, and keeps a log that could not be moved", () =>
  withDisk(async (ledger, database, disk, path) => {
    ledger.write();
    let release = () => {};
    const gate = new Promise<void>((resolve) => release = resolve);
    disk.onFlush = () => gate;
    const flushing = database.flush();
    database.close();
    release();
    await flushing;
    assertEquals([await ledger.countIn(path), litter(path)], [1, []]);
  }).then(() =>
    withDisk(async (ledger, database, disk, path) => {
      ledger.write();
      disk.onFlushNow = (ending) => {
        if (ending === "") throw new Error("Input/output error");
      };
      const error = assertThrows(() => database.close(), OperationError);
      assertEquals(error.code, "database-failed");
      disk.forget("");
      assertEquals([await ledger.countIn(path), litter(path)], [1, []]);
    })
  ));
