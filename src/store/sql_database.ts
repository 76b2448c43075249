/**
 * The contract of a SQL database as the stores need one: a file of SQLite that is this program's
 * alone while it is open. Runtimes provide it (`Runtime.openDatabase`); what stands in the tables
 * is each store's own business.
 *
 * Calls are synchronous, because SQLite is; waiting for a slow disk need not be (`flush`). Whoever
 * writes does so in a `transaction`, which happens whole when it returns, and not at all when it
 * throws.
 *
 * @module
 */

/** Integers up to 2^53, text without U+0000, bytes. */
export type SqlValue = null | number | string | Uint8Array;

/** The values of a row, in the order of the columns asked for. */
export type SqlRow = readonly SqlValue[];

/** A statement, compiled once. */
export interface SqlStatement {
  /** Runs it for what it changes; gives the number of rows changed. */
  run(...values: readonly SqlValue[]): number;
  /** All rows of its result. */
  all(...values: readonly SqlValue[]): SqlRow[];
  /** The rows one by one; nothing may be written while they are read. */
  iterate(...values: readonly SqlValue[]): Iterable<SqlRow>;
}

/**
 * @throws {OperationError} with code `"disk-full"`, `"database-corrupt"`, `"database-locked"`,
 * `"permission-denied"` or `"database-failed"`, from every method.
 */
export interface SqlDatabase {
  /** Runs one statement. */
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  /** Runs `action` as one transaction, committed when it returns and undone when it throws. */
  transaction(action: () => void): void;
  /** Whether a transaction is on the disk only once `flush`, begun after it, has resolved. */
  readonly flushesLater: boolean;
  /** Waits until the disk has every transaction so far, while everything else goes on. */
  flush(): Promise<void>;
  /**
   * Moves a log that has grown long to the file, where transactions are flushed later; one that is
   * begun before this has resolved waits for the disk. `undefined` when there is nothing to be
   * done. What fails is done by the next call.
   */
  shorten(): Promise<void> | undefined;
  /** Moves what is in the log beside the file into the file, and empties the log. */
  checkpoint(): void;
  /** Gives some of the disk space back that is not used any more, and takes little time. */
  tidy(): void;
  close(): void;
}

/** Which database to open, and how careful it is. */
export interface DatabaseOptions {
  /** Made with mode 0600 when it is not there; so is what stands beside it while it is open. */
  readonly path: string;
  /**
   * `"full"` waits at each commit until the disk has it. `"later"` leaves the waiting to `flush`.
   * `"normal"` leaves it to the system, so that a power cut can take the latest commits, though
   * never a part of one.
   */
  readonly sync: "full" | "later" | "normal";
}
