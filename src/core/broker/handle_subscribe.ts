/**
 * SUBSCRIBE and UNSUBSCRIBE.
 *
 * @module
 */

import { MalformedPacketError, ProtocolError } from "../codec/error.ts";
import type { SubscribePacket, SubscriptionRequest, UnsubscribePacket } from "../codec/packet.ts";
import type { QoS } from "../codec/protocol.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import type { Session } from "../session/session.ts";
import { countLevels, type ParsedFilter, parseFilter } from "../topic/filter.ts";
import type { Connection } from "./connection.ts";
import { pump } from "./pump.ts";
import { ASK } from "./question.ts";
import { subackCode } from "./refuse.ts";
import { oweRetained } from "./retained.ts";
import { sendSuback, sendUnsuback } from "./send.ts";
import type { BrokerState } from "./state.ts";
import { subscribe, unsubscribe } from "./subscriptions.ts";

/** A client subscribes: all filters are checked, then all are asked about, then all granted. */
export function handleSubscribe(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  packet: SubscribePacket,
  now: number,
): void {
  // What is asked about is what there is inside the broker.
  const requests = packet.subscriptions.map((request) => ({
    filter: unparsed(checkRequest(state, connection, request)),
    qos: request.qos,
  }));
  const decisions = requests.map(({ filter, qos }) =>
    state.isOpen ? ReasonCode.SUCCESS : state.policy.subscribe(session, filter, qos)
  );
  const undecided = requests.filter((_, i) => decisions[i] === ASK);
  const reasonCodes = decisions.map((decision) => decision === ASK ? undefined : decision);
  if (undecided.length === 0) {
    grant(state, connection, session, packet, reasonCodes, now);
    return;
  }
  connection.pending = { kind: "subscribe", packet, reasonCodes };
  state.questions.push({
    kind: "subscribe",
    id: state.ask(connection),
    client: session,
    filters: undecided,
  });
}

/** The answer to whether a client may subscribe has come, a code per filter that was asked. */
export function answerSubscribe(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  answers: readonly ReasonCode[],
  now: number,
): void {
  const { pending } = connection;
  if (pending?.kind !== "subscribe") return;
  connection.pending = undefined;
  let next = 0;
  // Who answers too few has not granted the others.
  const reasonCodes = pending.reasonCodes.map((code) =>
    code ?? answers[next++] ?? ReasonCode.NOT_AUTHORIZED
  );
  grant(state, connection, session, pending.packet, reasonCodes, now);
}

/** Subscribes to what was granted and says so; what is retained follows. [MQTT-3.8.4-1] */
function grant(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  packet: SubscribePacket,
  decisions: readonly (ReasonCode | undefined)[],
  now: number,
): void {
  const version = connection.protocolVersion;
  const subscriptionId = packet.properties.subscriptionIds?.[0] ?? 0;
  let room = state.limits.subscriptionsPerSessionMax - session.subscriptions.size;
  // One code per filter, in their order [MQTT-3.9.3-1]. [MQTT-3.8.4-6] [MQTT-3.8.4-7]
  const reasonCodes = packet.subscriptions.map((request, i): ReasonCode => {
    const decision = decisions[i] ?? ReasonCode.NOT_AUTHORIZED;
    if (!isGranted(decision)) return decision;
    const filter = unparsed(checkRequest(state, connection, request));
    const isNew = session.subscriptions.get(filter) === undefined;
    if (isNew && (state.isShortOfMemory || room-- <= 0)) {
      return ReasonCode.QUOTA_EXCEEDED;
    }
    return grantedQos(connection, request);
  });
  if (state.tracesPackets) {
    state.emit({
      kind: "packet",
      action: "received",
      type: "subscribe",
      clientId: session.clientId,
      packetId: packet.packetId,
      filters: packet.subscriptions.map(({ filter }, i) => ({
        filter,
        reasonCode: reasonCodes[i]!,
      })),
    });
  }
  const { recorded } = state.journal;
  packet.subscriptions.forEach((request, i) => {
    if (!isGranted(reasonCodes[i]!)) return;
    // [MQTT-3.8.4-5]
    grantOne(state, connection, session, request, subscriptionId);
  });
  const told = packet.subscriptions.map((request, i) =>
    subackCode(version, reasonCodes[i]!, grantedQos(connection, request))
  );
  sendSuback(state, connection, packet.packetId, told);
  state.holdSince(connection, recorded);
  pump(state, session, now);
}

