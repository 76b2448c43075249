/**
 * CONNECT: from the first packet of a connection to its CONNACK, in three steps. `handleConnect`
 * checks what the configuration allows and asks who it is; `acceptConnect` is called when the
 * answer is yes, here or later; the session is taken over, resumed or made.
 *
 * @module
 */

import type { ConnectPacket, Will as WillPacket } from "../codec/packet.ts";
import type { Properties } from "../codec/property.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import { makeMessage } from "../session/make_message.ts";
import { NEVER_EXPIRES, Session } from "../session/session.ts";
import { OutboundAliases } from "../session/topic_aliases.ts";
import type { Will } from "../session/will.ts";
import type { Connection, Pending } from "./connection.ts";
import { pump } from "./pump.ts";
import { endConnection, recordSession, removeSession, setExpiryInterval } from "./end.ts";
import { ASK, type ConnectRequest } from "./question.ts";
import { type RefusalOptions, refuseConnect } from "./refuse.ts";
import { sendConnack, sendDisconnect } from "./send.ts";
import type { BrokerState } from "./state.ts";
import { discardWill, publishWill } from "./wills.ts";

/** A client introduces itself. */
export function handleConnect(
  state: BrokerState,
  connection: Connection,
  packet: ConnectPacket,
  now: number,
): void {
  connection.phase = "connecting";
  connection.protocolVersion = packet.protocolVersion;
  connection.isBridge = packet.isBridge;
  const refusal = checkConnect(state, packet);
  if (refusal !== undefined) {
    refuseConnect(state, connection, refusal.reasonCode, refusal, now);
    return;
  }
  const request: ConnectRequest = {
    peer: connection.peer,
    listener: connection.listener,
    clientId: packet.clientId === "" ? makeClientId(state) : packet.clientId,
    protocolVersion: packet.protocolVersion,
    username: packet.username,
    isIdentified: false,
    password: packet.password,
    isBridge: packet.isBridge,
  };
  const { authenticationMethod: method, authenticationData: data } = packet.properties;
  if (method !== undefined) {
    if (!state.policy.hasAuthenticationMethod(method)) {
      // [MQTT-4.12.0-1]
      refuseConnect(state, connection, ReasonCode.BAD_AUTHENTICATION_METHOD, {}, now);
      return;
    }
    connection.authenticationMethod = method;
    connection.framer.limits = state.packetLimits.authenticating;
    connection.pending = { kind: "authenticate", packet, request };
    const id = state.ask(connection);
    const isReauthentication = false;
    state.questions.push({ kind: "authenticate", id, request, method, data, isReauthentication });
    return;
  }
  const decision = state.policy.connect(request);
  if (decision === ASK) {
    connection.pending = { kind: "connect", packet, request };
    state.questions.push({ kind: "connect", id: state.ask(connection), request });
  } else if (decision === ReasonCode.SUCCESS) {
    acceptConnect(state, connection, packet, request, {}, now);
  } else {
    refuseConnect(state, connection, decision, {}, now);
  }
}

interface Refusal extends RefusalOptions {
  readonly reasonCode: ReasonCode;
}

/** What the configuration does not allow; `undefined` when it allows all of it. */
function checkConnect(state: BrokerState, packet: ConnectPacket): Refusal | undefined {
  const { limits } = state;
  const { protocolVersion: version, clientId, keepAlive, will } = packet;
  if (clientId === "") {
    // [MQTT-3.1.3-7], and of version 3.1.1 [MQTT-3.1.1-3.1.3-8]
    if (version === 3 || (version === 4 && !packet.cleanStart)) {
      return { reasonCode: ReasonCode.CLIENT_IDENTIFIER_NOT_VALID };
    }
    if (!limits.allowZeroLengthClientId) {
      return {
        reasonCode: ReasonCode.UNSPECIFIED_ERROR,
        lowered: ReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
      };
    }
  }
  if (version !== 5 && limits.keepAliveMax > 0) {
    // Older versions cannot be told of another Keep Alive.
    if (keepAlive === 0 || keepAlive > limits.keepAliveMax) {
      return { reasonCode: ReasonCode.CLIENT_IDENTIFIER_NOT_VALID, detail: "Keep alive too long" };
    }
  }
  return will === undefined ? undefined : checkWill(state, will);
}

function checkWill(state: BrokerState, will: WillPacket): Refusal | undefined {
  const { limits } = state;
  if (state.routes.findName(will.topic) === null || isReserved(will.topic)) {
    return {
      reasonCode: ReasonCode.TOPIC_NAME_INVALID,
      lowered: "close",
      detail: "The topic of the Will is not allowed",
    };
  }
  if (will.retain && !limits.retainAvailable) {
    return { reasonCode: ReasonCode.RETAIN_NOT_SUPPORTED, lowered: "close" }; // [MQTT-3.2.2-13]
  }
  if (will.qos > limits.maximumQos) {
    return { reasonCode: ReasonCode.QOS_NOT_SUPPORTED, lowered: "close" }; // [MQTT-3.2.2-12]
  }
  if (limits.messageSizeLimit > 0 && will.payload.length > limits.messageSizeLimit) {
    return { reasonCode: ReasonCode.PACKET_TOO_LARGE, lowered: ReasonCode.NOT_AUTHORIZED };
  }
  return undefined;
}

