/**
 * What an object keeps with each of its sockets: which connection it is, where its client is, and
 * the snapshot of `core/broker/snapshot.ts`. What is too long for the host stands in a table, in
 * parts, and the attachment says so.
 *
 * @module
 */

import { Reader } from "../../core/codec/reader.ts";
import { Writer } from "../../core/codec/writer.ts";
import type { SqlDatabase, SqlStatement } from "../../store/sql_database.ts";

/** Of the 16,384 that the host allows, some are its own. */
const ATTACHED_BYTES_MAX = 16_000;
const PART_BYTES = 1024 * 1024;

const IS_STORED = 1;

/** A connection as its socket's attachment has it. */
export interface Attached {
  readonly id: number;
  readonly remoteAddress: string;
  readonly snapshot: Uint8Array;
  readonly isStored: boolean;
}

/** Writes what comes before the snapshot. */
export function beginAttachment(writer: Writer, id: number, remoteAddress: string): void {
  writer.length = 0;
  writer.u8(0);
  writer.u32(id);
  writer.string(remoteAddress);
}

type Statements = Readonly<Record<"add" | "read" | "remove" | "list", SqlStatement>>;

export class Attachments {
  readonly #database: SqlDatabase;
  #statements: Statements | undefined;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  /** What to attach for the bytes that were written; `wasStored` is whether the last was. */
  pack(
    bytes: Uint8Array,
    id: number,
    remoteAddress: string,
    wasStored: boolean,
  ): Uint8Array<ArrayBuffer> {
    if (wasStored) this.forget(id);
    if (bytes.length <= ATTACHED_BYTES_MAX) return Uint8Array.from(bytes);
    const { add } = this.#prepared();
    for (let at = 0, part = 0; at < bytes.length; at += PART_BYTES, part++) {
      add.run(id, part, bytes.slice(at, at + PART_BYTES));
    }
    const writer = new Writer(new Uint8Array(64));
    beginAttachment(writer, id, remoteAddress);
    writer.bytes[0] = IS_STORED;
    return Uint8Array.from(writer.bytes.subarray(0, writer.length));
  }

  /** What was attached; `undefined` when the socket is not a connection's any more. */
  unpack(attachment: unknown): Attached | undefined {
    if (!(attachment instanceof Uint8Array) || attachment.length === 0) return undefined;
    const head = readHead(attachment);
    if (!head.isStored) return head;
    const parts = this.#prepared().read.all(head.id).map(([part]) => part as Uint8Array);
    const writer = new Writer(new Uint8Array(64));
    for (const part of parts) writer.raw(part, 0, part.length);
    const { snapshot } = readHead(writer.bytes.subarray(0, writer.length));
    return { ...head, snapshot };
  }

  /** Nothing is stored for a connection any more. */
  forget(id: number): void {
    this.#prepared().remove.run(id);
  }

  /** Nothing is stored but for these: a host that died took its sockets along, and told nobody. */
  keepOnly(ids: ReadonlyMap<number, unknown>): void {
    for (const [id] of this.#prepared().list.all()) {
      if (!ids.has(id as number)) this.forget(id as number);
    }
  }

  #prepared(): Statements {
    if (this.#statements === undefined) {
      const database = this.#database;
      database.exec(`CREATE TABLE IF NOT EXISTS long_attachments (
        id INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (id, part)
      ) WITHOUT ROWID`);
      this.#statements = {
        add: database.prepare("INSERT OR REPLACE INTO long_attachments VALUES (?, ?, ?)"),
        read: database.prepare("SELECT bytes FROM long_attachments WHERE id = ? ORDER BY part"),
        remove: database.prepare("DELETE FROM long_attachments WHERE id = ?"),
        list: database.prepare("SELECT DISTINCT id FROM long_attachments"),
      };
    }
    return this.#statements;
  }
}

/** Which connection a socket is. */
export function attachedId(attachment: unknown): number | undefined {
  return attachment instanceof Uint8Array ? new Reader(attachment, 1, 5).u32() : undefined;
}

function readHead(bytes: Uint8Array): Attached {
  const reader = new Reader(bytes, 0, bytes.length);
  const isStored = (reader.u8() & IS_STORED) !== 0;
  const id = reader.u32();
  const remoteAddress = reader.string();
  return { id, remoteAddress, isStored, snapshot: bytes.subarray(reader.at) };
}
