/**
 * Brings back what a store has kept: the other half of the journal. Replayed in order into a fresh
 * broker, its records give the sessions, messages and Wills that were there, as if every connection
 * had merely dropped. Each record costs the same, however many there are.
 *
 * Whose turn it is in a shared subscription is not among them: it begins with any member, as it may
 * at any time.
 *
 * @module
 */

import { assert, unreachable } from "../base/assert.ts";
import type { ListenerSettings } from "../session/peer.ts";
import { AwaitedPacket } from "../session/sender.ts";
import { NEVER_EXPIRES, Session } from "../session/session.ts";
import { parseFilter } from "../topic/filter.ts";
import type { Change, StoredRecord, WillOwner } from "./change.ts";
import type { Connection } from "./connection.ts";
import { hasWindow } from "./deliver.ts";
import { recordSession, removeSession, scheduleSession } from "./end.ts";
import type { Woken } from "./hibernation.ts";
import { DEFAULT_LISTENER } from "./limits.ts";
import { putRetained, scheduleSweep, takeRetained } from "./retained.ts";
import type { BrokerState, UndecidedWill } from "./state.ts";
import { subscribe, unsubscribe } from "./subscriptions.ts";
import { delayWill, resumeWill } from "./wills.ts";

/** The listeners of the present configuration by their names. */
type ListenersByName = Map<string, ListenerSettings>;

/** Wills about which somebody was deciding. */
type UndecidedByNumber = Map<number, UndecidedWill>;

/** What there is beside the records of a store. */
export interface Surroundings {
  /** The listeners of the present configuration. */
  readonly listeners: Iterable<ListenerSettings>;
  /** Puts back the connections that have outlived the broker's memory, where some have. */
  readonly wake: (() => Woken) | undefined;
}

/** Replays what a store gives, and puts connections back in their order. */
export function restoreAll(
  state: BrokerState,
  records: Iterable<StoredRecord>,
  { listeners, wake }: Surroundings,
  now: number,
): readonly Connection[] {
  const byName: ListenersByName = new Map();
  // Of two with one name it cannot be told which was meant.
  for (const one of listeners) byName.set(one.name, byName.has(one.name) ? lost(one.name) : one);
  const undecided: UndecidedByNumber = new Map();
  state.isReplaying = true;
  for (const record of records) restore(state, record, byName, undecided);
  state.isReplaying = false;
  const woken = wake?.();
  finish(state, now);
  // All first, because the next ones begin with the same numbers.
  for (const number of undecided.keys()) {
    state.journal.record({ kind: "undecided-will-removed", number });
  }
  for (const will of undecided.values()) resumeWill(state, will, now);
  woken?.goOn(now);
  return woken?.connections ?? [];
}

/**
 * Whoever was connected has lost his connection now, as far as anybody can tell, and his session
 * and Will take the course of one that has.
 */
function finish(state: BrokerState, now: number): void {
  for (const session of state.sessions.values()) {
    if (session.connection !== undefined) continue;
    if (session.endsAt === Infinity && session.expiryInterval !== NEVER_EXPIRES) {
      session.endsAt = now + session.expiryInterval * 1000;
      // Or it would begin anew with each restart, and never end.
      recordSession(state, session);
    }
    const { will } = session;
    if (will !== undefined && session.willDueAt === Infinity) delayWill(state, session, will, now);
    scheduleSession(state, session);
  }
  scheduleSweep(state, now);
}

/** The settings of a listener that is no more: nobody who is known by it is granted anything. */
function lost(name: string): ListenerSettings {
  return { ...DEFAULT_LISTENER, name };
}

function restore(
  state: BrokerState,
  record: StoredRecord,
  listeners: ListenersByName,
  undecided: UndecidedByNumber,
): void {
  switch (record.kind) {
    case "undecided-will-set": {
      const { number, owner, message, isReplaced } = record;
      const session = new Session<Connection>(owner.clientId, state.stored);
      identify(session, owner, listeners);
      undecided.set(number, { session, message, isReplaced, recordedAt: 0 });
      return;
    }
    case "undecided-will-removed":
      undecided.delete(record.number);
      return;
    case "retained-set": {
      const { message } = record;
      // Imported from elsewhere they have no place in the order yet.
      if (message.retainedSequence === 0) message.retainedSequence = state.retainedSequence + 1;
      state.retainedSequence = Math.max(state.retainedSequence, message.retainedSequence);
      message.recordedAt = 0;
      putRetained(state, message);
      return;
    }
    case "retained-removed":
      takeRetained(state, record.topic);
      return;
    case "session-set":
      restoreSession(state, record, listeners);
      return;
    case "messages-stored":
      state.stored.countAll(record.count, record.payloadBytes);
      return;
    case "session-removed": {
      const session = state.sessions.get(record.clientId);
      if (session !== undefined) removeSession(state, session);
      return;
    }
    default: {
      const session = state.sessions.get(record.clientId);
      if (session !== undefined) restoreIn(state, session, record);
    }
  }
}

