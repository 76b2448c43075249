/**
 * Brings back what changes recorded: the other half of the journal. Replayed in order into a fresh
 * broker, they give the sessions, messages and Wills that were there, as if every connection had
 * merely dropped.
 *
 * @module
 */

import { assert, unreachable } from "../base/assert.ts";
import type { Delivery } from "../session/delivery.ts";
import { AwaitedPacket } from "../session/sender.ts";
import { NEVER_EXPIRES, Session } from "../session/session.ts";
import { parseFilter } from "../topic/filter.ts";
import type { Change } from "./change.ts";
import type { Connection } from "./connection.ts";
import { removeSession, scheduleSession } from "./end.ts";
import { putRetained, scheduleSweep, takeRetained } from "./retained.ts";
import type { BrokerState } from "./state.ts";
import { subscribe, unsubscribe } from "./subscriptions.ts";

/**
 * Ends a replay: whoever was connected has lost his connection now, as far as anybody can tell, and
 * his session and Will take the course of one that has.
 */
export function finishRestore(state: BrokerState, now: number): void {
  for (const session of state.sessions.values()) {
    if (session.endsAt === Infinity && session.expiryInterval !== NEVER_EXPIRES) {
      session.endsAt = now + session.expiryInterval * 1000;
    }
    const { will } = session;
    if (will !== undefined && session.willDueAt === Infinity) {
      session.willDueAt = now + will.delay * 1000;
    }
    scheduleSession(state, session);
  }
  scheduleSweep(state, now);
  // What was replayed is in the store already.
  state.changes = [];
}

/** Applies one change. */
export function restore(state: BrokerState, change: Change): void {
  switch (change.kind) {
    case "retained-set":
      // Sequences are those of one run.
      change.message.retainedSequence = ++state.retainedSequence;
      putRetained(state, change.message);
      return;
    case "retained-removed":
      takeRetained(state, change.topic);
      return;
    case "session-set": {
      const session = state.sessions.get(change.clientId) ??
        new Session<Connection>(change.clientId, state.stored);
      state.sessions.set(change.clientId, session);
      session.username = change.username;
      session.isIdentified = change.isIdentified;
      session.expiryInterval = change.expiryInterval;
      session.endsAt = change.endsAt;
      scheduleSession(state, session);
      return;
    }
    case "session-removed": {
      const session = state.sessions.get(change.clientId);
      if (session !== undefined) removeSession(state, session);
      return;
    }
    default: {
      const session = state.sessions.get(change.clientId);
      if (session !== undefined) restoreIn(state, session, change);
    }
  }
}

type SessionChange = Exclude<
  Change,
  {
    readonly kind: "retained-set" | "retained-removed" | "session-set" | "session-removed";
  }
>;

function restoreIn(
  state: BrokerState,
  session: Session<Connection>,
  change: SessionChange,
): void {
  const { sender, receiver, queue } = session;
  switch (change.kind) {
    case "subscription-set": {
      const parsed = parseFilter(change.filter);
      assert(typeof parsed === "object", "A stored filter is not well-formed");
      subscribe(state, session, change.filter, parsed, change);
      return;
    }
    case "subscription-removed":
      unsubscribe(state, session, change.filter);
      return;
    case "delivery-queued":
      session.sequence = Math.max(session.sequence, change.delivery.sequence);
      queue.push(change.delivery);
      return;
    case "delivery-sent":
      session.sequence = Math.max(session.sequence, change.delivery.sequence);
      queue.retain(unlike(change.delivery.sequence));
      sender.restore(
        change.packetId,
        change.delivery.qos === 1 ? AwaitedPacket.PUBACK : AwaitedPacket.PUBREC,
        change.delivery,
      );
      return;
    case "delivery-received": {
      const entry = sender.find(change.packetId);
      if (entry === undefined) return;
      sender.received(entry);
      return;
    }
    case "delivery-finished": {
      const entry = sender.find(change.packetId);
      if (entry !== undefined) sender.release(entry);
      return;
    }
    case "delivery-dropped":
      queue.retain(unlike(change.sequence));
      return;
    case "packet-id-held":
      receiver.restore(change.packetId);
      return;
    case "packet-id-released":
      receiver.release(change.packetId);
      return;
    case "will-set":
      session.will = change.will;
      session.willDueAt = change.dueAt;
      scheduleSession(state, session);
      return;
    case "will-removed":
      session.will = undefined;
      session.willDueAt = Infinity;
      scheduleSession(state, session);
      return;
    default:
      unreachable(change);
  }
}

function unlike(sequence: number): (delivery: Delivery) => boolean {
  return (delivery) => delivery.sequence !== sequence;
}
