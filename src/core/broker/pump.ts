/**
 * What waits for a session is sent when there is room: what was in flight before, what is queued,
 * and retained messages of new subscriptions, in this order. Each passes the gate of `deliver.ts`
 * again, since a permission may have been taken away while it waited.
 *
 * @module
 */

import { PacketType } from "../codec/protocol.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import type { Delivery } from "../session/delivery.ts";
import { AwaitedPacket } from "../session/sender.ts";
import type { Session } from "../session/session.ts";
import type { Connection } from "./connection.ts";
import { append, deliver, deliveredQos, fits, lowered, mayHave, stall } from "./deliver.ts";
import { findOwed, isVouchedFor } from "./retained.ts";
import { sendAck } from "./send.ts";
import type { BrokerState } from "./state.ts";

/**
 * Sends what a session is owed, as far as window and backlog allow: first what was in flight
 * before, then what is queued, then retained messages of new subscriptions.
 */
export function pump(state: BrokerState, session: Session<Connection>, now: number): void {
  const { connection, sender } = session;
  if (connection === undefined) return;
  resend(state, connection, session, now);
  sendQueued(state, connection, session, now);
  sendOwedRetained(state, connection, session, now);
  connection.isStalled = false;
  if (session.queue.length > 0 || session.owedRetained.size > 0 || sender.hasUnsent) {
    stall(state, connection, now);
  }
}

function resend(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  now: number,
): void {
  const { sender } = session;
  while (!state.isBacklogged(connection)) {
    const entry = sender.nextUnsent();
    if (entry === undefined) return;
    if (entry.awaits === AwaitedPacket.PUBCOMP) {
      sendAck(state, connection, PacketType.PUBREL, entry.packetId, ReasonCode.SUCCESS);
      continue;
    }
    const { delivery, packetId } = entry;
    // The permission may have been taken away since; then the exchange is over.
    if (
      delivery === undefined || !mayHave(state, session, delivery.message) ||
      !fitsDelivery(state, connection, delivery, now)
    ) {
      sender.release(entry);
      recordFinished(state, session, packetId);
      continue;
    }
    const { message, qos, retain, subscriptionId } = delivery;
    state.encoder.begin(message, now);
    // Marked as a repetition [MQTT-3.3.1-1] and under its first identifier [MQTT-4.4.0-1].
    append(state, connection, message, qos, retain, true, packetId, subscriptionId);
  }
}

function sendQueued(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  now: number,
): void {
  const { sender, queue } = session;
  for (;;) {
    const queued = queue.peek();
    if (queued === undefined || state.isBacklogged(connection)) return;
    const qos = lowered(queued.qos, connection);
    if (qos > 0 && sender.sendQuota <= 0) return;
    queue.shift();
    const delivery = qos === queued.qos ? queued : { ...queued, qos };
    const { message, retain, subscriptionId, sequence } = delivery;
    if (
      message.expiresAt <= now || !mayHave(state, session, message) ||
      !fitsDelivery(state, connection, delivery, now)
    ) {
      if (state.keepsJournal && session.isPersistent) {
        state.record({ kind: "delivery-dropped", clientId: session.clientId, sequence });
      }
      continue;
    }
    state.encoder.begin(message, now);
    let packetId = 0;
    if (qos > 0) {
      packetId = sender.begin(
        qos === 1 ? AwaitedPacket.PUBACK : AwaitedPacket.PUBREC,
        delivery,
        message.payloadLength,
      );
    }
    if (state.keepsJournal && session.isPersistent) {
      state.record(
        qos > 0
          ? { kind: "delivery-sent", clientId: session.clientId, delivery, packetId }
          : { kind: "delivery-dropped", clientId: session.clientId, sequence },
      );
    }
    append(state, connection, message, qos, retain, false, packetId, subscriptionId);
  }
}

function sendOwedRetained(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  now: number,
): void {
  const { owedRetained, queue, sender } = session;
  if (owedRetained.size === 0) return;
  for (const owed of owedRetained.values()) {
    const messages = owed.messages ??= findOwed(state, owed, now);
    while (owed.next < messages.length) {
      const message = messages[owed.next]!;
      const needsQuota = deliveredQos(state, message, owed.subscription) > 0;
      if (queue.length > 0 || (needsQuota && sender.sendQuota <= 0)) return;
      if (state.isBacklogged(connection)) return;
      owed.next++;
      // One that was replaced meanwhile was delivered live, and must not follow its successor.
      if (message.isSuperseded || message.expiresAt <= now) continue;
      if (!isVouchedFor(state, message)) continue;
      state.encoder.begin(message, now);
      // Retained because of a new subscription [MQTT-3.3.1-8].
      deliver(state, message, owed.subscription, true, now);
    }
    owedRetained.delete(owed.subscription);
  }
}

/** Sends what waited for the total backlog to go, as far as it has gone. */
export function feedStarved(state: BrokerState, now: number): void {
  // Only once there is room for some time, so that it is not asked for each packet.
  if (state.backlogBytes > state.limits.backlogBytesTotalMax / 2) return;
  for (const connection of state.starved) {
    state.starved.delete(connection);
    if (connection.session !== undefined) pump(state, connection.session, now);
    if (state.isOverTotal) return;
  }
}

function fitsDelivery(
  state: BrokerState,
  connection: Connection,
  { message, qos, retain, subscriptionId }: Delivery,
  now: number,
): boolean {
  state.encoder.begin(message, now);
  return fits(state, connection, message, qos, retain, subscriptionId);
}

/** Notes for the store that an exchange of this session is over. */
export function recordFinished(
  state: BrokerState,
  session: Session<Connection>,
  packetId: number,
): void {
  if (!state.keepsJournal || !session.isPersistent) return;
  state.record({ kind: "delivery-finished", clientId: session.clientId, packetId });
}
