/**
 * Changes as rows: the half of the SQLite store that writes. What a delivery goes through is a
 * record in the log (`recent_log.ts`) as long as the log knows the delivery; every other change is
 * one statement or two, found by the number of its session. Who holds which message is counted by
 * the triggers of the schema.
 *
 * What is remembered between batches must stay right when one of them is undone. So numbers are
 * never given twice, a session that was removed is forgotten only once that is committed, a
 * message is written again when its row turns out not to be there, and the log is read again.
 *
 * @module
 */

import { unreachable } from "../core/base/assert.ts";
import type { Change } from "../core/broker/change.ts";
import type { Delivery } from "../core/session/delivery.ts";
import type { Message } from "../core/session/message.ts";
import { prepareAll, type Statements } from "./change_statements.ts";
import { MessageTable } from "./message_table.ts";
import type { RecentDelivery } from "./recent_deliveries.ts";
import { RecentLog } from "./recent_log.ts";
import { MessageEncoder } from "./record_codec.ts";
import type { SqlDatabase, SqlStatement } from "./sql_database.ts";
import type { StoreClock } from "./store_clock.ts";

/** One that is larger than this is not worth writing twice, should its delivery take long. */
const LOGGED_BYTES_MAX = 4096;

/** Where nothing stands. */
const NOWHERE = [null, null] as const;

/** All there is of a session, by table. */
const SESSION_TABLES = ["subscriptions", "queued", "inflight", "held_packet_ids", "wills"];

export class ChangeWriter {
  readonly #clock: StoreClock;
  readonly #encoder: MessageEncoder;
  readonly #statements: Statements;
  readonly #log: RecentLog;
  readonly #removals: readonly SqlStatement[];
  /** Each session's number. */
  readonly #numbers: Map<string, number>;
  /** Sessions that may have rows of held identifiers. */
  readonly #holding: Set<number> = new Set();
  /** Removed by the present batch. */
  readonly #removed: Set<string> = new Set();
  readonly #messages: MessageTable;
  #lastNumber: number;
  #lastPlace: number;

