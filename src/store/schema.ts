/**
 * The tables of a store, as a list of steps: each leads from one version of the schema to the next.
 * A new file takes all of them, an older one those that it lacks, and a newer one is refused,
 * because what this version does not know it could only damage.
 *
 * A message that waits in one place stands there, in `body`; one that waits in several, or is
 * large, stands once in `messages`, and `holders` has how many rows name it: triggers count them,
 * apart from those that are queued.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import type { SqlDatabase } from "./sql_database.ts";

/** The statements of a step. */
export type SchemaStep = readonly string[];

const FIRST: SchemaStep = [
  `CREATE TABLE sessions (
    number INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL UNIQUE,
    username TEXT,
    is_identified INTEGER NOT NULL,
    protocol_version INTEGER NOT NULL,
    listener TEXT NOT NULL,
    expiry_interval INTEGER NOT NULL,
    ends_at INTEGER
  )`,
  `CREATE TABLE subscriptions (
    session INTEGER NOT NULL,
    filter TEXT NOT NULL,
    qos INTEGER NOT NULL,
    no_local INTEGER NOT NULL,
    retain_as_published INTEGER NOT NULL,
    subscription_id INTEGER NOT NULL,
    owed_after INTEGER,
    owed_up_to INTEGER,
    PRIMARY KEY (session, filter)
  ) WITHOUT ROWID`,
  `CREATE TABLE messages (id INTEGER PRIMARY KEY, body BLOB NOT NULL)`,
  `CREATE TABLE holders (message INTEGER PRIMARY KEY, count INTEGER NOT NULL,
    payload INTEGER NOT NULL)`,
  `CREATE TABLE queued (
    session INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    qos INTEGER NOT NULL,
    retain INTEGER NOT NULL,
    subscription_id INTEGER NOT NULL,
    size INTEGER NOT NULL,
    payload INTEGER NOT NULL,
    message INTEGER,
    body BLOB,
    PRIMARY KEY (session, sequence)
  ) WITHOUT ROWID`,
  `CREATE TABLE inflight (
    session INTEGER NOT NULL,
    packet_id INTEGER NOT NULL,
    place INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    qos INTEGER NOT NULL,
    retain INTEGER NOT NULL,
    subscription_id INTEGER NOT NULL,
    message INTEGER,
    body BLOB,
    PRIMARY KEY (session, packet_id)
  ) WITHOUT ROWID`,
  `CREATE TABLE held_packet_ids (
    session INTEGER NOT NULL,
    packet_id INTEGER NOT NULL,
    PRIMARY KEY (session, packet_id)
  ) WITHOUT ROWID`,
  // What happened to deliveries and identifiers that no other table has, see `log_codec.ts`.
  `CREATE TABLE recent (number INTEGER PRIMARY KEY, records BLOB NOT NULL)`,
  `CREATE TABLE wills (
    session INTEGER PRIMARY KEY,
    message_expiry_interval INTEGER,
    delay INTEGER NOT NULL,
    due_at INTEGER,
    body BLOB NOT NULL
  )`,
  `CREATE TABLE undecided_wills (
    number INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL,
    username TEXT,
    is_identified INTEGER NOT NULL,
    protocol_version INTEGER NOT NULL,
    listener TEXT NOT NULL,
    is_replaced INTEGER NOT NULL,
    body BLOB NOT NULL
  )`,
  `CREATE TABLE retained (
    sequence INTEGER PRIMARY KEY,
    topic TEXT NOT NULL UNIQUE,
    message INTEGER,
    body BLOB
  )`,
  ...["inflight", "retained"].flatMap(countHolders),
  // Who queues many counts them himself.
  countRemoved("queued"),
  // What is left of an exchange of QoS 2 that its receiver has: the identifier alone.
  `CREATE TRIGGER inflight_received AFTER UPDATE OF message ON inflight
    WHEN old.message IS NOT NULL AND new.message IS NULL
    BEGIN ${letGo()} END`,
];

/** Every step so far, the oldest first. */
const SCHEMA: readonly SchemaStep[] = [FIRST];

function countHolders(table: string): SchemaStep {
  return [
    `CREATE TRIGGER ${table}_held AFTER INSERT ON ${table} WHEN new.message IS NOT NULL
      BEGIN UPDATE holders SET count = count + 1 WHERE message = new.message; END`,
    countRemoved(table),
  ];
}

function countRemoved(table: string): string {
  return `CREATE TRIGGER ${table}_let_go AFTER DELETE ON ${table} WHEN old.message IS NOT NULL
    BEGIN ${letGo()} END`;
}

function letGo(): string {
  return `UPDATE holders SET count = count - 1 WHERE message = old.message;
    DELETE FROM messages WHERE id = old.message
      AND id IN (SELECT message FROM holders WHERE message = old.message AND count <= 0);
    DELETE FROM holders WHERE message = old.message AND count <= 0;`;
}

/**
 * Brings a database to the present schema.
 *
 * @throws {OperationError} with code `"not-supported"` when it is of a newer version, or of another
 * program; it is left as it is then.
 */
export function migrate(
  database: SqlDatabase,
  path: string,
  steps: readonly SchemaStep[] = SCHEMA,
): void {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all().map(([name]) => name);
  if (tables.length > 0 && !tables.includes("midge")) {
    throw new OperationError("not-supported", `Database "${path}" is not a store of this broker`);
  }
  const version = tables.length === 0 ? 0 : readNumber(database, "schema") ?? 0;
  if (version > steps.length) {
    throw new OperationError(
      "not-supported",
      `Store "${path}" has schema version ${version}: this broker reads versions up to ` +
        `${steps.length}, a newer one has written it`,
    );
  }
  if (version === steps.length) return;
  database.transaction(() => {
    database.exec(
      "CREATE TABLE IF NOT EXISTS midge (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    );
    for (const statement of steps.slice(version).flat()) database.exec(statement);
    writeNumber(database, "schema", steps.length);
  });
}

/** A number that the store notes about itself. */
export function readNumber(database: SqlDatabase, name: string): number | undefined {
  const [row] = database.prepare("SELECT value FROM midge WHERE name = ?").all(name);
  return typeof row?.[0] === "number" ? row[0] : undefined;
}

export function writeNumber(database: SqlDatabase, name: string, value: number): void {
  database.prepare("INSERT OR REPLACE INTO midge VALUES (?, ?)").run(name, value);
}
