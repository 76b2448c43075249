/**
 * SQLite as Node, Deno and Bun ship it, behind the contract of a store's database: a log of its own
 * beside the file (WAL), and a lock on it until it is closed.
 *
 * Each call goes through a prepared statement, because only those tell on Deno why they failed.
 *
 * @module
 */

import * as fs from "node:fs";
import process from "node:process";
import type * as sqlite from "node:sqlite";
import { OperationError, type OperationErrorCode } from "../../core/base/operation_error.ts";
import type {
  DatabaseOptions,
  SqlDatabase,
  SqlRow,
  SqlStatement,
  SqlValue,
} from "../../store/sql_database.ts";
import { DatabaseFiles, type Disk, SYSTEM_DISK } from "./database_files.ts";
import { keepForOwner } from "./files.ts";

/** Pages given back to the disk at a time, and how many may lie idle in the file. */
const TIDY_PAGES = 256;
const IDLE_PAGES_MAX = 1024;
/** What the log beside the file may keep on the disk once all of it is in the file. */
const LOG_BYTES_KEPT = 16 * 1024 * 1024;
const CACHE_KIB = 16 * 1024;
const PAGE_BYTES_MIN = 512;
/** A log that is longer is moved to the file; SQLite does so at the same length. */
const LOG_BYTES_MAX = 4 * 1024 * 1024;
const SYNCHRONOUS = { full: "FULL", later: "OFF", normal: "NORMAL" } as const;

/**
 * Opens a database, which must not be open anywhere else.
 *
 * @throws {OperationError} as {@linkcode SqlDatabase} does, and with code `"not-found"` when there
 * is no such folder, or `"not-supported"` where the runtime has no SQLite.
 */
export async function openDatabase(
  options: DatabaseOptions,
  disk: Disk = SYSTEM_DISK,
): Promise<SqlDatabase> {
  const { path, sync } = options;
  const { DatabaseSync } = await loadSqlite();
  // SQLite gives the files beside it the mode of this one.
  keepForOwner(path);
  refuseStump(path);
  const database = attempt(path, () => new DatabaseSync(path));
  const files = sync === "later" ? new DatabaseFiles(path, disk) : undefined;
  const opened = new NodeDatabase(path, database, files);
  try {
    opened.exec("PRAGMA locking_mode = EXCLUSIVE");
    // Before anything is written, or it would stay as it is.
    opened.exec("PRAGMA auto_vacuum = INCREMENTAL");
    opened.exec("PRAGMA journal_mode = WAL");
    // What is flushed later is moved later as well, with the flushing in between.
    if (sync === "later") opened.exec("PRAGMA wal_autocheckpoint = 0");
    opened.exec(`PRAGMA synchronous = ${SYNCHRONOUS[sync]}`);
    // Where the system's flush is not the disk's.
    opened.exec(`PRAGMA fullfsync = ${sync === "full" ? 1 : 0}`);
    opened.exec(`PRAGMA journal_size_limit = ${LOG_BYTES_KEPT}`);
    opened.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
    opened.exec("PRAGMA temp_store = MEMORY");
    // Takes the lock, which the mode above keeps.
    opened.transaction(() => {});
  } catch (error) {
    opened.close();
    throw error;
  }
  return opened;
}

/** SQLite takes what has not even the beginning of a page for an empty file, and overwrites it. */
function refuseStump(path: string): void {
  const { size } = fs.statSync(path);
  if (size === 0 || size >= PAGE_BYTES_MIN) return;
  throw new OperationError("database-corrupt", `Cannot use database "${path}": ${NO_DATABASE}`);
}

async function loadSqlite(): Promise<typeof sqlite> {
  try {
    const module = await import("node:sqlite");
    // The first versions of it could not give rows as arrays.
    if ("setReturnArrays" in module.StatementSync.prototype) return module;
  } catch {
    // Told below: there is one reason for a built-in module not to load.
  }
  throw new OperationError(
    "not-supported",
    `SQLite is not part of Node ${process.versions.node}: it is in Node 24, Deno 2.9 and Bun 1.4`,
  );
}

class NodeDatabase implements SqlDatabase {
  readonly flushesLater: boolean;
  readonly #path: string;
  readonly #database: sqlite.DatabaseSync;
  readonly #begin: SqlStatement;
  readonly #commit: SqlStatement;
  readonly #rollback: SqlStatement;
  readonly #idlePages: SqlStatement;
  /** For those whose SQLite waits for no disk. */
  readonly #files: DatabaseFiles | undefined;
  /** The log is being moved to the file. Until the disk has that, the log must stay as it is. */
  #isMoving = false;
  /** How many flushes are under way. */
  #flushing = 0;
  #isClosed = false;

  constructor(path: string, database: sqlite.DatabaseSync, files: DatabaseFiles | undefined) {
    this.#path = path;
    this.#database = database;
    this.#files = files;
    this.flushesLater = files !== undefined;
    this.#begin = this.prepare("BEGIN EXCLUSIVE");
    this.#commit = this.prepare("COMMIT");
    this.#rollback = this.prepare("ROLLBACK");
    this.#idlePages = this.prepare("PRAGMA freelist_count");
  }

  exec(sql: string): void {
    this.prepare(sql).all();
  }

  prepare(sql: string): SqlStatement {
    return attempt(this.#path, () => {
      // The types of some runtimes do not know what all of them do.
      const statement = this.#database.prepare(sql) as unknown as ArrayStatement;
      statement.setReturnArrays(true);
      return new NodeStatement(this.#path, statement);
    });
  }