  constructor(database: SqlDatabase, clock: StoreClock) {
    this.#clock = clock;
    this.#encoder = new MessageEncoder(clock);
    this.#statements = prepareAll(database);
    const last = (column: string, table: string): number =>
      Number(database.prepare(`SELECT max(${column}) FROM ${table}`).all()[0]![0] ?? 0);
    this.#messages = new MessageTable(this.#statements, this.#encoder, last("id", "messages"));
    this.#removals = [
      ...SESSION_TABLES.map((table) => `DELETE FROM ${table} WHERE session = ?`),
      "DELETE FROM sessions WHERE number = ?",
    ].map((sql) => database.prepare(sql));
    this.#numbers = new Map();
    for (const row of database.prepare("SELECT client_id, number FROM sessions").iterate()) {
      this.#numbers.set(row[0] as string, row[1] as number);
    }
    this.#lastNumber = last("number", "sessions");
    this.#lastPlace = last("place", "inflight");
    for (const row of database.prepare("SELECT DISTINCT session FROM held_packet_ids").iterate()) {
      this.#holding.add(row[0] as number);
    }
    this.#log = new RecentLog(database, clock, this.#messages);
  }

  /** Deliveries of a session that wait and that no table has, in their order. */
  waiting(session: number): Iterable<RecentDelivery> {
    this.#log.recall();
    return this.#log.recent.waiting(session);
  }

  /** The number of a session that is there. */
  numberOf(clientId: string): number | undefined {
    return this.#numbers.get(clientId);
  }

  /** A message that was read has a row of its own, or had one. */
  noteRow(message: Message, id: number): void {
    this.#messages.noteRow(message, id);
  }

  /** What is in the log alone, as the changes that lead there. */
  *recentChanges(): Iterable<Change> {
    this.#log.recall();
    const { recent } = this.#log;
    const names = new Map([...this.#numbers].map(([clientId, number]) => [number, clientId]));
    for (const one of [...recent.all()].sort((one, other) => one.place - other.place)) {
      const { session, packetId, message, qos, retain, subscriptionId, sequence } = one;
      const clientId = names.get(session)!;
      const delivery = { message, qos, retain, subscriptionId, sequence, recordedAt: 0 };
      if (packetId === 0) yield { kind: "delivery-queued", clientId, delivery };
      else yield { kind: "delivery-sent", clientId, delivery, packetId, wasQueued: false };
      if (one.isReceived) yield { kind: "delivery-received", clientId, packetId };
    }
    for (const [session, packetId] of recent.held()) {
      yield { kind: "packet-id-held", clientId: names.get(session)!, packetId };
    }
  }

  /** Writes changes; the caller has begun a transaction, and calls `settle` when it is over. */
  write(changes: readonly Change[]): void {
    this.#removed.clear();
    const log = this.#log;
    log.begin();
    const { recent } = log;
    this.#lastPlace = Math.max(this.#lastPlace, recent.lastPlace);
    const shared = this.#messages.pin(storedBy(changes));
    for (const change of changes) this.#write(change);
    this.#messages.unpin(shared);
    this.#store(log.outgrown());
    log.end();
  }

  /** Brings all that is in the log alone into the tables; as with `write`. */
  writeRecent(): void {
    this.#removed.clear();
    const log = this.#log;
    log.begin();
    this.#store(new Set(log.recent.all()));
    for (const [session, packetId] of log.recent.held()) {
      this.#holding.add(session);
      this.#statements.hold.run(session, packetId);
    }
    log.empty();
  }

  /** What was written last is committed. */
  settle(): void {
    for (const clientId of this.#removed) this.#numbers.delete(clientId);
    this.#removed.clear();
    this.#log.settle();
  }

  /** Moves deliveries from the log to the tables. */
  #store(deliveries: ReadonlySet<RecentDelivery>): void {
    if (deliveries.size === 0) return;
    const messages = [...deliveries].flatMap((one) => one.isReceived ? [] : [one.message]);
    const shared = this.#messages.pin(messages);
    for (const delivery of deliveries) {
      this.#storeOne(delivery);
      this.#log.store(delivery);
    }
    this.#messages.unpin(shared);
  }

  #storeOne(delivery: RecentDelivery): void {
    const { session, sequence, qos, subscriptionId, message, packetId } = delivery;
    const { queue, send } = this.#statements;
    const [row, body] = delivery.isReceived ? NOWHERE : this.#messages.place(message);
    const flag = delivery.retain ? 1 : 0;
    if (packetId === 0) {
      const { keptBytes: size, payloadLength } = message;
      queue.run(session, sequence, qos, flag, subscriptionId, size, payloadLength, row, body);
      if (row !== null) this.#messages.countQueued(message);
    } else {
      const { place } = delivery;
      send.run(session, packetId, place, sequence, qos, flag, subscriptionId, row, body);
    }
  }

  #write(change: Change): void {
    const statements = this.#statements;
    switch (change.kind) {
      case "session-set":
        statements.setSession.run(
          this.#numberFor(change.clientId),
          change.clientId,
          change.username ?? null,
          change.isIdentified ? 1 : 0,
          change.protocolVersion,
          change.listenerName,
          change.expiryInterval,
          this.#clock.toStored(change.endsAt),
        );
        return;
      case "retained-set": {
        const { message } = change;
        const [row, body] = this.#messages.place(message);
        statements.removeRetained.run(message.topic);
        statements.addRetained.run(message.retainedSequence, message.topic, row, body);
        return;
      }
      case "retained-removed":
        statements.removeRetained.run(change.topic);
        return;
      case "undecided-will-set": {
        const { number, owner, isReplaced, message } = change;
        statements.setUndecidedWill.run(
          number,
          owner.clientId,
          owner.username ?? null,
          owner.isIdentified ? 1 : 0,
          owner.protocolVersion,
          owner.listenerName,
          isReplaced ? 1 : 0,
          this.#encoder.encode(message),
        );
        return;
      }
      case "undecided-will-removed":
        statements.removeUndecidedWill.run(change.number);
        return;
      default: {
        const session = this.#numbers.get(change.clientId);
        // Whoever changes what a session has that is not there changes nothing.
        if (session !== undefined) this.#writeIn(session, change);
      }
    }
  }

  #writeIn(session: number, change: SessionChange): void {
    const statements = this.#statements;
    const log = this.#log;
    switch (change.kind) {
      case "session-removed":
        for (const removal of this.#removals) removal.run(session);
        log.forget(session);
        this.#removed.add(change.clientId);
        return;
      case "subscription-set":
        statements.setSubscription.run(
          session,
          change.filter,
          change.qos,
          change.noLocal ? 1 : 0,
          change.retainAsPublished ? 1 : 0,
          change.subscriptionId,
        );
        return;
      case "subscription-removed":
        statements.removeSubscription.run(session, change.filter);
        return;
      case "retained-owed":
        statements.setOwed.run(change.after, change.upTo, session, change.filter);
        return;
      case "retained-paid":
        statements.setOwed.run(null, null, session, change.filter);
        return;
      case "delivery-queued":
        this.#begin(session, change.delivery, 0, 0);
        return;
      case "delivery-sent":
        this.#send(session, change.packetId, change.delivery, change.wasQueued);
        return;
      case "delivery-received":
        if (!log.receive(session, change.packetId)) {
          statements.receive.run(session, change.packetId);
        }
        return;
      case "delivery-finished":
        if (!log.finish(session, change.packetId)) statements.finish.run(session, change.packetId);
        return;
      case "delivery-dropped":
        if (!log.drop(session, change.sequence)) statements.unqueue.run(session, change.sequence);
        return;
      case "packet-id-held":
        log.hold(session, change.packetId);
        return;
      case "packet-id-released":
        log.release(session, change.packetId);
        if (this.#holding.has(session)) statements.release.run(session, change.packetId);
        return;
      case "will-set": {
        const { message, messageExpiryInterval, delay } = change.will;
        const dueAt = this.#clock.toStored(change.dueAt);
        const body = this.#encoder.encode(message);
        statements.setWill.run(session, messageExpiryInterval ?? null, delay, dueAt, body);
        return;
      }
      case "will-removed":
        statements.removeWill.run(session);
        return;
      default:
        unreachable(change);
    }
  }

  #send(session: number, packetId: number, delivery: Delivery, wasQueued: boolean): void {
    const { sequence, qos } = delivery;
    const place = ++this.#lastPlace;
    if (wasQueued) {
      if (this.#log.send(session, sequence, packetId, qos, place)) return;
      const moved = this.#statements.move.run(packetId, place, qos, session, sequence);
      this.#statements.unqueue.run(session, sequence);
      if (moved > 0) return;
    }
    this.#begin(session, delivery, packetId, place);
  }

  #begin(session: number, delivery: Delivery, packetId: number, place: number): void {
    const { message, qos, retain, subscriptionId, sequence } = delivery;
    const begun = {
      number: 0,
      session,
      sequence,
      message,
      retain,
      subscriptionId,
      qos,
      packetId,
      place,
      isReceived: false,
      isOver: false,
    };
    if (isLogged(delivery)) this.#log.add(begun);
    else this.#storeOne(begun);
  }

  #numberFor(clientId: string): number {
    this.#removed.delete(clientId);
    let number = this.#numbers.get(clientId);
    if (number === undefined) {
      number = ++this.#lastNumber;
      this.#numbers.set(clientId, number);
    }
    return number;
  }
}

type SessionChange = Exclude<
  Extract<Change, { readonly clientId: string }>,
  { readonly kind: "session-set" }
>;

/**
 * The messages of which the changes need copies in the tables, other than Wills' messages: those
 * that are retained, too, if a delivery that begins in the log is going to need one.
 */
function storedBy(changes: readonly Change[]): Message[] {
  const stored: Message[] = [];
  for (const change of changes) if (change.kind === "retained-set") stored.push(change.message);
  const retained = stored.length === 0 ? undefined : new Set(stored);
  for (const change of changes) {
    const isBeginning = change.kind === "delivery-queued" ||
      (change.kind === "delivery-sent" && !change.wasQueued);
    if (!isBeginning) continue;
    const { delivery } = change;
    if (!isLogged(delivery) || retained?.has(delivery.message)) stored.push(delivery.message);
  }
  return stored;
}

/** Whether a delivery begins in the log. */
function isLogged({ message }: Delivery): boolean {
  return message.keptBytes <= LOGGED_BYTES_MAX;
}
