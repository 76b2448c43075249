/**
 * Rows as records: the half of the SQLite store that reads. Tables are read one after another, in
 * pages: a query for each session costs more than what it finds, and so do rows taken one by one.
 *
 * What is read at the start shares memory with its neighbours, because a million small arrays cost
 * more than all that is in them, and each as much as a large one at every collection of garbage.
 *
 * @module
 */

import type { StoredRecord } from "../core/broker/change.ts";
import type { ProtocolVersion, QoS } from "../core/codec/protocol.ts";
import type { Delivery } from "../core/session/delivery.ts";
import { Message } from "../core/session/message.ts";
import { MessageArena } from "../core/session/message_arena.ts";
import type { RecentDelivery } from "./recent_deliveries.ts";
import { NameMemory } from "./name_memory.ts";
import { NumberList } from "./number_list.ts";
import { decodeMessage } from "./record_codec.ts";
import type { SqlDatabase, SqlRow, SqlStatement } from "./sql_database.ts";
import type { LoadLimits } from "./store.ts";
import type { StoreClock } from "./store_clock.ts";

/** Rows of a page where they can be counted, and sessions of a page otherwise. */
const PAGE_ROWS = 2000;
const PAGE_SESSIONS = 500;

/** Retained messages that come in one piece, and share its memory from then on. */
const PACKED_ROWS = 256;

/**
 * A page of retained messages as one row: their sequence numbers, the rows in which those stand
 * that have one of their own, the lengths of the others, and their bytes one after another. It has
 * the bytes of a page in one array, where a row for each would have to make as many.
 */
const PACKED_RETAINED = `SELECT group_concat(sequence), group_concat(id), group_concat(length),
  CAST(group_concat(body, '') AS BLOB) FROM (
    SELECT sequence, coalesce(message, 0) AS id, coalesce(length(body), 0) AS length,
      coalesce(body, x'') AS body
    FROM retained WHERE sequence > ? ORDER BY sequence LIMIT ?)`;

/** How much there was when all was read. */
export interface StoredCounts {
  /** Each counted once, however many hold on to it. */
  messages: number;
  /** Of those. */
  payloadBytes: number;
  retained: number;
  sessions: number;
  subscriptions: number;
  /** Queued and in flight, of all sessions. */
  deliveries: number;
  /** Of them, those that are left in the store. */
  left: number;
}

/** Told of each message that was read from a row of its own. */
type NoteRow = (message: Message, id: number) => void;

export class RecordReader {
  readonly #database: SqlDatabase;
  readonly #clock: StoreClock;
  readonly #noteRow: NoteRow;
  readonly #someQueued: SqlStatement;
  readonly #arena = new MessageArena();
  readonly #names = new NameMemory();

