/**
 * The gate: the one way by which a message reaches a client, whether it is live, retained, queued,
 * sent again or shared. It asks the policy about the topic, applies the subscription's options and
 * the client's limits, and either appends the packet to the outbox or lets the message wait. What
 * waits is sent by `pump.ts`, through the same gate.
 *
 * @module
 */

import type { QoS } from "../codec/protocol.ts";
import type { Delivery } from "../session/delivery.ts";
import type { Message } from "../session/message.ts";
import { AwaitedPacket } from "../session/sender.ts";
import type { Session, Subscription } from "../session/session.ts";
import type { Connection } from "./connection.ts";
import type { PublishOptions } from "./publish_encoder.ts";
import { recordQueued, recordSent } from "./record.ts";
import type { BrokerState } from "./state.ts";

/**
 * Brings a message to the session of a subscription. The encoder has begun with this message.
 *
 * @param retain the Retain flag that the client will see.
 */
export function deliver(
  state: BrokerState,
  message: Message,
  subscription: Subscription<Connection>,
  retain: boolean,
  now: number,
): void {
  const { session } = subscription;
  // [MQTT-3.8.3-3]
  if (subscription.noLocal && session.clientId === message.publisherId) return;
  if (!mayHave(state, session, message)) {
    if (state.tracesPackets) traceDenied(state, session, message, retain);
    return;
  }
  const { connection } = session;
  const qos = message.qos === 0 && !state.limits.upgradesOutgoingQos
    ? 0
    : deliveredQos(state, message, subscription);
  const { subscriptionId } = subscription;
  if (qos === 0) {
    if (connection === undefined) {
      // A client that is away does not get it, and was not promised to.
      if (!state.limits.queueQos0Messages) return;
    } else if (session.queue.qos0Count === 0 && !state.isOverTotal) {
      // [MQTT-4.3.1-1]
      if (state.isBacklogged(connection)) countDropped(state, session);
      else append(state, connection, message, 0, retain, false, 0, subscriptionId);
      return;
    }
    enqueue(state, session, message, 0, retain, subscriptionId, now);
    return;
  }
  if (
    // [MQTT-4.9.0-2] [MQTT-3.3.4-10]
    connection !== undefined && session.queue.length === 0 && session.sender.sendQuota > 0 &&
    !state.isBacklogged(connection)
  ) {
    send(state, connection, session, message, qos, retain, subscriptionId);
    return;
  }
  enqueue(state, session, message, qos, retain, subscriptionId, now);
}

/** The QoS by which a subscription gets a message. [MQTT-3.8.4-8] [MQTT-4.8.2-3] */
export function deliveredQos(
  state: BrokerState,
  message: Message,
  subscription: Subscription<Connection>,
): QoS {
  const { qos } = subscription;
  if (qos === 0) return 0;
  return message.qos > qos || state.limits.upgradesOutgoingQos
    ? lowered(qos, subscription.session.connection)
    : lowered(message.qos, subscription.session.connection);
}

/** No more than where the client has come in now, whatever it was granted elsewhere. */
export function lowered(qos: QoS, connection: Connection | undefined): QoS {
  if (qos === 0 || connection === undefined) return qos;
  const { maximumQos } = connection.listener;
  return qos < maximumQos ? qos : maximumQos;
}

/**
 * The question of the gate: whether a message may reach a client now. Behind a mount point there is
 * nothing but what is mounted there.
 */
export function mayHave(
  state: BrokerState,
  session: Session<Connection>,
  message: Message,
): boolean {
  const { connection } = session;
  return (connection === undefined || connection.isPlain || isMounted(connection, message)) &&
    (state.isOpen || state.policy.deliver(session, message.topic));
}

function isMounted({ mount }: Connection, message: Message): boolean {
  return mount === undefined ||
    mount.holds(message.topicBytes, message.topicStart, message.topicEnd);
}

/** Sends a QoS 1 or 2 message within the send quota. */
function send(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  message: Message,
  qos: QoS,
  retain: boolean,
  subscriptionId: number,
): void {
  if (!fits(state, connection, message, qos, retain, subscriptionId)) return;
  // What cannot be resumed need not be kept.
  const delivery = session.isPersistent
    ? makeDelivery(state, session, message, qos, retain, subscriptionId)
    : undefined;
  const packetId = session.sender.begin(
    qos === 1 ? AwaitedPacket.PUBACK : AwaitedPacket.PUBREC,
    delivery,
    message.payloadLength,
  );
  if (delivery !== undefined) recordSent(state, connection, session, delivery, packetId, false);
  // [MQTT-3.3.1-3] [MQTT-4.3.2-2] [MQTT-4.3.3-2]
  append(state, connection, message, qos, retain, false, packetId, subscriptionId);
}

function enqueue(
  state: BrokerState,
  session: Session<Connection>,
  message: Message,
  qos: QoS,
  retain: boolean,
  subscriptionId: number,
  now: number,
): void {
  // [MQTT-3.1.1-3.1.2-5]
  const { limits } = state;
  let countMax = limits.queuedMessagesMax;
  // Somebody who is connected may have a window's worth more.
  if (countMax > 0 && session.connection !== undefined) countMax += limits.inflightMessagesMax;
  if (message.expiresAt <= now) return;
  const { queue } = session;
  const bytes = message.keptBytes;
  if (!queue.hasRoom(bytes, countMax, limits.queuedBytesMax) || !hasRoomForAll(state, bytes)) {
    countDropped(state, session);
    return;
  }
  const delivery = makeDelivery(state, session, message, qos, retain, subscriptionId);
  if (state.records(session) && !hasWindow(state, session, bytes)) queue.leave(delivery);
  else queue.push(delivery);
  recordQueued(state, session, delivery);
  if (session.connection !== undefined) stall(state, session.connection, now);
}

