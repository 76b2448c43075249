/**
 * A database any of whose calls may fail: before each that could meet the disk, and before a
 * transaction is committed, a test is asked, and throws what the call is to throw.
 */

import type { SqlDatabase } from "../../src/store/sql_database.ts";

export function faulty(database: SqlDatabase, fault: () => void): SqlDatabase {
  const attempt = <T>(action: () => T): T => {
    fault();
    return action();
  };
  return {
    flushesLater: database.flushesLater,
    exec: (sql) => attempt(() => database.exec(sql)),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      return {
        run: (...values) => attempt(() => statement.run(...values)),
        all: (...values) => attempt(() => statement.all(...values)),
        iterate: (...values) => attempt(() => statement.iterate(...values)),
      };
    },
    transaction: (action) =>
      database.transaction(() => {
        action();
        fault();
      }),
    // deno-lint-ignore require-await -- so that it rejects and does not throw
    flush: async () => attempt(() => database.flush()),
    shorten: () => database.shorten(),
    checkpoint: () => attempt(() => database.checkpoint()),
    tidy: () => attempt(() => database.tidy()),
    close: () => database.close(),
  };
}