/** Topics that belong to the broker: no client publishes to them. */
export function isReserved(topic: string): boolean {
  return topic.startsWith("$") &&
    (topic.startsWith("$SYS/") || topic === "$SYS" || topic.startsWith("$CONTROL/") ||
      topic.startsWith("$share/"));
}

/** What an authenticator adds to an accepted CONNECT. */
export interface Acceptance {
  /** Replaces the user name. */
  readonly username?: string | undefined;
  /** The last word of an enhanced authentication. */
  readonly authenticationData?: Uint8Array | undefined;
  readonly reasonString?: string | undefined;
}

/** The client may connect: its session is found or made, and what waited for it is sent. */
export function acceptConnect(
  state: BrokerState,
  connection: Connection,
  packet: ConnectPacket,
  request: ConnectRequest,
  acceptance: Acceptance,
  now: number,
): void {
  const { clientId } = request;
  const holder = state.sessions.get(clientId);
  if (holder?.connection !== undefined && !mayTakeOver(state, holder, now)) {
    refuseConnect(state, connection, ReasonCode.SERVER_BUSY, {
      detail: "The client identifier changes hands too often",
    }, now);
    return;
  }
  const resumed = takeSession(state, clientId, packet.cleanStart, now);
  if (resumed === undefined && state.sessions.size >= state.limits.sessionsMax) {
    const lowered = ReasonCode.SERVER_UNAVAILABLE;
    refuseConnect(state, connection, ReasonCode.QUOTA_EXCEEDED, { lowered }, now);
    return;
  }
  const session = resumed ?? new Session<Connection>(clientId, state.stored);
  state.sessions.set(clientId, session);
  session.recentTakeOvers = holder?.recentTakeOvers ?? 0;
  session.takenOverAt = holder?.takenOverAt ?? 0;
  session.username = acceptance.username ?? packet.username;
  setExpiryInterval(state, session, expiryIntervalOf(state, packet));
  session.endsAt = Infinity;
  session.connection = connection;
  connection.session = session;
  connection.phase = "connected";
  connection.pending = undefined;
  recordSession(state, session);
  if (packet.will !== undefined) setWill(state, session, packet.will);
  state.deadlines.delete(session);

  applyClientLimits(state, connection, packet, now);
  session.receiver.start();
  session.protocolVersion = packet.protocolVersion;
  session.sender.start(sendWindow(state, packet), state.limits.inflightBytesMax || Infinity);
  state.counters.connectsAccepted++;
  state.emit({
    kind: "connected",
    peer: connection.peer,
    clientId,
    protocolVersion: packet.protocolVersion,
    cleanStart: packet.cleanStart,
    keepAlive: packet.keepAlive,
    username: session.username,
    isBridge: packet.isBridge,
    will: packet.will === undefined ? undefined : {
      topic: packet.will.topic,
      payloadBytes: packet.will.payload.length,
      qos: packet.will.qos,
      retain: packet.will.retain,
    },
  });
  // Before any other packet [MQTT-3.2.0-1]; 3.1 has no Session Present flag [MQTT-3.2.2-2].
  const sessionPresent = resumed !== undefined && packet.protocolVersion !== 3;
  const properties = connackProperties(state, session, packet, acceptance);
  sendConnack(state, connection, ReasonCode.SUCCESS, sessionPresent, properties);
  pump(state, session, now);
}

/** Counts a take-over, unless there have been too many of late. */
function mayTakeOver(state: BrokerState, holder: Session<Connection>, now: number): boolean {
  const seconds = (now - holder.takenOverAt) / 1000;
  const recent = Math.max(0, holder.recentTakeOvers - seconds);
  if (recent + 1 > state.limits.takeOverBurst) return false;
  holder.recentTakeOvers = recent + 1;
  holder.takenOverAt = now;
  return true;
}

/** Ends whatever must not go on under this identifier; returns the session to resume, if any. */
function takeSession(
  state: BrokerState,
  clientId: string,
  cleanStart: boolean,
  now: number,
): Session<Connection> | undefined {
  const connected = state.sessions.get(clientId);
  if (connected?.connection !== undefined) {
    state.counters.takeOvers++;
    // [MQTT-3.1.4-3]
    sendDisconnect(state, connected.connection, ReasonCode.SESSION_TAKEN_OVER);
    endConnection(state, connected.connection, {
      cause: "session taken over",
      // A session that goes on has not lost its client.
      publishesWill: cleanStart || connected.expiryInterval === 0,
    }, now);
  }
  const session = state.sessions.get(clientId);
  if (session === undefined) return undefined;
  if (!cleanStart && session.endsAt > now) {
    discardWill(state, session);
    return session;
  }
  // [MQTT-3.1.2-4]: the old session ends, and its delayed Will with it.
  removeSession(state, session);
  publishWill(state, session, now);
  return undefined;
}