function restoreSession(
  state: BrokerState,
  change: Extract<Change, { readonly kind: "session-set" }>,
  listeners: ListenersByName,
): void {
  const { clientId } = change;
  let session = state.sessions.get(clientId);
  if (session === undefined) {
    session = new Session<Connection>(clientId, state.stored);
    state.sessions.set(clientId, session);
  }
  session.isRecorded = true;
  identify(session, change, listeners);
  session.expiryInterval = change.expiryInterval;
  session.endsAt = change.endsAt;
}

/** Says whose the session is. */
function identify(
  session: Session<Connection>,
  owner: WillOwner,
  listeners: ListenersByName,
): void {
  const { listenerName: name } = owner;
  session.username = owner.username;
  session.isIdentified = owner.isIdentified;
  session.protocolVersion = owner.protocolVersion;
  session.listener = name === "" ? undefined : listeners.get(name);
  if (session.listener !== undefined || name === "") return;
  session.listener = lost(name);
  listeners.set(name, session.listener);
}

type InSession = Exclude<
  StoredRecord,
  {
    readonly kind:
      | "retained-set"
      | "retained-removed"
      | "session-set"
      | "session-removed"
      | "messages-stored"
      | "undecided-will-set"
      | "undecided-will-removed";
  }
>;

function restoreIn(state: BrokerState, session: Session<Connection>, record: InSession): void {
  const { sender, receiver, queue, subscriptions, owedRetained } = session;
  switch (record.kind) {
    case "subscription-set": {
      const parsed = parseFilter(record.filter);
      assert(typeof parsed === "object", "A stored filter is not well-formed");
      subscribe(state, session, record.filter, parsed, record);
      return;
    }
    case "subscription-removed":
      unsubscribe(state, session, record.filter);
      return;
    case "retained-owed": {
      const subscription = subscriptions.get(record.filter);
      if (subscription === undefined) return;
      const { after, upTo: sequence } = record;
      const rest = { messages: undefined, next: 0, recordedAt: 0, isStored: true };
      owedRetained.set(subscription, { subscription, sequence, after, ...rest });
      return;
    }
    case "retained-paid": {
      const subscription = subscriptions.get(record.filter);
      if (subscription !== undefined) owedRetained.delete(subscription);
      return;
    }
    case "delivery-queued": {
      const { delivery } = record;
      session.sequence = Math.max(session.sequence, delivery.sequence);
      delivery.recordedAt = 0;
      const isWhole = !state.keepsJournal || hasWindow(state, session, delivery.message.keptBytes);
      if (isWhole) queue.push(delivery);
      else queue.leave(delivery);
      return;
    }
    case "deliveries-left":
      session.sequence = Math.max(session.sequence, record.lastSequence);
      queue.leaveMany(record);
      return;
    case "delivery-sent": {
      const { delivery, packetId } = record;
      session.sequence = Math.max(session.sequence, delivery.sequence);
      delivery.recordedAt = 0;
      if (record.wasQueued) queue.pass(delivery.sequence);
      sender.restore(
        packetId,
        delivery.qos === 1 ? AwaitedPacket.PUBACK : AwaitedPacket.PUBREC,
        delivery,
      );
      return;
    }
    case "delivery-received": {
      const entry = sender.find(record.packetId);
      if (entry !== undefined) sender.received(entry);
      return;
    }
    case "delivery-finished": {
      const entry = sender.find(record.packetId);
      if (entry !== undefined) sender.release(entry);
      return;
    }
    case "delivery-dropped":
      queue.pass(record.sequence);
      return;
    case "packet-id-held":
      receiver.restore(record.packetId);
      return;
    case "packet-id-released":
      receiver.release(record.packetId);
      return;
    case "will-set":
      session.will = record.will;
      session.willDueAt = record.dueAt;
      return;
    case "will-removed":
      session.will = undefined;
      session.willDueAt = Infinity;
      return;
    default:
      unreachable(record);
  }
}
