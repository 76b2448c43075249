/**
 * A session store in a file of SQLite. The database is the client's alone while it is open, so a
 * second process that would send the same messages cannot open it.
 *
 * @module
 */

import { decodeProperties, encodeProperties, NO_PROPERTIES } from "../core/codec/property.ts";
import { PacketType } from "../core/codec/protocol.ts";
import { Reader } from "../core/codec/reader.ts";
import { Writer } from "../core/codec/writer.ts";
import type { DatabaseOptions, SqlDatabase, SqlRow, SqlStatement } from "../store/sql_database.ts";
import { ClientError } from "./client_error.ts";
import type {
  SessionChange,
  SessionStore,
  StoredMessage,
  StoredOutgoing,
  StoredSession,
} from "./session_store.ts";

/** The part of a runtime that opens databases. */
export interface DatabaseOpener {
  openDatabase(options: DatabaseOptions): Promise<SqlDatabase>;
}

/** Which file, by whose means, and how careful. */
export interface SqliteStoreOptions {
  readonly runtime: DatabaseOpener | (() => Promise<DatabaseOpener>);
  /** Made with mode 0600 when it is not there. */
  readonly path: string;
  /** `"full"` unless given; `"normal"` is faster, and a power cut may take the last moments. */
  readonly sync?: DatabaseOptions["sync"];
}

const SCHEMA_VERSION = 1;
const NO_BYTES: Uint8Array = new Uint8Array(0);

const TABLES: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS session (
    only INTEGER PRIMARY KEY CHECK (only = 1), schema INTEGER NOT NULL, client_id TEXT NOT NULL
  )`,
  `CREATE TABLE IF NOT EXISTS outgoing (
    sequence INTEGER PRIMARY KEY, packet_id INTEGER, sent_at INTEGER NOT NULL,
    is_received INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
    qos INTEGER NOT NULL, retain INTEGER NOT NULL, properties BLOB NOT NULL
  )`,
  "CREATE TABLE IF NOT EXISTS held (packet_id INTEGER PRIMARY KEY)",
];

/** Keeps a session in a file. */
export class SqliteSessionStore implements SessionStore {
  readonly #database: SqlDatabase;
  readonly #statements: Statements;

  /**
   * @param database which belongs to the store from here on; `open` opens one.
   * @throws {ClientError} with code `"store-failed"` for one of a later version.
   */
  constructor(database: SqlDatabase) {
    database.transaction(() => {
      for (const table of TABLES) database.exec(table);
    });
    const [row] = database.prepare("SELECT schema FROM session").all();
    if (row !== undefined && row[0] !== SCHEMA_VERSION) {
      throw new ClientError("store-failed", `Cannot use a session store of version "${row[0]}"`);
    }
    this.#database = database;
    this.#statements = prepare(database);
  }

  /**
   * Opens a file, or makes it.
   *
   * @throws {OperationError} with code `"database-locked"` when a process has it open already,
   * `"database-corrupt"`, `"disk-full"`, `"permission-denied"`, `"not-found"` (the folder),
   * `"not-supported"` where the runtime has no SQLite, or `"database-failed"`; a
   * {@linkcode ClientError} with code `"store-failed"` for a file of a later version.
   */
  static async open(options: SqliteStoreOptions): Promise<SqliteSessionStore> {
    const { runtime, path, sync = "full" } = options;
    const opener = typeof runtime === "function" ? await runtime() : runtime;
    const database = await opener.openDatabase({ path, sync });
    try {
      return new SqliteSessionStore(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  load(clientId: string): StoredSession {
    const { owner, setOwner, outgoing, heldIds } = this.#statements;
    const [row] = owner.all();
    if (row === undefined) {
      this.#database.transaction(() => void setOwner.run(SCHEMA_VERSION, clientId));
    } else if (row[0] !== clientId) {
      const message = `Cannot use the session store of client "${row[0]}" for "${clientId}"`;
      throw new ClientError("store-failed", message);
    }
    return {
      outgoing: outgoing.all().map(outgoingOf),
      heldIds: heldIds.all().map(([packetId]) => Number(packetId)),
    };
  }

  commit(changes: readonly SessionChange[]): void {
    this.#database.transaction(() => {
      for (const change of changes) this.#apply(change);
    });
  }

  /** Closes the file; the client that uses it has to be closed before. */
  close(): void {
    this.#database.close();
  }

  #apply(change: SessionChange): void {
    const statements = this.#statements;
    switch (change.kind) {
      case "queued": {
        const { topic, payload, qos, retain, properties } = change.message;
        const encoded = encode(properties);
        statements.queue.run(change.sequence, topic, payload, qos, retain ? 1 : 0, encoded);
        return;
      }
      case "sent":
        statements.send.run(change.packetId, change.sentAt, change.sequence);
        return;
      case "received":
        statements.receive.run(change.sequence);
        return;
      case "removed":
        statements.remove.run(change.sequence);
        return;
      case "held":
        statements.hold.run(change.packetId);
        return;
      case "released":
        statements.release.run(change.packetId);
        return;
      case "session-lost":
        statements.releaseAll.run();
    }
  }
}

type Statements = Readonly<
  Record<
    | "owner"
    | "setOwner"
    | "outgoing"
    | "heldIds"
    | "queue"
    | "send"
    | "receive"
    | "remove"
    | "hold"
    | "release"
    | "releaseAll",
    SqlStatement
  >
>;

function prepare(database: SqlDatabase): Statements {
  return {
    owner: database.prepare("SELECT client_id FROM session"),
    setOwner: database.prepare("INSERT INTO session VALUES (1, ?, ?)"),
    outgoing: database.prepare(
      `SELECT sequence, packet_id, sent_at, is_received, topic, payload, qos, retain, properties
      FROM outgoing ORDER BY sequence`,
    ),
    heldIds: database.prepare("SELECT packet_id FROM held"),
    queue: database.prepare("INSERT INTO outgoing VALUES (?, NULL, 0, 0, ?, ?, ?, ?, ?)"),
    send: database.prepare(
      "UPDATE outgoing SET packet_id = ?, sent_at = ?, is_received = 0 WHERE sequence = ?",
    ),
    receive: database.prepare(
      "UPDATE outgoing SET is_received = 1, payload = x'' WHERE sequence = ?",
    ),
    remove: database.prepare("DELETE FROM outgoing WHERE sequence = ?"),
    hold: database.prepare("INSERT OR IGNORE INTO held VALUES (?)"),
    release: database.prepare("DELETE FROM held WHERE packet_id = ?"),
    releaseAll: database.prepare("DELETE FROM held"),
  };
}

function encode(properties: StoredMessage["properties"]): Uint8Array {
  if (properties === NO_PROPERTIES) return NO_BYTES;
  const writer = new Writer(new Uint8Array(64));
  encodeProperties(writer, properties, PacketType.PUBLISH);
  return writer.bytes.slice(0, writer.length);
}

/** A row as this file has written it: the columns are of these types. */
function outgoingOf(row: SqlRow): StoredOutgoing {
  const [sequence, packetId, sentAt, isReceived, topic, payload, qos, retain, properties] = row;
  const bytes = properties as Uint8Array;
  return {
    sequence: sequence as number,
    packetId: packetId === null ? undefined : packetId as number,
    sentAt: sentAt as number,
    isReceived: isReceived === 1,
    message: {
      topic: topic as string,
      payload: payload as Uint8Array,
      qos: qos as 1 | 2,
      retain: retain === 1,
      properties: bytes.length === 0
        ? NO_PROPERTIES
        : decodeProperties(new Reader(bytes, 0, bytes.length), PacketType.PUBLISH),
    },
  };
}