function isGranted(reasonCode: ReasonCode): boolean {
  return reasonCode < ReasonCode.UNSPECIFIED_ERROR;
}

function grantOne(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  request: SubscriptionRequest,
  subscriptionId: number,
): void {
  const parsed = checkRequest(state, connection, request);
  const qos = grantedQos(connection, request);
  const { isBridge } = connection;
  if (parsed.filter.startsWith("$SYS")) state.beforeRead?.(parsed.filter);
  const { subscription, isNew } = subscribe(state, session, unparsed(parsed), parsed, {
    qos,
    // Bridges of 3.1 and 3.1.1 cannot ask for these options, and need both; but a shared
    // subscription without local would lose the bridge's own messages for all of its members.
    noLocal: request.noLocal || (isBridge && parsed.shareName === undefined),
    retainAsPublished: request.retainAsPublished || isBridge,
    subscriptionId,
  });
  state.emit({ kind: "subscribed", clientId: session.clientId, filter: request.filter, qos });
  // [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11]; never for shared subscriptions.
  // [MQTT-3.8.4-4] [MQTT-3.1.1-3.3.1-6] [MQTT-3.1.1-3.8.4-3]
  const { retainHandling } = request;
  if (parsed.shareName !== undefined || retainHandling === 2) return;
  if (retainHandling === 0 || isNew) oweRetained(state, subscription);
}

function grantedQos(connection: Connection, request: SubscriptionRequest): QoS {
  // [MQTT-3.2.2-10]
  const { maximumQos } = connection.listener;
  return request.qos < maximumQos ? request.qos : maximumQos;
}

/** A client unsubscribes. [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.3-1] */
export function handleUnsubscribe(
  state: BrokerState,
  connection: Connection,
  session: Session<Connection>,
  packet: UnsubscribePacket,
): void {
  const { recorded } = state.journal;
  const filters = packet.filters.map((filter) => unparsed(checkFilter(state, connection, filter)));
  const reasonCodes = filters.map((filter): ReasonCode => {
    const decision = state.isOpen ? ReasonCode.SUCCESS : state.policy.unsubscribe(session, filter);
    // Nobody outside is asked whether a client may have less.
    if (decision !== ReasonCode.SUCCESS && decision !== ASK) return decision;
    return unsubscribe(state, session, filter)
      ? ReasonCode.SUCCESS
      : ReasonCode.NO_SUBSCRIPTION_EXISTED;
  });
  if (state.tracesPackets) {
    state.emit({
      kind: "packet",
      action: "received",
      type: "unsubscribe",
      clientId: session.clientId,
      packetId: packet.packetId,
      filters: packet.filters.map((filter, i) => ({ filter, reasonCode: reasonCodes[i]! })),
    });
  }
  packet.filters.forEach((filter, i) => {
    if (!isGranted(reasonCodes[i]!)) return;
    state.emit({ kind: "unsubscribed", clientId: session.clientId, filter });
  });
  sendUnsuback(state, connection, packet.packetId, reasonCodes);
  state.holdSince(connection, recorded);
}

function checkRequest(
  state: BrokerState,
  connection: Connection,
  request: SubscriptionRequest,
): ParsedFilter {
  const parsed = checkFilter(state, connection, request.filter);
  if (parsed.shareName !== undefined && request.noLocal) {
    throw new ProtocolError("MQTT-3.8.3-4", "A shared subscription cannot be without local");
  }
  return parsed;
}

/** Takes apart what a client has written; the filter is the one inside the broker. */
function checkFilter(state: BrokerState, connection: Connection, text: string): ParsedFilter {
  const parsed = parseFilter(text);
  if (parsed === "protocol") {
    throw new ProtocolError("MQTT-4.8.2-1", "A shared subscription is not well-formed");
  }
  const mounted = parsed === "malformed" || connection.mount === undefined
    ? parsed
    : connection.mount.filter(parsed) ?? "malformed";
  const levelsMax = state.limits.topicSlashesMax + 1;
  if (
    mounted === "malformed" || countLevels(text) > levelsMax ||
    countLevels(mounted.filter) > levelsMax
  ) {
    throw new MalformedPacketError("MQTT-4.7.1-1", "A topic filter is not well-formed");
  }
  return mounted;
}

/** The filter with the `$share/…` that belongs before it: the name of a subscription. */
function unparsed({ filter, shareName }: ParsedFilter): string {
  return shareName === undefined ? filter : `$share/${shareName}/${filter}`;
}
