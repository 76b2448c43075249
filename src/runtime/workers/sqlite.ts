/**
 * The storage of an object as a SQL database. The host keeps it on its disk and commits what an
 * event has written as one; it holds whatever the object sends until that is durable, so there is
 * nothing to flush, and no journal of SQLite's to look after.
 *
 * @module
 */

import { OperationError } from "../../core/base/operation_error.ts";
import type { SqlDatabase, SqlRow, SqlStatement, SqlValue } from "../../store/sql_database.ts";
import type { ObjectStorage } from "./workers_api.ts";

export class ObjectDatabase implements SqlDatabase {
  readonly flushesLater = false;
  readonly #storage: ObjectStorage;

  constructor(storage: ObjectStorage) {
    this.#storage = storage;
  }

  exec(sql: string): void {
    guarded(() => this.#storage.sql.exec(sql));
  }

  /** The host remembers statements by their text. */
  prepare(text: string): SqlStatement {
    const { sql } = this.#storage;
    return {
      // Rows of indexes and of triggers count as well; nobody asks for more than whether any did.
      run: (...values) => guarded(() => sql.exec(text, ...values).rowsWritten),
      all: (...values) => guarded(() => Array.from(sql.exec(text, ...values).raw(), rowOf)),
      iterate: function* (...values) {
        const rows = guarded(() => sql.exec(text, ...values).raw()[Symbol.iterator]());
        for (let next = guarded(() => rows.next()); next.done !== true;) {
          yield rowOf(next.value);
          next = guarded(() => rows.next());
        }
      },
    };
  }

  transaction(action: () => void): void {
    this.#storage.transactionSync(action);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  shorten(): undefined {}

  checkpoint(): void {}

  tidy(): void {}

  close(): void {}
}

function rowOf(row: (ArrayBuffer | string | number | null)[]): SqlRow {
  // Bytes come in memory of their own, and everything else as the stores have it.
  return row.map((value): SqlValue => value instanceof ArrayBuffer ? new Uint8Array(value) : value);
}

/** The failures of the host by what they mean. */
function guarded<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const code = detail.includes("SQLITE_FULL") ? "disk-full" : "database-failed";
    throw new OperationError(code, `Cannot use the object's storage: ${detail}`, { cause: error });
  }
}
