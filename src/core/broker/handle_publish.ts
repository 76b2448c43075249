/**
 * PUBLISH from a client: the hot path. The packet is read in place, its topic found by its bytes,
 * and the message goes on its way as ranges of the very buffer that it came in.
 *
 * @module
 */

import { MalformedPacketError, ProtocolError } from "../codec/error.ts";
import { PacketType, type QoS } from "../codec/protocol.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import type { Message } from "../session/message.ts";
import { contentsOf, type MessageContents } from "../session/message_contents.ts";
import type { Session } from "../session/session.ts";
import { InboundAliases } from "../session/topic_aliases.ts";
import type { MountPoint } from "../topic/mount_point.ts";
import type { Topic } from "../topic/route_table.ts";
import { isCommand, publishOrHandOver } from "./control.ts";
import type { Connection, Pending, Target } from "./connection.ts";
import type { PacketEvent } from "./event.ts";
import { type Answer, ASK, ASK_MESSAGE, type PublishDecision } from "./question.ts";
import { decideAgain, replaceMessage } from "./replacement.ts";
import { isReserved } from "./reserved_topic.ts";
import { sendAck } from "./send.ts";
import type { BrokerState } from "./state.ts";

type PendingPublish = Extract<Pending, { readonly kind: "publish" }>;
type PublishAnswer = Extract<Answer, { readonly kind: "publish" }>;

/** A client publishes; the packet is the one that the framer stands on. */
export function handlePublish(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  now: number,
): void {
  const { view, limits, counters } = state;
  const { framer, protocolVersion, granted } = connection;
  view.read(framer.firstByte, framer.bytes, framer.bodyStart, framer.end, protocolVersion);
  counters.publishReceived++;
  counters.publishBytesReceived += view.payloadEnd - view.payloadStart;
  if (view.qos > granted.maximumQos) {
    throw new ProtocolError(
      "MQTT-3.2.2-11",
      "The QoS of a PUBLISH is above the maximum",
      ReasonCode.QOS_NOT_SUPPORTED,
    );
  }
  if (view.retain && !limits.retainAvailable) {
    throw new ProtocolError(
      "MQTT-3.2.2-14",
      "Retained messages are not available",
      ReasonCode.RETAIN_NOT_SUPPORTED,
    );
  }
  const topic = findTopic(state, connection, framer.bytes);
  const { recorded } = state.journal;
  if (state.tracesPackets) traceView(state, session, topic, "received");
  if (view.qos === 2 && !isNewExchange(state, connection, session)) return;
  if (
    limits.messageSizeLimit > 0 &&
    view.payloadEnd - view.payloadStart > limits.messageSizeLimit
  ) {
    counters.publishDropped++;
    if (state.tracesPackets) traceView(state, session, topic, "dropped-too-large");
    acknowledge(state, connection, session, view.qos, view.packetId, ReasonCode.PACKET_TOO_LARGE);
    return;
  }
  if (state.isShortOfMemory) {
    counters.publishDropped++;
    if (state.tracesPackets) traceView(state, session, topic, "over-quota");
    acknowledge(state, connection, session, view.qos, view.packetId, ReasonCode.QUOTA_EXCEEDED);
    return;
  }
  const message = fillLive(state, connection, session, topic, now);
  if (topic.isReserved || !state.isOpen) {
    const isOurs = topic.isReserved && isReserved(topic.name) && !isCommand(state, topic.name);
    const decision = isOurs
      ? ReasonCode.NOT_AUTHORIZED
      : state.policy.publish(session, topic.name, view.qos, view.retain);
    if (decision === ASK || decision === ASK_MESSAGE) {
      const { qos, packetId } = view;
      const pending = { message: message.keep(), qos, packetId, isReplaced: false };
      const contents = decision === ASK_MESSAGE ? contentsOf(pending.message, now) : undefined;
      ask(state, connection, session, pending, contents);
      return;
    }
    if (decision !== ReasonCode.SUCCESS) {
      if (state.tracesPackets) traceView(state, session, topic, denial(decision));
      acknowledge(state, connection, session, view.qos, view.packetId, decision);
      return;
    }
  }
  // All are read before `publish`, which may use the view's bytes no longer.
  const { qos, packetId, retain } = view;
  const matched = publishOrHandOver(state, session, message, topic, now);
  if (qos === 0) return;
  acknowledgePublished(state, connection, session, qos, packetId, matched);
  state.holdPublished(connection, retain, recorded);
}

/** Has the outside decide; the connection's packets wait for the answer. */
function ask(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  pending: Omit<PendingPublish, "kind">,
  contents: MessageContents | undefined,
): void {
  const { message, isReplaced } = pending;
  connection.pending = { kind: "publish", ...pending };
  state.questions.push({
    kind: "publish",
    id: state.ask(connection),
    client: session,
    topic: message.topic,
    qos: message.qos,
    retain: message.retain,
    ...contents === undefined ? {} : { message: contents },
    ...isReplaced ? { isReplaced } : {},
  });
}