  transaction(action: () => void): void {
    if (this.#isMoving) this.#moveNow();
    this.#begin.run();
    try {
      action();
      this.#commit.run();
    } catch (error) {
      this.#undo();
      throw error;
    }
  }

  async flush(): Promise<void> {
    await this.#flush((files) => files.flushLog());
  }

  shorten(): Promise<void> | undefined {
    if (this.#files === undefined) return undefined;
    const isLong = this.#onDisk(this.#files, ({ logBytes }) => logBytes > LOG_BYTES_MAX);
    return isLong || this.#isMoving ? this.#move() : undefined;
  }

  checkpoint(): void {
    if (this.#files === undefined) this.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    else this.#moveNow();
  }

  tidy(): void {
    const [row] = this.#idlePages.all();
    if (Number(row![0]) < IDLE_PAGES_MAX) return;
    this.transaction(() => this.exec(`PRAGMA incremental_vacuum(${TIDY_PAGES})`));
  }

  close(): void {
    const log = `${this.#path}-wal`;
    const spare = `${log}-kept`;
    try {
      // SQLite removes the log, and takes it that the file is flushed.
      if (this.#files !== undefined) this.#moveNow();
    } catch (error) {
      fs.linkSync(log, spare);
      throw error;
    } finally {
      this.#isClosed = true;
      attempt(this.#path, () => this.#database.close());
      if (this.#flushing === 0) this.#files?.close();
      if (fs.existsSync(spare)) putBack(spare, log);
    }
  }

  /**
   * Moves the log to the file, and empties it. A power cut at any point finds the log, or the file
   * with all that was in it: the one is on the disk before the other changes.
   */
  async #move(): Promise<void> {
    this.#isMoving = true;
    await this.#flush((files) => files.flushLog());
    if (this.#isMoving) this.exec("PRAGMA wal_checkpoint(PASSIVE)");
    await this.#flush((files) => files.flushFile());
    // Unless somebody could not wait.
    if (this.#isMoving) this.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    // A part of the old log behind the beginning of a new one would be taken for a log.
    await this.#flush((files) => files.flushLog());
    this.#isMoving = false;
  }

  /** The same for who cannot wait. */
  #moveNow(): void {
    const files = this.#files!;
    this.#isMoving = true;
    this.#onDisk(files, () => files.flushLogNow());
    this.exec("PRAGMA wal_checkpoint(PASSIVE)");
    this.#onDisk(files, () => files.flushFileNow());
    this.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    this.#onDisk(files, () => files.flushLogNow());
    this.#isMoving = false;
  }

  async #flush(action: (files: DatabaseFiles) => Promise<void>): Promise<void> {
    const files = this.#files!;
    this.#flushing++;
    try {
      if (!this.#isClosed) await action(files);
    } catch (error) {
      throw this.#diskFailure(error);
    } finally {
      this.#flushing--;
      if (this.#isClosed && this.#flushing === 0) files.close();
    }
  }

  #onDisk<T>(files: DatabaseFiles, action: (files: DatabaseFiles) => T): T {
    try {
      return action(files);
    } catch (error) {
      throw this.#diskFailure(error);
    }
  }

  #diskFailure(cause: unknown): OperationError {
    const message = `Cannot use database "${this.#path}": the disk failed`;
    return new OperationError("database-failed", message, { cause });
  }

  #undo(): void {
    try {
      this.#rollback.run();
    } catch {
      // A disk that fails may have undone it already; the failure itself is what is told.
    }
  }
}

/** The log under its own name, whether or not it has lost that. */
function putBack(spare: string, log: string): void {
  if (fs.existsSync(log)) fs.rmSync(spare);
  else fs.renameSync(spare, log);
}

/** A statement that can give its rows as arrays. */
interface ArrayStatement extends Omit<SqlStatement, "run"> {
  run(...values: readonly SqlValue[]): { readonly changes: number | bigint };
  setReturnArrays(isOn: boolean): void;
}

class NodeStatement implements SqlStatement {
  readonly #path: string;
  readonly #statement: ArrayStatement;

  constructor(path: string, statement: ArrayStatement) {
    this.#path = path;
    this.#statement = statement;
  }

  run(...values: readonly SqlValue[]): number {
    return attempt(this.#path, () => Number(this.#statement.run(...values).changes));
  }

  all(...values: readonly SqlValue[]): SqlRow[] {
    return attempt(this.#path, () => this.#statement.all(...values));
  }

  *iterate(...values: readonly SqlValue[]): Iterable<SqlRow> {
    try {
      yield* this.#statement.iterate(...values);
    } catch (error) {
      throw databaseError(this.#path, error);
    }
  }
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw databaseError(path, error);
  }
}

function databaseError(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !("code" in cause)) return cause;
  if (cause.code !== "ERR_SQLITE_ERROR") return cause;
  const number = "errcode" in cause && typeof cause.errcode === "number" ? cause.errcode : 0;
  // The rest of the number says more than anybody asks.
  const [code, words] = FAULTS[number & 0xff] ?? ["database-failed", cause.message];
  return new OperationError(code, `Cannot use database "${path}": ${words}`, { cause });
}

const NO_DATABASE = "it is not a database";

/** By the result codes of SQLite. */
const FAULTS: Readonly<Record<number, readonly [code: OperationErrorCode, words: string]>> = {
  5: ["database-locked", "it is in use by another program"],
  8: ["permission-denied", "it is read-only"],
  10: ["database-failed", "the disk failed"],
  11: ["database-corrupt", "it is damaged"],
  13: ["disk-full", "the disk is full"],
  26: ["database-corrupt", NO_DATABASE],
};