/** Whether one more message may wait, by what waits for all clients together. */
function hasRoomForAll({ stored, limits }: BrokerState, messageBytes: number): boolean {
  const { queuedMessagesTotalMax: countMax, queuedBytesTotalMax: bytesMax } = limits;
  return (countMax === 0 || stored.queuedCount < countMax) &&
    (bytesMax === 0 || stored.queuedBytes + messageBytes <= bytesMax);
}

/** Whether one more message that the store keeps may wait in memory as well. */
export function hasWindow(
  state: BrokerState,
  { queue }: Session<Connection>,
  messageBytes: number,
): boolean {
  const { queueWindowMessagesMax, queueWindowBytesMax } = state.limits;
  return !state.isCrowded &&
    queue.hasWindow(messageBytes, queueWindowMessagesMax, queueWindowBytesMax);
}

/** What waits for the connection is sent when it has taken something, or when others have. */
export function stall(state: BrokerState, connection: Connection, now: number): void {
  connection.isStalled = true;
  if (state.isOverTotal) state.starve(connection, now);
}

function makeDelivery(
  state: BrokerState,
  session: Session<Connection>,
  message: Message,
  qos: QoS,
  retain: boolean,
  subscriptionId: number,
): Delivery {
  // Who is connected is about to take it. A store knows a message by its copy, so all who may keep
  // it have the same.
  const isBrief = session.connection !== undefined && (!state.keepsJournal || state.isForOne);
  const kept = message.keep(isBrief ? state.arena : undefined);
  const sequence = ++session.sequence;
  return { message: kept, qos, retain, subscriptionId, sequence, recordedAt: 0 };
}

/** Whether the client accepts a packet of that size; if not it is told to nobody but the log. */
export function fits(
  state: BrokerState,
  connection: Connection,
  message: Message,
  qos: QoS,
  retain: boolean,
  subscriptionId: number,
): boolean {
  if (connection.sendSizeMax === Infinity) return true;
  const options = optionsFor(state, connection, message, qos, retain, false, 1, subscriptionId);
  const packetBytes = state.encoder.size(options);
  // [MQTT-3.1.2-24] [MQTT-3.1.2-25]
  if (packetBytes <= connection.sendSizeMax) return true;
  state.counters.publishDropped++;
  state.emit({ kind: "oversize-delivery", clientId: connection.label, packetBytes });
  return false;
}

/** Appends a PUBLISH to the outbox. */
export function append(
  state: BrokerState,
  connection: Connection,
  message: Message,
  qos: QoS,
  retain: boolean,
  dup: boolean,
  packetId: number,
  subscriptionId: number,
): void {
  const { encoder, counters } = state;
  const version = connection.protocolVersion;
  if (subscriptionId === 0 && !dup && connection.isPlain) {
    const bytes = encoder.commonSize(version, qos, retain);
    const writer = state.reserve(connection, bytes);
    encoder.appendCommon(writer, version, qos, retain, packetId);
    state.addBacklog(connection, bytes);
  } else {
    if (qos === 0 && !fits(state, connection, message, qos, retain, subscriptionId)) return;
    const options = optionsFor(
      state,
      connection,
      message,
      qos,
      retain,
      dup,
      packetId,
      subscriptionId,
    );
    const bytes = encoder.size(options);
    encoder.append(state.reserve(connection, bytes), options);
    state.addBacklog(connection, bytes);
    if (options.alias > 0 && !options.isAliasKnown) {
      connection.outboundAliases?.assign(message.topic);
    }
  }
  counters.packetsSent++;
  counters.publishSent++;
  counters.publishBytesSent += message.payloadLength;
  if (state.tracesPackets) {
    state.emit({
      kind: "packet",
      action: "sending",
      type: "publish",
      clientId: connection.label,
      dup,
      qos,
      retain,
      packetId,
      topic: message.topic,
      payloadBytes: message.payloadLength,
    });
  }
}

/** Fills in the options, with the topic's alias or a new one if there is one left. */
function optionsFor(
  state: BrokerState,
  connection: Connection,
  message: Message,
  qos: QoS,
  retain: boolean,
  dup: boolean,
  packetId: number,
  subscriptionId: number,
): PublishOptions {
  const options = state.publishOptions;
  options.version = connection.protocolVersion;
  options.qos = qos;
  options.retain = retain;
  options.dup = dup;
  options.packetId = packetId;
  options.subscriptionId = subscriptionId;
  options.hiddenBytes = connection.mount === undefined ? 0 : connection.mount.bytes.length;
  const aliases = connection.outboundAliases;
  const known = aliases?.get(message.topic) ?? 0;
  options.isAliasKnown = known > 0;
  options.alias = known > 0 ? known : aliases?.next ?? 0;
  // A new alias makes this packet larger; one that then does not fit goes without.
  if (known === 0 && options.alias > 0 && state.encoder.size(options) > connection.sendSizeMax) {
    options.alias = 0;
  }
  return options;
}

function countDropped(state: BrokerState, session: Session<Connection>): void {
  state.counters.publishDropped++;
  if (session.hasDropped) return;
  session.hasDropped = true;
  state.emit({ kind: "dropping", clientId: session.clientId });
}

function traceDenied(
  state: BrokerState,
  session: Session<Connection>,
  message: Message,
  retain: boolean,
): void {
  state.emit({
    kind: "packet",
    action: "denied-delivery",
    type: "publish",
    clientId: session.clientId,
    qos: message.qos,
    retain,
    topic: message.topic,
    payloadBytes: message.payloadLength,
  });
}