/** The answer to whether a client may publish has come, and perhaps another message with it. */
export function answerPublish(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  answer: PublishAnswer,
  now: number,
): void {
  const { pending } = connection;
  if (pending?.kind !== "publish") return;
  connection.pending = undefined;
  const { qos, packetId } = pending;
  let { message } = pending;
  let decision: PublishDecision = answer.reasonCode;
  if (decision === ReasonCode.SUCCESS && !pending.isReplaced) {
    if (answer.isDropped === true) {
      state.counters.publishDropped++;
      acknowledge(state, connection, session, qos, packetId, ReasonCode.SUCCESS);
      return;
    }
    if (answer.message !== undefined) {
      const replacement = replaceMessage(state, session, answer.message, now);
      if (typeof replacement === "number") {
        decision = replacement;
      } else {
        decision = decideAgain(state, session, message, replacement);
        message = replacement;
      }
    }
  }
  if (decision === ASK || decision === ASK_MESSAGE) {
    ask(state, connection, session, { message, qos, packetId, isReplaced: true }, undefined);
    return;
  }
  if (decision !== ReasonCode.SUCCESS) {
    deny(state, connection, session, message, qos, packetId, decision);
    return;
  }
  const topic = state.routes.find(message.topicBytes, message.topicStart, message.topicEnd);
  const { recorded } = state.journal;
  const { retain } = message;
  const matched = topic === null ? 0 : publishOrHandOver(state, session, message, topic, now);
  acknowledgePublished(state, connection, session, qos, packetId, matched);
  if (qos > 0) state.holdPublished(connection, retain, recorded);
}

/** Acknowledges a message that was asked about and goes nowhere. */
function deny(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  message: Message,
  qos: QoS,
  packetId: number,
  reasonCode: ReasonCode,
): void {
  if (state.tracesPackets) {
    state.emit({
      kind: "packet",
      action: denial(reasonCode),
      type: "publish",
      clientId: session.clientId,
      dup: false,
      qos,
      retain: message.retain,
      packetId,
      topic: message.topic,
      payloadBytes: message.payloadLength,
    });
  }
  acknowledge(state, connection, session, qos, packetId, reasonCode);
}

/** The topic by its bytes or its alias. */
function findTopic(state: BrokerState, connection: Connection, bytes: Uint8Array): Topic<Target> {
  const { topicAlias, topicStart, topicEnd } = state.view;
  if (topicAlias > connection.granted.topicAliasMaximum) {
    // [MQTT-3.3.2-9]
    throw new ProtocolError(
      "MQTT-3.3.2-9",
      `Topic alias "${topicAlias}" is above the maximum`,
      ReasonCode.TOPIC_ALIAS_INVALID,
    );
  }
  if (topicStart === topicEnd) {
    if (topicAlias === 0) {
      throw new MalformedPacketError("MQTT-4.7.3-1", "A topic must not be empty");
    }
    const topic = connection.inboundAliases?.get(topicAlias);
    if (topic === undefined) {
      throw new ProtocolError("MQTT-3.3.2-8", `Topic alias "${topicAlias}" was never set`);
    }
    return topic;
  }
  const { mount } = connection;
  let topic = connection.lastTopic;
  if (
    topic === undefined ||
    !(mount === undefined
      ? topic.equals(bytes, topicStart, topicEnd)
      : mount.spells(topic.bytes, bytes, topicStart, topicEnd))
  ) {
    const found = mount === undefined
      ? state.routes.find(bytes, topicStart, topicEnd)
      : findMounted(state, mount, bytes);
    if (found === null) {
      throw new MalformedPacketError("MQTT-3.3.2-2", "A topic name is not well-formed");
    }
    topic = connection.lastTopic = found;
  }
  // [MQTT-3.3.2-12]
  if (topicAlias > 0) {
    connection.inboundAliases ??= new InboundAliases();
    connection.inboundAliases.set(topicAlias, topic);
  }
  return topic;
}

/** The topic with the mount point before it, which is what everybody else knows it by. */
function findMounted(
  state: BrokerState,
  mount: MountPoint,
  bytes: Uint8Array,
): Topic<Target> | null {
  const { scratch, view } = state;
  scratch.length = 0;
  scratch.raw(mount.bytes, 0, mount.bytes.length);
  scratch.raw(bytes, view.topicStart, view.topicEnd);
  return state.routes.find(scratch.bytes, 0, scratch.length);
}