/** Seconds; before version 5 a session lives as long as its connection, or for ever. */
function expiryIntervalOf(state: BrokerState, packet: ConnectPacket): number {
  const asked = packet.protocolVersion === 5
    ? packet.properties.sessionExpiryInterval ?? 0
    : packet.cleanStart
    ? 0
    : NEVER_EXPIRES;
  return Math.min(asked, state.limits.sessionExpiryIntervalMax);
}

function setWill(state: BrokerState, session: Session<Connection>, packet: WillPacket): void {
  const { topic, payload, qos, retain, properties } = packet;
  const message = makeMessage({
    topic,
    payload,
    qos,
    retain,
    properties,
    publisherId: session.clientId,
  });
  const will: Will = {
    message,
    messageExpiryInterval: properties.messageExpiryInterval,
    // A session that ends with its connection leaves no time for a delay.
    delay: session.isPersistent ? properties.willDelayInterval ?? 0 : 0,
  };
  session.will = will;
  session.willDueAt = Infinity;
  if (state.keepsJournal && session.isPersistent) {
    state.record({ kind: "will-set", clientId: session.clientId, will, dueAt: Infinity });
  }
}

function applyClientLimits(
  state: BrokerState,
  connection: Connection,
  packet: ConnectPacket,
  now: number,
): void {
  const { limits } = state;
  const keepAlive = keepAliveOf(state, packet);
  // One and a half times the Keep Alive. [MQTT-3.1.2-22]
  connection.silenceMaxMs = keepAlive * 1500;
  connection.lastHeardAt = now;
  if (keepAlive === 0) state.deadlines.delete(connection);
  else state.deadlines.set(connection, now + connection.silenceMaxMs);
  connection.framer.limits = state.packetLimits.connected;
  const { maximumPacketSize, topicAliasMaximum = 0 } = packet.properties;
  connection.sendSizeMax = maximumPacketSize ?? Infinity;
  const aliasMax = Math.min(topicAliasMaximum, limits.topicAliasMaximumBroker);
  if (aliasMax > 0) connection.outboundAliases = new OutboundAliases(aliasMax);
}

/** Seconds; for version 5 no more than the limit. */
function keepAliveOf(state: BrokerState, packet: ConnectPacket): number {
  const { keepAliveMax } = state.limits;
  const { keepAlive } = packet;
  if (keepAliveMax === 0 || packet.protocolVersion !== 5) return keepAlive;
  return keepAlive === 0 ? keepAliveMax : Math.min(keepAlive, keepAliveMax);
}

/** How many packets may be in flight to the client. [MQTT-3.3.4-9] */
function sendWindow(state: BrokerState, packet: ConnectPacket): number {
  const { inflightMessagesMax } = state.limits;
  return Math.min(packet.properties.receiveMaximum ?? 65_535, inflightMessagesMax || 65_535);
}

function connackProperties(
  state: BrokerState,
  session: Session<Connection>,
  packet: ConnectPacket,
  acceptance: Acceptance,
): Properties {
  if (packet.protocolVersion !== 5) return {};
  const { limits } = state;
  const properties: Properties = {};
  const keepAlive = keepAliveOf(state, packet);
  if (keepAlive !== packet.keepAlive) properties.serverKeepAlive = keepAlive;
  if (limits.topicAliasMaximum > 0) properties.topicAliasMaximum = limits.topicAliasMaximum;
  // [MQTT-3.2.2-16]
  if (packet.clientId === "") properties.assignedClientId = session.clientId;
  const { authenticationMethod, sessionExpiryInterval } = packet.properties;
  if (authenticationMethod !== undefined) properties.authenticationMethod = authenticationMethod;
  if (acceptance.authenticationData !== undefined) {
    properties.authenticationData = acceptance.authenticationData;
  }
  if (!limits.retainAvailable) properties.retainAvailable = false;
  properties.maximumPacketSize = limits.maximumPacketSize;
  if (limits.receiveMaximum > 0) properties.receiveMaximum = limits.receiveMaximum;
  if (limits.maximumQos < 2) properties.maximumQos = limits.maximumQos;
  if (session.expiryInterval !== (sessionExpiryInterval ?? 0)) {
    properties.sessionExpiryInterval = session.expiryInterval;
  }
  if (acceptance.reasonString !== undefined) properties.reasonString = acceptance.reasonString;
  return properties;
}

/** A client identifier nobody else has: the prefix and 128 random bits. [MQTT-3.1.3-6] */
function makeClientId(state: BrokerState): string {
  const digits = Array.from(
    { length: 4 },
    () => (state.random() >>> 0).toString(16).padStart(8, "0"),
  ).join("").toUpperCase();
  const groups = [0, 8, 12, 16, 20].map((start, i) => digits.slice(start, [8, 12, 16, 20, 32][i]));
  return state.limits.autoIdPrefix + groups.join("-");
}

/** The part of a connection's pending matters that a CONNECT left. */
export type PendingConnect = Extract<Pending, { readonly packet: ConnectPacket }>;
