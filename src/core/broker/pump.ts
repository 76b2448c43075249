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
import { AwaitedPacket, type InflightEntry } from "../session/sender.ts";
import type { Session } from "../session/session.ts";
import type { Connection } from "./connection.ts";
import { append, deliver, deliveredQos, fits, lowered, mayHave, stall } from "./deliver.ts";
import { recordDropped, recordFinished, recordOwed, recordPaid, recordSent } from "./record.ts";
import { findOwed, isVouchedFor } from "./retained.ts";
import { sendAck } from "./send.ts";
import type { BrokerState, Load } from "./state.ts";

/** Deliveries that are read back at a time while memory is short. */
const CROWDED_LOAD_MAX = 32;

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
  loadLeft(state, session);
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
    if (
      delivery === undefined || !mayHave(state, session, delivery.message) ||
      !fitsDelivery(state, connection, delivery, now)
    ) {
      giveUp(state, connection, session, entry);
      continue;
    }
    // [MQTT-4.3.3-7]
    const { message, qos, retain, subscriptionId } = delivery;
    state.encoder.begin(message, now);
    // Marked as a repetition [MQTT-3.3.1-1] and under its first identifier [MQTT-4.4.0-1].
    // [MQTT-3.1.1-4.4.0-1]
    append(state, connection, message, qos, retain, true, packetId, subscriptionId);
  }
}

/**
 * Does not send a message again: the permission may have been taken away since. That ends an
 * exchange of QoS 1. One of QoS 2 is ended with its receiver, who may have the message, and would
 * then take the next one with this identifier for its repetition. [MQTT-4.3.3-10]
 */
function giveUp(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  entry: InflightEntry,
): void {
  const { delivery, packetId, awaits } = entry;
  if (awaits !== AwaitedPacket.PUBREC) {
    session.sender.release(entry);
    recordFinished(state, session, packetId, delivery);
    return;
  }
  session.sender.received(entry);
  if (state.records(session)) {
    state.journal.record({ kind: "delivery-received", clientId: session.clientId, packetId });
    state.hold(connection);
  }
  sendAck(state, connection, PacketType.PUBREL, packetId, ReasonCode.SUCCESS);
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
    const { message, retain, subscriptionId } = delivery;
    if (
      // [MQTT-3.3.2-5]
      message.expiresAt <= now || !mayHave(state, session, message) ||
      !fitsDelivery(state, connection, delivery, now)
    ) {
      recordDropped(state, session, delivery);
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
    if (qos > 0) recordSent(state, connection, session, delivery, packetId, true);
    else recordDropped(state, session, delivery);
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
    const first = owed.next;
    while (owed.next < messages.length) {
      const message = messages[owed.next]!;
      const needsQuota = deliveredQos(state, message, owed.subscription) > 0;
      if (
        queue.length > 0 || (needsQuota && sender.sendQuota <= 0) || state.isBacklogged(connection)
      ) {
        if (owed.next > first) recordOwed(state, owed);
        return;
      }
      owed.next++;
      owed.after = message.retainedSequence;
      // One that was replaced meanwhile was delivered live, and must not follow its successor.
      if (message.isSuperseded || message.expiresAt <= now) continue;
      if (!isVouchedFor(state, message)) continue;
      state.encoder.begin(message, now);
      // Retained because of a new subscription [MQTT-3.3.1-8]. [MQTT-3.1.1-3.3.1-8]
      deliver(state, message, owed.subscription, true, now);
    }
    owedRetained.delete(owed.subscription);
    recordPaid(state, owed);
  }
}

/** Has the next part of a queue read back, once most of the last one has been sent. */
function loadLeft(state: BrokerState, session: Session<Connection>): void {
  const { queue, clientId } = session;
  const { queueWindowMessagesMax, queueWindowBytesMax: bytesMax } = state.limits;
  const countMax = state.isCrowded
    ? Math.min(CROWDED_LOAD_MAX, queueWindowMessagesMax)
    : queueWindowMessagesMax;
  if (queue.leftCount === 0 || queue.isLoading) return;
  if (queue.loadedCount > countMax / 2 || queue.loadedBytes > bytesMax / 2) return;
  queue.isLoading = true;
  state.loads.push({
    session,
    clientId,
    afterSequence: queue.leftAfter,
    countMax: Math.max(1, countMax - queue.loadedCount),
    bytesMax: Math.max(1, bytesMax - queue.loadedBytes),
    awaitedChange: state.journal.urge(),
  });
}

/** What was read back joins the queue, unless that has changed meanwhile. */
export function takeLoaded(
  state: BrokerState,
  load: Load,
  deliveries: readonly Delivery[],
  now: number,
): void {
  const { session, clientId } = load;
  const { queue } = session;
  queue.isLoading = false;
  if (state.sessions.get(clientId) !== session) return;
  if (queue.leftCount > 0 && queue.leftAfter === load.afterSequence) {
    const count = queue.load(deliveries);
    if (count > 0) {
      state.counters.publishDropped += count;
      state.emit({ kind: "deliveries-lost", clientId, count });
    }
  }
  pump(state, session, now);
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
