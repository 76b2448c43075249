/**
 * A store that forgets when the process ends: the contract in the plainest code, which tells tests
 * what any other store should answer. Whoever opens a broker on it again finds what was committed.
 *
 * @module
 */

import { unreachable } from "../core/base/assert.ts";
import type { Change, StoredRecord } from "../core/broker/change.ts";
import type { Delivery } from "../core/session/delivery.ts";
import type { Message } from "../core/session/message.ts";
import { NameMemory } from "./name_memory.ts";
import { decodeMessage, MessageEncoder } from "./record_codec.ts";
import type { LoadLimits, Store } from "./store.ts";
import { StoreClock } from "./store_clock.ts";

type ChangeOf<Kind extends Change["kind"]> = Extract<Change, { readonly kind: Kind }>;

interface StoredSession {
  set: ChangeOf<"session-set">;
  readonly subscriptions: Map<string, ChangeOf<"subscription-set">>;
  readonly owed: Map<string, ChangeOf<"retained-owed">>;
  /** By sequence number. */
  readonly queued: Map<number, Delivery>;
  /** By packet identifier, in the order in which they were sent. */
  readonly inflight: Map<number, { readonly delivery: Delivery; isReceived: boolean }>;
  readonly held: Set<number>;
  will: ChangeOf<"will-set"> | undefined;
}

export class MemoryStore implements Store {
  readonly #sessions: Map<string, StoredSession> = new Map();
  readonly #undecidedWills: Map<number, ChangeOf<"undecided-will-set">> = new Map();
  readonly #retained: Map<string, ChangeOf<"retained-set">> = new Map();

  /** Any will do whose instants are all positive. */
  readonly #clock = new StoreClock({ now: () => 0, wallClock: () => 2 ** 40 }, undefined);
  readonly #encoder = new MessageEncoder(this.#clock);
  readonly #names = new NameMemory();

