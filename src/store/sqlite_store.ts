/**
 * The durable store, over SQLite: each batch of changes is one transaction. How changes become rows
 * is in `change_writer.ts`, how rows become records in `record_reader.ts`, the tables in
 * `schema.ts`; here is what holds for all of them: transactions, time, failures.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import type { Change, StoredRecord } from "../core/broker/change.ts";
import { MqttError } from "../core/codec/error.ts";
import type { Delivery } from "../core/session/delivery.ts";
import { ChangeWriter } from "./change_writer.ts";
import { RecordReader, type StoredCounts } from "./record_reader.ts";
import { migrate, readNumber, writeNumber } from "./schema.ts";
import type { SqlDatabase } from "./sql_database.ts";
import type { LoadLimits, Store } from "./store.ts";
import { type Clocks, MARK_MS, StoreClock } from "./store_clock.ts";

/** After so many batches some of the disk space is given back that is not used any more. */
const TIDY_BATCHES = 64;

export interface SqliteStoreOptions {
  readonly database: SqlDatabase;
  /** For messages of errors. */
  readonly path: string;
  readonly clocks: Clocks;
}

export class SqliteStore implements Store {
  readonly #database: SqlDatabase;
  readonly #path: string;
  readonly #clock: StoreClock;
  readonly #writer: ChangeWriter;
  readonly #reader: RecordReader;
  #isNew: boolean;
  #counts: StoredCounts | undefined;
  #markedAt = 0;
  #batches = 0;
  /** Changes that are in the database, though nobody knows whether they are on the disk. */
  #unflushed = 0;
  /** What the next batch waits for. */
  #shortening: Promise<void> | undefined;

  /**
   * Takes a database over.
   *
   * @throws {OperationError} with code `"not-supported"` when it is that of another program or of a
   * newer version, and with those of the database.
   */
  constructor({ database, path, clocks }: SqliteStoreOptions) {
    this.#database = database;
    this.#path = path;
    migrate(database, path);
    const stored = readNumber(database, "time");
    const wall = readNumber(database, "wall_clock");
    this.#isNew = stored === undefined;
    const last = stored === undefined || wall === undefined ? undefined : { stored, wall };
    this.#clock = new StoreClock(clocks, last);
    this.#writer = new ChangeWriter(database, this.#clock);
    this.#reader = new RecordReader(
      database,
      this.#clock,
      (message, id) => this.#writer.noteRow(message, id),
    );
  }

  /** How much `load` has given; `undefined` before. */
  get counts(): Readonly<StoredCounts> | undefined {
    return this.#counts;
  }

  /** Whether nothing has ever been committed to it. */
  get isNew(): boolean {
    return this.#isNew;
  }

  *load(): Iterable<StoredRecord> {
    this.#counts = {
      messages: 0,
      payloadBytes: 0,
      retained: 0,
      sessions: 0,
      subscriptions: 0,
      deliveries: 0,
      left: 0,
    };
    try {
      const isStored = this.#canStoreRecent();
      yield* this.#reader.readAll(this.#counts);
      if (!isStored) yield* this.#writer.recentChanges();
    } catch (error) {
      throw this.#readFailure(error);
    }
  }

  commit(changes: readonly Change[]): void | Promise<void> {
    const shortening = this.#shortening ?? this.#database.shorten();
    this.#shortening = undefined;
    if (shortening === undefined) return this.#commit(changes);
    return shortening.then(() => this.#commit(changes));
  }

  #commit(changes: readonly Change[]): void | Promise<void> {
    const database = this.#database;
    const { stored } = this.#clock.mark();
    const isMarkDue = stored - this.#markedAt >= MARK_MS;
    try {
      database.transaction(() => {
        this.#writer.write(changes.slice(this.#unflushed));
        if (isMarkDue) this.#mark();
      });
    } catch (error) {
      throw this.#readFailure(error);
    }
    if (isMarkDue) this.#markedAt = stored;
    this.#writer.settle();
    this.#isNew = false;
    if (++this.#batches % TIDY_BATCHES === 0) database.tidy();
    if (!database.flushesLater) return;
    return this.#flush(changes.length);
  }

  loadDeliveries(clientId: string, afterSequence: number, limits: LoadLimits): Delivery[] {
    const session = this.#writer.numberOf(clientId);
    if (session === undefined) return [];
    try {
      const waiting = this.#writer.waiting(session);
      return this.#reader.readQueued(session, afterSequence, limits, waiting);
    } catch (error) {
      throw this.#readFailure(error);
    }
  }

  /** Brings all that is committed into the one file, for those who want to copy it. */
  checkpoint(): void {
    this.#storeRecent();
    this.#database.checkpoint();
  }

  close(): void {
    try {
      this.#database.transaction(() => {
        this.#writer.writeRecent();
        this.#mark();
      });
    } finally {
      this.#database.close();
    }
  }

  /** From the log into the tables. */
  #storeRecent(): void {
    this.#database.transaction(() => this.#writer.writeRecent());
    this.#writer.settle();
  }

  /** Who cannot write may read all the same: a full disk keeps nobody from starting. */
  #canStoreRecent(): boolean {
    try {
      this.#storeRecent();
      return true;
    } catch (error) {
      if (error instanceof OperationError && error.code === "disk-full") return false;
      throw error;
    }
  }

  /** The disk has all there is, and those who waited for that are told before the log is moved. */
  async #flush(count: number): Promise<void> {
    this.#unflushed = count;
    await this.#database.flush();
    this.#unflushed = 0;
    this.#shortening = this.#database.shorten();
    // Who commits next is told.
    this.#shortening?.catch(() => {});
  }

  #mark(): void {
    const { stored, wall } = this.#clock.mark();
    writeNumber(this.#database, "time", stored);
    writeNumber(this.#database, "wall_clock", wall);
  }

  /** Bytes that are no message were not written by us, or not read as they were written. */
  #readFailure(error: unknown): unknown {
    if (!(error instanceof MqttError)) return error;
    return new OperationError(
      "database-corrupt",
      `Cannot use database "${this.#path}": it is damaged`,
      { cause: error },
    );
  }
}
