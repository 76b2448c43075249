/**
 * The store of a configuration: where its file is, what is read from Mosquitto's at the first start
 * beside it, and what an operator is told when it cannot be had. What stands in it is the business
 * of `store`.
 *
 * The idea: a store that cannot be read stops the start. Whoever went on without it would overwrite
 * what was acknowledged, or forget it.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import { prng } from "../core/base/prng.ts";
import { BrokerCore } from "../core/broker/broker_core.ts";
import type { Change } from "../core/broker/change.ts";
import { DEFAULT_LISTENER, type Limits } from "../core/broker/limits.ts";
import type { Config, PersistenceConfig } from "../config/config.ts";
import type { Files } from "../runtime/files.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { importMosquittoDb, type MosquittoImport } from "../store/import_mosquitto.ts";
import { MosquittoDbError } from "../store/mosquitto_chunk.ts";
import type { DatabaseOptions } from "../store/sql_database.ts";
import type { SqliteStore } from "../store/sqlite_store.ts";
import type { LogType } from "../telemetry/log_line.ts";
import { limitsOf } from "./limits.ts";
import { openSqliteStore } from "./open_store.ts";
import { ExitStatus, StartError } from "./start_error.ts";

const NOT_OPEN = "Error: Couldn't open database.";

export interface PersistenceOptions {
  readonly runtime: Runtime;
  readonly files: Files;
  readonly log: (type: LogType, text: string) => void;
}

/** An open store, as the program needs it. */
export interface OpenStore {
  readonly store: SqliteStore;
  readonly path: string;
}

/**
 * Opens the store that a configuration asks for; `undefined` when it asks for none.
 *
 * @throws {StartError}
 */
export async function openStore(
  config: Config,
  options: PersistenceOptions,
): Promise<OpenStore | undefined> {
  const { persistence } = config;
  if (!persistence.isOn) return undefined;
  const path = storePath(persistence);
  try {
    const store = await openSqliteStore(options.runtime, { path, sync: syncOf(persistence) });
    try {
      if (store.isNew) store.commit(await firstChanges(config, options));
      return { store, path };
    } catch (error) {
      store.close();
      throw error;
    }
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    throw unopened(`${error.message}.`, error);
  }
}

/** What the log says of a store that was read. */
export function restoredLines({ store }: OpenStore): readonly string[] {
  const { messages, retained, sessions, subscriptions, deliveries } = store.counts!;
  return [
    `Restored ${messages} base messages`,
    `Restored ${retained} retained messages`,
    `Restored ${sessions} clients`,
    `Restored ${subscriptions} subscriptions`,
    `Restored ${deliveries} client messages`,
  ];
}

/** Ours beside Mosquitto's, so that whoever goes back finds that as it was. */
function storePath({ location, file }: PersistenceConfig): string {
  return `${location}/${file.replace(/\.db$/, "")}.midge`;
}

function syncOf({ sync, waitsInThread }: PersistenceConfig): DatabaseOptions["sync"] {
  return sync === "full" && waitsInThread ? "later" : sync;
}

/** What a new store begins with: the contents of Mosquitto's database, if there is one. */
async function firstChanges(config: Config, options: PersistenceOptions): Promise<Change[]> {
  const { location, file } = config.persistence;
  const path = `${location}/${file}`;
  if (await options.files.info(path) === undefined) return [];
  const now = options.runtime.now();
  try {
    const found = importMosquittoDb(await options.files.readBytes(path), {
      clock: { now, epochMs: Date.now() },
      isIdentified: (port) =>
        config.listeners.some((listener) =>
          listener.port === port &&
          (listener.useIdentityAsUsername || listener.useSubjectAsUsername)
        ),
    });
    for (const line of found.warnings) options.log("warning", line);
    options.log("notice", `Importing the database of Mosquitto from ${path}.`);
    return withUnreleased(found, limitsOf(config), now);
  } catch (error) {
    if (!(error instanceof MosquittoDbError)) throw error;
    const text = error.fault === "unsupported-version"
      ? ""
      : "Unable to restore persistent database. ";
    throw unopened(`${text}${error.message}.`, error);
  }
}

/**
 * The changes of an import, and those that come of publishing what Mosquitto had yet to pass on. A
 * broker that lives for this only says which those are.
 */
function withUnreleased(found: MosquittoImport, limits: Limits, now: number): Change[] {
  const core = new BrokerCore({
    limits,
    listener: DEFAULT_LISTENER,
    random: prng(0),
    keepsJournal: true,
  });
  core.restore(found.changes, now);
  for (const message of found.unreleased) core.publish(message, now);
  return [...found.changes, ...core.takeChanges().changes];
}

function unopened(text: string, cause: Error): StartError {
  return new StartError(ExitStatus.FAILED, [`Error: ${text}`, NOT_OPEN], { cause });
}