  *load(): Iterable<StoredRecord> {
    for (const { set } of this.#sessions.values()) yield set;
    for (const [clientId, session] of this.#sessions) yield* this.#recordsOf(clientId, session);
    for (const change of this.#undecidedWills.values()) {
      yield { ...change, message: this.#copy(change.message) };
    }
    for (const { message } of this.#retained.values()) {
      yield { kind: "retained-set", message: this.#copy(message) };
    }
    yield* this.#messages();
  }

  commit(changes: readonly Change[]): void {
    for (const change of changes) this.#apply(change);
  }

  loadDeliveries(clientId: string, afterSequence: number, limits: LoadLimits): Delivery[] {
    const deliveries: Delivery[] = [];
    let bytes = 0;
    for (const delivery of this.#sessions.get(clientId)?.queued.values() ?? []) {
      if (delivery.sequence <= afterSequence) continue;
      bytes += delivery.message.keptBytes;
      if (deliveries.length === limits.countMax) break;
      if (bytes > limits.bytesMax && deliveries.length > 0) break;
      deliveries.push(this.#copyOf(delivery));
    }
    return deliveries;
  }

  close(): void {}

  *#messages(): Iterable<StoredRecord> {
    const sessions = [...this.#sessions.values()];
    if (sessions.every(({ queued }) => queued.size === 0)) return;
    const messages = new Set([...this.#retained.values()].map(({ message }) => message));
    for (const { queued, inflight } of sessions) {
      for (const { message } of queued.values()) messages.add(message);
      for (const { delivery, isReceived } of inflight.values()) {
        if (!isReceived) messages.add(delivery.message);
      }
    }
    let payloadBytes = 0;
    for (const message of messages) payloadBytes += message.payloadLength;
    yield { kind: "messages-stored", count: messages.size, payloadBytes };
  }

  *#recordsOf(clientId: string, session: StoredSession): Iterable<StoredRecord> {
    const { subscriptions, owed, queued, inflight, held, will } = session;
    yield* subscriptions.values();
    yield* owed.values();
    for (const [packetId, entry] of inflight) {
      const delivery = this.#copyOf(entry.delivery);
      yield { kind: "delivery-sent", clientId, delivery, packetId, wasQueued: false };
      if (entry.isReceived) yield { kind: "delivery-received", clientId, packetId };
    }
    for (const packetId of held) yield { kind: "packet-id-held", clientId, packetId };
    if (will !== undefined) {
      yield { ...will, will: { ...will.will, message: this.#copy(will.will.message) } };
    }
    const waiting = [...queued.values()];
    if (waiting.length === 0) return;
    yield {
      kind: "deliveries-left",
      clientId,
      count: waiting.length,
      bytes: waiting.reduce((sum, { message }) => sum + message.keptBytes, 0),
      qos0Count: waiting.filter(({ qos }) => qos === 0).length,
      lastSequence: waiting.at(-1)!.sequence,
    };
  }

  /** What a broker holds on to is its own, also when another one has held the same before. */
  #copy(message: Message): Message {
    const bytes = this.#encoder.encode(message).slice();
    const copy = decodeMessage(bytes, 0, bytes.length, this.#clock, this.#names);
    copy.retainedSequence = message.retainedSequence;
    return copy;
  }

  #copyOf(delivery: Delivery): Delivery {
    return { ...delivery, message: this.#copy(delivery.message), recordedAt: 0 };
  }

  #apply(change: Change): void {
    switch (change.kind) {
      case "session-set": {
        const session = this.#sessions.get(change.clientId);
        if (session === undefined) this.#sessions.set(change.clientId, makeSession(change));
        else session.set = change;
        return;
      }
      case "session-removed":
        this.#sessions.delete(change.clientId);
        return;
      case "retained-set":
        this.#retained.delete(change.message.topic);
        this.#retained.set(change.message.topic, change);
        return;
      case "retained-removed":
        this.#retained.delete(change.topic);
        return;
      case "undecided-will-set":
        this.#undecidedWills.set(change.number, change);
        return;
      case "undecided-will-removed":
        this.#undecidedWills.delete(change.number);
        return;
      default: {
        const session = this.#sessions.get(change.clientId);
        if (session !== undefined) applyIn(session, change);
      }
    }
  }
}

function makeSession(set: ChangeOf<"session-set">): StoredSession {
  return {
    set,
    subscriptions: new Map(),
    owed: new Map(),
    queued: new Map(),
    inflight: new Map(),
    held: new Set(),
    will: undefined,
  };
}

type SessionChange = Exclude<
  Extract<Change, { readonly clientId: string }>,
  { readonly kind: "session-set" | "session-removed" }
>;

function applyIn(session: StoredSession, change: SessionChange): void {
  const { subscriptions, owed, queued, inflight, held } = session;
  switch (change.kind) {
    case "subscription-set":
      subscriptions.set(change.filter, change);
      return;
    case "subscription-removed":
      subscriptions.delete(change.filter);
      owed.delete(change.filter);
      return;
    case "retained-owed":
      if (subscriptions.has(change.filter)) owed.set(change.filter, change);
      return;
    case "retained-paid":
      owed.delete(change.filter);
      return;
    case "delivery-queued":
      queued.set(change.delivery.sequence, change.delivery);
      return;
    case "delivery-sent":
      queued.delete(change.delivery.sequence);
      inflight.delete(change.packetId);
      inflight.set(change.packetId, { delivery: change.delivery, isReceived: false });
      return;
    case "delivery-received": {
      const entry = inflight.get(change.packetId);
      if (entry !== undefined) entry.isReceived = true;
      return;
    }
    case "delivery-finished":
      inflight.delete(change.packetId);
      return;
    case "delivery-dropped":
      queued.delete(change.sequence);
      return;
    case "packet-id-held":
      held.add(change.packetId);
      return;
    case "packet-id-released":
      held.delete(change.packetId);
      return;
    case "will-set":
      session.will = change;
      return;
    case "will-removed":
      session.will = undefined;
      return;
    default:
      unreachable(change);
  }
}
