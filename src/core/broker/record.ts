/**
 * How deliveries and retained messages are recorded for the store, with as few changes as can be:
 * what begins and ends before the store was given any of it is withdrawn and leaves none.
 *
 * Nothing here is in a hurry: what somebody waits for is committed because he waits
 * (`BrokerState.hold`), and what nobody waits for comes along.
 *
 * @module
 */

import type { Delivery } from "../session/delivery.ts";
import type { Message } from "../session/message.ts";
import type { OwedRetained, Session } from "../session/session.ts";
import type { Connection } from "./connection.ts";
import type { BrokerState } from "./state.ts";

/** A delivery waits. */
export function recordQueued(
  state: BrokerState,
  session: Session<Connection>,
  delivery: Delivery,
): void {
  if (!state.records(session)) return;
  const { clientId } = session;
  delivery.recordedAt = state.journal.record({ kind: "delivery-queued", clientId, delivery });
}

/**
 * A delivery is in flight, from the queue or at once. A QoS 2 packet must not leave before that is
 * durable: its receiver would take the next one with this identifier for a repetition.
 */
export function recordSent(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  delivery: Delivery,
  packetId: number,
  isFromQueue: boolean,
): void {
  if (!state.records(session)) return;
  const { journal } = state;
  const { clientId } = session;
  const wasQueued = isFromQueue && journal.withdraw(delivery.recordedAt) === undefined;
  const change = { kind: "delivery-sent", clientId, delivery, packetId, wasQueued } as const;
  delivery.recordedAt = journal.record(change);
  if (delivery.qos === 2) state.hold(connection);
}

/** A delivery has left the queue and will not be repeated. */
export function recordDropped(
  state: BrokerState,
  session: Session<Connection>,
  { sequence, recordedAt }: Delivery,
): void {
  if (!state.records(session)) return;
  const { journal } = state;
  if (journal.withdraw(recordedAt) !== undefined) return;
  journal.record({ kind: "delivery-dropped", clientId: session.clientId, sequence });
}

/** An exchange is over; `delivery` is what would have been repeated, if anything. */
export function recordFinished(
  state: BrokerState,
  session: Session<Connection>,
  packetId: number,
  delivery: Delivery | undefined,
): void {
  if (!state.records(session)) return;
  const { journal } = state;
  const { clientId } = session;
  const sent = delivery === undefined ? undefined : journal.withdraw(delivery.recordedAt);
  if (delivery === undefined || sent === undefined) {
    journal.record({ kind: "delivery-finished", clientId, packetId });
  } else if (sent.kind === "delivery-sent" && sent.wasQueued) {
    // The store knows it by its place in the queue, and of no identifier.
    journal.record({ kind: "delivery-dropped", clientId, sequence: delivery.sequence });
  }
}

/** How far a subscription has been given what it is owed of retained messages. */
export function recordOwed(state: BrokerState, owed: OwedRetained<Connection>): void {
  const { session, requestedFilter: filter } = owed.subscription;
  if (!state.records(session)) return;
  forgetOwed(state, owed);
  const { after, sequence: upTo } = owed;
  const { clientId } = session;
  owed.recordedAt = state.journal.record({
    kind: "retained-owed",
    clientId,
    filter,
    after,
    upTo,
  });
}

/** It has been given all. */
export function recordPaid(state: BrokerState, owed: OwedRetained<Connection>): void {
  const { session, requestedFilter: filter } = owed.subscription;
  if (!state.records(session)) return;
  forgetOwed(state, owed);
  if (!owed.isStored) return;
  state.journal.record({ kind: "retained-paid", clientId: session.clientId, filter });
}

function forgetOwed(state: BrokerState, owed: OwedRetained<Connection>): void {
  if (owed.recordedAt === 0) return;
  if (state.journal.withdraw(owed.recordedAt) === undefined) owed.isStored = true;
  owed.recordedAt = 0;
}

/** A message is retained, in the place of another one or not. */
export function recordRetained(
  state: BrokerState,
  message: Message,
  old: Message | undefined,
): void {
  if (!state.keepsJournal) return;
  if (old !== undefined) state.journal.withdraw(old.recordedAt);
  message.recordedAt = state.journal.record({ kind: "retained-set", message });
}

/** A message is retained no more. */
export function recordUnretained(state: BrokerState, old: Message): void {
  if (!state.keepsJournal) return;
  state.journal.withdraw(old.recordedAt);
  // The store may have one from before.
  state.journal.record({ kind: "retained-removed", topic: old.topic });
}