  constructor(database: SqlDatabase, clock: StoreClock, noteRow: NoteRow) {
    this.#database = database;
    this.#clock = clock;
    this.#noteRow = noteRow;
    this.#someQueued = database.prepare(
      `SELECT sequence, qos, retain, subscription_id, message, coalesce(queued.body, messages.body),
        size FROM queued LEFT JOIN messages ON messages.id = message
        WHERE session = ? AND sequence > ? AND coalesce(queued.body, messages.body) IS NOT NULL
        ORDER BY sequence LIMIT ?`,
    );
  }

  /** Gives all that is there, and counts it. */
  *readAll(counts: StoredCounts): Iterable<StoredRecord> {
    const names: Map<number, string> = new Map();
    const [shared] = this.#database.prepare(
      "SELECT count(*), coalesce(sum(payload), 0) FROM holders",
    ).all();
    counts.messages = shared![0] as number;
    counts.payloadBytes = shared![1] as number;
    yield* this.#sessions(names);
    counts.sessions = names.size;
    yield* this.#subscriptions(names, counts);
    yield* this.#inflight(names, counts);
    yield* this.#heldPacketIds(names);
    yield* this.#wills(names);
    yield* this.#undecidedWills();
    yield* this.#left(names, counts);
    yield* this.#retained(counts);
    if (counts.left === 0) return;
    yield { kind: "messages-stored", count: counts.messages, payloadBytes: counts.payloadBytes };
  }

  /**
   * The first of those that wait behind a sequence number, as many as fit the limits; `recent` are
   * those that no table has.
   */
  readQueued(
    session: number,
    after: number,
    { countMax, bytesMax }: LoadLimits,
    recent: Iterable<RecentDelivery>,
  ): Delivery[] {
    const deliveries: Delivery[] = [];
    let bytes = 0;
    for (const [delivery, size] of this.#waiting(session, after, countMax, recent)) {
      bytes += size;
      if (bytes > bytesMax && deliveries.length > 0) break;
      deliveries.push(delivery);
      if (deliveries.length >= countMax) break;
    }
    return deliveries;
  }

  /** Those of the table and the recent ones by their sequence numbers, each with its size. */
  *#waiting(
    session: number,
    after: number,
    countMax: number,
    recent: Iterable<RecentDelivery>,
  ): Iterable<readonly [delivery: Delivery, size: number]> {
    const others = recent[Symbol.iterator]();
    let other = others.next();
    const recentUpTo = function* (sequence: number): Iterable<readonly [Delivery, number]> {
      for (; !other.done && other.value.sequence < sequence; other = others.next()) {
        const { message, qos, retain, subscriptionId, sequence } = other.value;
        if (sequence <= after) continue;
        const delivery = { message, qos, retain, subscriptionId, sequence, recordedAt: 0 };
        yield [delivery, message.keptBytes];
      }
    };
    for (const row of this.#someQueued.iterate(session, after, countMax)) {
      yield* recentUpTo(row[0] as number);
      yield [this.#delivery(row), row[6] as number];
    }
    yield* recentUpTo(Infinity);
  }

  *#sessions(names: Map<number, string>): Iterable<StoredRecord> {
    const rows = this.#byKey(`SELECT number, client_id, username, is_identified, protocol_version,
      listener, expiry_interval, ends_at FROM sessions
      WHERE number > ? ORDER BY number LIMIT ?`);
    for (const row of rows) {
      names.set(row[0] as number, row[1] as string);
      yield {
        kind: "session-set",
        clientId: row[1] as string,
        username: row[2] as string | null ?? undefined,
        isIdentified: row[3] === 1,
        protocolVersion: row[4] as ProtocolVersion,
        listenerName: row[5] as string,
        expiryInterval: row[6] as number,
        endsAt: this.#clock.toInstant(row[7] as number | null),
      };
    }
  }

  *#subscriptions(names: Map<number, string>, counts: StoredCounts): Iterable<StoredRecord> {
    const rows = this.#bySession(
      names,
      `SELECT session, filter, qos, no_local,
      retain_as_published, subscription_id, owed_after, owed_up_to FROM subscriptions
      WHERE session BETWEEN ? AND ?`,
    );
    for (const row of rows) {
      const clientId = names.get(row[0] as number);
      if (clientId === undefined) continue;
      const filter = row[1] as string;
      counts.subscriptions++;
      yield {
        kind: "subscription-set",
        clientId,
        filter,
        qos: row[2] as QoS,
        noLocal: row[3] === 1,
        retainAsPublished: row[4] === 1,
        subscriptionId: row[5] as number,
      };
      if (row[6] === null) continue;
      const after = row[6] as number;
      yield { kind: "retained-owed", clientId, filter, after, upTo: row[7] as number };
    }
  }

  *#inflight(names: Map<number, string>, counts: StoredCounts): Iterable<StoredRecord> {
    const rows = this.#bySession(
      names,
      `SELECT sequence, qos, retain, subscription_id, message,
      coalesce(inflight.body, messages.body), session, packet_id
      FROM inflight LEFT JOIN messages ON messages.id = message
      WHERE session BETWEEN ? AND ? ORDER BY session, place`,
    );
    for (const row of rows) {
      const clientId = names.get(row[6] as number);
      const isLost = row[4] !== null && row[5] === null;
      if (clientId === undefined || isLost) continue;
      const packetId = row[7] as number;
      counts.deliveries++;
      const delivery = this.#delivery(row);
      if (row[4] === null && row[5] !== null) {
        counts.messages++;
        counts.payloadBytes += delivery.message.payloadLength;
      }
      yield { kind: "delivery-sent", clientId, delivery, packetId, wasQueued: false };
      if (row[5] === null) yield { kind: "delivery-received", clientId, packetId };
    }
  }

  *#heldPacketIds(names: Map<number, string>): Iterable<StoredRecord> {
    const rows = this.#bySession(
      names,
      "SELECT session, packet_id FROM held_packet_ids WHERE session BETWEEN ? AND ?",
    );
    for (const row of rows) {
      const clientId = names.get(row[0] as number);
      if (clientId === undefined) continue;
      yield { kind: "packet-id-held", clientId, packetId: row[1] as number };
    }
  }

  *#wills(names: Map<number, string>): Iterable<StoredRecord> {
    const rows = this.#bySession(
      names,
      `SELECT session, message_expiry_interval, delay, due_at, body FROM wills
        WHERE session BETWEEN ? AND ?`,
    );
    for (const row of rows) {
      const clientId = names.get(row[0] as number);
      if (clientId === undefined) continue;
      yield {
        kind: "will-set",
        clientId,
        will: {
          message: this.#message(null, row[4] as Uint8Array),
          messageExpiryInterval: row[1] as number | null ?? undefined,
          delay: row[2] as number,
        },
        dueAt: this.#clock.toInstant(row[3] as number | null),
      };
    }
  }

  *#undecidedWills(): Iterable<StoredRecord> {
    const rows = this.#byKey(`SELECT number, client_id, username, is_identified, protocol_version,
      listener, is_replaced, body FROM undecided_wills
      WHERE number > ? ORDER BY number LIMIT ?`);
    for (const row of rows) {
      yield {
        kind: "undecided-will-set",
        number: row[0] as number,
        owner: {
          clientId: row[1] as string,
          username: row[2] as string | null ?? undefined,
          isIdentified: row[3] === 1,
          protocolVersion: row[4] as ProtocolVersion,
          listenerName: row[5] as string,
        },
        isReplaced: row[6] === 1,
        message: this.#message(null, row[7] as Uint8Array),
      };
    }
  }

  *#left(names: Map<number, string>, counts: StoredCounts): Iterable<StoredRecord> {
    const rows = this.#bySession(
      names,
      `SELECT session, count(*), sum(size), sum(qos = 0),
      max(sequence), sum(message IS NULL), sum(iif(message IS NULL, payload, 0)) FROM queued
      WHERE session BETWEEN ? AND ? GROUP BY session`,
    );
    for (const row of rows) {
      const clientId = names.get(row[0] as number);
      if (clientId === undefined) continue;
      counts.deliveries += row[1] as number;
      counts.left += row[1] as number;
      counts.messages += row[5] as number;
      counts.payloadBytes += row[6] as number;
      yield {
        kind: "deliveries-left",
        clientId,
        count: row[1] as number,
        bytes: row[2] as number,
        qos0Count: row[3] as number,
        lastSequence: row[4] as number,
      };
    }
  }

  *#retained(counts: StoredCounts): Iterable<StoredRecord> {
    const page = this.#database.prepare(PACKED_RETAINED);
    const one = this.#database.prepare("SELECT body FROM messages WHERE id = ?");
    for (let last = 0;;) {
      const [row] = page.all(last, PACKED_ROWS);
      const [sequences, ids, lengths, bytes] = row as [string | null, string, string, Uint8Array];
      if (sequences === null) return;
      const idList = new NumberList(ids);
      const lengthList = new NumberList(lengths);
      let start = 0;
      for (const list = new NumberList(sequences); !list.isOver;) {
        last = list.next();
        const id = idList.next();
        const end = start + lengthList.next();
        let message: Message;
        if (id === 0) {
          message = decodeMessage(bytes, start, end, this.#clock, this.#names);
          counts.messages++;
          counts.payloadBytes += message.payloadLength;
        } else {
          const [shared] = one.all(id);
          if (shared === undefined) continue;
          message = this.#message(id, shared[0] as Uint8Array);
        }
        start = end;
        message.retainedSequence = last;
        counts.retained++;
        yield { kind: "retained-set", message };
      }
    }
  }

  #delivery(row: SqlRow): Delivery {
    const body = row[5] as Uint8Array | null;
    return {
      // Who has it already needs its identifier only.
      message: body === null ? new Message().own() : this.#message(row[4] as number | null, body),
      qos: row[1] as QoS,
      retain: row[2] === 1,
      subscriptionId: row[3] as number,
      sequence: row[0] as number,
      recordedAt: 0,
    };
  }

  #message(id: number | null, body: Uint8Array): Message {
    const start = this.#arena.place(body.length);
    const { bytes } = this.#arena;
    if (start >= 0) bytes.set(body, start);
    const message = start < 0
      ? decodeMessage(body, 0, body.length, this.#clock, this.#names)
      : decodeMessage(bytes, start, start + body.length, this.#clock, this.#names);
    if (id !== null) this.#noteRow(message, id);
    return message;
  }

  /** Rows of a table by its key, which is their first column. */
  *#byKey(sql: string): Iterable<SqlRow> {
    const statement = this.#database.prepare(sql);
    let rows = statement.all(0, PAGE_ROWS);
    while (rows.length > 0) {
      yield* rows;
      rows = statement.all(rows.at(-1)![0]!, PAGE_ROWS);
    }
  }

  /** Rows of what sessions have, in the order of these. */
  *#bySession(names: ReadonlyMap<number, string>, sql: string): Iterable<SqlRow> {
    const statement = this.#database.prepare(sql);
    const numbers = [...names.keys()];
    for (let at = 0; at < numbers.length; at += PAGE_SESSIONS) {
      const last = numbers[Math.min(at + PAGE_SESSIONS, numbers.length) - 1]!;
      yield* statement.all(numbers[at]!, last);
    }
  }
}
