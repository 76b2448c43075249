/**
 * The deliveries and held identifiers that a store has in its log alone. Most of them are over
 * before they are worth a row: what has begun here and ends here never touches a table.
 *
 * Each session's are found by sequence number while they wait, and by packet identifier from then
 * on. Nothing is decided here, and what is not known here belongs to the tables.
 *
 * @module
 */

import type { QoS } from "../core/codec/protocol.ts";
import type { Message } from "../core/session/message.ts";

/** A delivery as far as it has come. */
export interface RecentDelivery {
  /** How many have begun before it; `add` counts. */
  number: number;
  readonly session: number;
  readonly sequence: number;
  readonly message: Message;
  readonly retain: boolean;
  readonly subscriptionId: number;
  qos: QoS;
  /** 0 while it waits. */
  packetId: number;
  /** Where it stands among all that are in flight. */
  place: number;
  /** Only its identifier is left to be released. */
  isReceived: boolean;
  /** It has been taken out. */
  isOver: boolean;
}

interface RecentSession {
  readonly waiting: Map<number, RecentDelivery>;
  readonly inflight: Map<number, RecentDelivery>;
  readonly held: Set<number>;
}

/** Beside its message, roughly. */
const DELIVERY_BYTES = 200;
/** So many that are over may stand before the oldest. */
const OVER_MAX = 4096;

export class RecentDeliveries {
  /** What is known of them, in bytes of memory, roughly. */
  bytes = 0;
  /** How many have begun. */
  begun = 0;
  /** The last place that any of them was given. */
  lastPlace = 0;
  readonly #sessions: Map<number, RecentSession> = new Map();
  /** The oldest first, among some that are over. */
  #all: RecentDelivery[] = [];
  /** Those before it are over. */
  #first = 0;

  /** All of them, the oldest first; those that are given may be taken out meanwhile. */
  *all(): Iterable<RecentDelivery> {
    for (let index = this.#first; index < this.#all.length; index++) {
      const delivery = this.#all[index]!;
      if (!delivery.isOver) yield delivery;
    }
  }

  *held(): Iterable<readonly [session: number, packetId: number]> {
    for (const [session, { held }] of this.#sessions) {
      for (const packetId of held) yield [session, packetId];
    }
  }

  /** Those of a session that wait, in their order. */
  waiting(session: number): Iterable<RecentDelivery> {
    return this.#sessions.get(session)?.waiting.values() ?? [];
  }

  add(delivery: RecentDelivery): void {
    const { waiting, inflight } = this.#session(delivery.session);
    delivery.number = this.begun++;
    this.lastPlace = Math.max(this.lastPlace, delivery.place);
    if (delivery.packetId === 0) waiting.set(delivery.sequence, delivery);
    else inflight.set(delivery.packetId, delivery);
    if (this.#first > OVER_MAX && this.#first > this.#all.length / 2) {
      this.#all = this.#all.slice(this.#first);
      this.#first = 0;
    }
    this.#all.push(delivery);
    this.bytes += bytesOf(delivery);
  }

  /** One that waits is in flight; `false` when it is not known. */
  send(session: number, sequence: number, packetId: number, qos: QoS, place: number): boolean {
    const recent = this.#sessions.get(session);
    const delivery = recent?.waiting.get(sequence);
    if (recent === undefined || delivery === undefined) return false;
    recent.waiting.delete(sequence);
    delivery.qos = qos;
    delivery.packetId = packetId;
    delivery.place = place;
    this.lastPlace = Math.max(this.lastPlace, place);
    recent.inflight.set(packetId, delivery);
    return true;
  }

  receive(session: number, packetId: number): boolean {
    const delivery = this.#sessions.get(session)?.inflight.get(packetId);
    if (delivery === undefined) return false;
    delivery.isReceived = true;
    return true;
  }

  /** One that is in flight is over; `false` when it is not known. */
  finish(session: number, packetId: number): boolean {
    const recent = this.#sessions.get(session);
    const delivery = recent?.inflight.get(packetId);
    if (recent === undefined || delivery === undefined) return false;
    recent.inflight.delete(packetId);
    this.#end(delivery);
    return true;
  }

  /** One that waits is over; `false` when it is not known. */
  drop(session: number, sequence: number): boolean {
    const recent = this.#sessions.get(session);
    const delivery = recent?.waiting.get(sequence);
    if (recent === undefined || delivery === undefined) return false;
    recent.waiting.delete(sequence);
    this.#end(delivery);
    return true;
  }

  take(delivery: RecentDelivery): void {
    const { waiting, inflight } = this.#session(delivery.session);
    if (delivery.packetId === 0) waiting.delete(delivery.sequence);
    else inflight.delete(delivery.packetId);
    this.#end(delivery);
  }

  hold(session: number, packetId: number): void {
    this.#session(session).held.add(packetId);
  }

  release(session: number, packetId: number): boolean {
    return this.#sessions.get(session)?.held.delete(packetId) ?? false;
  }

  /** The session is no more. */
  forget(session: number): void {
    const recent = this.#sessions.get(session);
    if (recent === undefined) return;
    for (const delivery of [...recent.waiting.values(), ...recent.inflight.values()]) {
      this.take(delivery);
    }
    this.#sessions.delete(session);
  }

  /** Lets go of sessions of which nothing is left. */
  sweep(): void {
    for (const [session, { waiting, inflight, held }] of this.#sessions) {
      if (waiting.size + inflight.size + held.size === 0) this.#sessions.delete(session);
    }
  }

  clear(): void {
    this.#sessions.clear();
    this.#all = [];
    this.#first = 0;
    this.bytes = 0;
  }

  #end(delivery: RecentDelivery): void {
    delivery.isOver = true;
    this.bytes -= bytesOf(delivery);
    while (this.#first < this.#all.length && this.#all[this.#first]!.isOver) this.#first++;
  }

  #session(number: number): RecentSession {
    let recent = this.#sessions.get(number);
    if (recent === undefined) {
      recent = { waiting: new Map(), inflight: new Map(), held: new Set() };
      this.#sessions.set(number, recent);
    }
    return recent;
  }
}

/** What a delivery takes up in memory, roughly. */
export function bytesOf({ message }: RecentDelivery): number {
  return DELIVERY_BYTES + message.keptBytes;
}