/** Points the live message at the packet. */
function fillLive(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  topic: Topic<Target>,
  now: number,
): Message {
  const { view, live, scratch } = state;
  const { framer } = connection;
  const { bytes } = framer;
  live.reset();
  live.topicBytes = topic.bytes;
  live.topicStart = 0;
  live.topicEnd = topic.bytes.length;
  live.payloadBytes = bytes;
  live.payloadStart = view.payloadStart;
  live.payloadEnd = view.payloadEnd;
  live.qos = view.qos;
  live.retain = view.retain;
  live.publisherId = session.clientId;
  live.publisherUsername = session.username;
  live.expiresAt = view.messageExpiryInterval >= 0
    ? now + view.messageExpiryInterval * 1000
    : Infinity;
  if (view.forwardsVerbatim) {
    live.propertyBytes = bytes;
    live.propertiesStart = view.propertiesStart;
    live.propertiesEnd = view.propertiesEnd;
  } else {
    // Without what is for the broker only [MQTT-3.3.2-7].
    scratch.length = 0;
    view.writeForwarded(scratch, bytes);
    live.propertyBytes = scratch.bytes;
    live.propertiesStart = 0;
    live.propertiesEnd = scratch.length;
  }
  // A packet that spells its topic without the mount point is nobody else's.
  live.verbatimVersion = view.qos === 0 && view.forwardsVerbatim && connection.mount === undefined
    ? connection.protocolVersion
    : 0;
  live.verbatimStart = framer.start;
  live.verbatimEnd = framer.end;
  return live;
}

/** Whether a QoS 2 PUBLISH begins an exchange; if not, it has been answered. */
function isNewExchange(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
): boolean {
  const { packetId } = state.view;
  // Only version 5 can be told of a window.
  const windowMax = connection.protocolVersion === 5 && state.limits.receiveMaximum > 0
    ? state.limits.receiveMaximum
    : 65_535;
  switch (session.receiver.receive(packetId, windowMax)) {
    case "new":
      return true;
    case "duplicate":
      sendAck(state, connection, PacketType.PUBREC, packetId, ReasonCode.SUCCESS);
      if (state.records(session)) state.hold(connection);
      return false;
    case "too many duplicates":
      throw new ProtocolError("4.3.3", `Packet "${packetId}" is repeated without an end`);
    case "window exceeded":
      state.counters.publishDropped++;
      state.emit({ kind: "receive-maximum-exceeded", clientId: session.clientId });
      sendAck(state, connection, PacketType.PUBREC, packetId, ReasonCode.QUOTA_EXCEEDED);
      return false;
  }
}

/** Acknowledges what was published; QoS 1 learns whether anybody was there. */
function acknowledgePublished(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  qos: QoS,
  packetId: number,
  matched: number,
): void {
  const reasonCode = qos === 1 && matched === 0
    ? ReasonCode.NO_MATCHING_SUBSCRIBERS
    : ReasonCode.SUCCESS;
  acknowledge(state, connection, session, qos, packetId, reasonCode);
}

/**
 * Acknowledges a PUBLISH. A version 5 PUBREC that refuses ends the exchange.
 * [MQTT-3.3.4-1] [MQTT-4.3.2-5] [MQTT-4.3.3-9] [MQTT-4.3.3-13]
 */
function acknowledge(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  qos: QoS,
  packetId: number,
  reasonCode: ReasonCode,
): void {
  if (qos === 0) return;
  if (qos === 1) {
    sendAck(state, connection, PacketType.PUBACK, packetId, reasonCode); // [MQTT-4.3.2-4]
    return;
  }
  if (reasonCode >= ReasonCode.UNSPECIFIED_ERROR && connection.protocolVersion === 5) {
    session.receiver.release(packetId);
  } else if (state.records(session)) {
    // Not before it is decided: a broker that dies while somebody outside is being asked has not
    // received the message, and must not take the next one for its repetition.
    state.journal.record({ kind: "packet-id-held", clientId: session.clientId, packetId });
  }
  sendAck(state, connection, PacketType.PUBREC, packetId, reasonCode); // [MQTT-4.3.3-8]
  // That the identifier is known must be as durable as the message.
  if (state.records(session)) state.hold(connection);
}

function denial(reasonCode: ReasonCode): PacketEvent["action"] {
  return reasonCode === ReasonCode.QUOTA_EXCEEDED ? "over-quota" : "denied";
}

function traceView(
  state: BrokerState,
  session: Session<Connection>,
  topic: Topic<Target>,
  action: PacketEvent["action"],
): void {
  const { view } = state;
  state.emit({
    kind: "packet",
    action,
    type: "publish",
    clientId: session.clientId,
    dup: view.dup,
    qos: view.qos,
    retain: view.retain,
    packetId: view.packetId,
    topic: topic.name,
    payloadBytes: view.payloadEnd - view.payloadStart,
  });
}
