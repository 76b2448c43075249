/**
 * Opens the durable store in a file of the present machine, with the clocks of the runtime.
 *
 * @module
 */

import type { Runtime } from "../runtime/runtime.ts";
import type { DatabaseOptions } from "../store/sql_database.ts";
import { SqliteStore } from "../store/sqlite_store.ts";

/** Opens a store, making it when there is none; throws as `openDatabase` and `SqliteStore` do. */
export async function openSqliteStore(
  runtime: Pick<Runtime, "openDatabase" | "now">,
  options: DatabaseOptions,
): Promise<SqliteStore> {
  const database = await runtime.openDatabase(options);
  const clocks = { now: () => runtime.now(), wallClock: () => Date.now() };
  try {
    return new SqliteStore({ database, path: options.path, clocks });
  } catch (error) {
    database.close();
    throw error;
  }
}
