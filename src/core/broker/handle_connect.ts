/**
 * CONNECT: from the first packet of a connection to its CONNACK. `handleConnect` has it checked
 * against the configuration (`check_connect.ts`) and asks whether the client may connect;
 * `acceptConnect` is called when the answer is yes, here or later: then the session is taken over,
 * resumed (`take_over.ts`) or made.
 *
 * @module
 */

import type { ConnectPacket } from "../codec/packet.ts";
import type { Properties } from "../codec/property.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import type { ListenerSettings } from "../session/peer.ts";
import { NEVER_EXPIRES, Session } from "../session/session.ts";
import { OutboundAliases } from "../session/topic_aliases.ts";
import { checkConnect } from "./check_connect.ts";
import type { Connection, Pending } from "./connection.ts";
import { recordSession, setExpiryInterval } from "./end.ts";
import { pump } from "./pump.ts";
import { ASK, type ConnectRequest } from "./question.ts";
import { refuseConnect, refuseLogin } from "./refuse.ts";
import { sendConnack } from "./send.ts";
import type { BrokerState } from "./state.ts";
import { belongsTo, mayTakeOver, takeSession } from "./take_over.ts";
import { setWill } from "./wills.ts";

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
  connection.sendSizeMax = packet.properties.maximumPacketSize ?? Infinity;
  const request = checkConnect(state, connection, packet);
  if ("reasonCode" in request) {
    refuseConnect(state, connection, request.reasonCode, request, now);
    return;
  }
  const { authenticationMethod: method, authenticationData: data } = packet.properties;
  // [MQTT-4.12.0-6]
  if (method === undefined) {
    decideConnect(state, connection, packet, request, now);
    return;
  }
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
}

/** Asks the policy whether the client may connect, or has the outside asked. */
function decideConnect(
  state: BrokerState,
  connection: Connection,
  packet: ConnectPacket,
  request: ConnectRequest,
  now: number,
): void {
  const decision = state.policy.connect(request);
  if (decision === ASK) {
    connection.pending = { kind: "connect", packet, request };
    state.questions.push({ kind: "connect", id: state.ask(connection), request });
  } else if (decision === ReasonCode.SUCCESS) {
    acceptConnect(state, connection, packet, request, {}, now);
  } else {
    refuseLogin(state, connection, request, decision, {}, now);
  }
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
  const { clientId, isIdentified } = request;
  const username = acceptance.username ?? request.username;
  // [MQTT-3.1.3-2]
  const holder = state.sessions.get(clientId);
  if (holder?.connection !== undefined && !mayTakeOver(state, holder, now)) {
    refuseConnect(state, connection, ReasonCode.SERVER_BUSY, {
      detail: "The client identifier changes hands too often",
    }, now);
    return;
  }
  if (holder === undefined && state.sessions.size >= state.limits.sessionsMax) {
    refuseConnect(state, connection, ReasonCode.SERVER_BUSY, {
      lowered: "close",
      detail: "There are as many sessions as there may be",
    }, now);
    return;
  }
  const isOwner = holder === undefined || belongsTo(holder, { username, isIdentified });
  if (!isOwner) {
    const { peer } = connection;
    state.counters.sessionsDiscarded++;
    const ownerUsername = holder.username;
    state.emit({ kind: "session-discarded", peer, clientId, username, ownerUsername });
  }
  const { recorded } = state.journal;
  const resumed = takeSession(state, clientId, packet.cleanStart || !isOwner, now);
  // [MQTT-3.1.2-6]
  const session = resumed ?? new Session<Connection>(clientId, state.stored);
  state.sessions.set(clientId, session);
  session.recentTakeOvers = holder?.recentTakeOvers ?? 0;
  session.takenOverAt = holder?.takenOverAt ?? 0;
  session.hasDropped = false;
  session.username = username;
  session.isIdentified = isIdentified;
  session.listener = connection.granted = connection.listener;
  session.policyNotes = request.policyNotes;
  setExpiryInterval(state, session, expiryIntervalOf(state, packet));
  // [MQTT-4.1.0-1]
  session.endsAt = Infinity;
  session.connection = connection;
  connection.session = session;
  connection.phase = "connected";
  connection.pending = undefined;
  state.connectedCount++;
  session.protocolVersion = packet.protocolVersion;
  recordSession(state, session);
  if (packet.will !== undefined) setWill(state, connection, session, packet.will);
  state.deadlines.delete(session);

  applyClientLimits(state, connection, packet, now);
  session.receiver.start();
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
  // [MQTT-3.2.2-3] [MQTT-3.1.4-5] [MQTT-3.2.0-2]
  const sessionPresent = resumed !== undefined && packet.protocolVersion !== 3;
  const properties = connackProperties(state, connection.listener, session, packet, acceptance);
  sendConnack(state, connection, ReasonCode.SUCCESS, sessionPresent, properties);
  state.holdSince(connection, recorded);
  pump(state, session, now);
}

/**
 * Seconds; before version 5 a session lives as long as its connection, or for ever.
 * [MQTT-3.1.1-3.1.2-6]
 */
function expiryIntervalOf(state: BrokerState, packet: ConnectPacket): number {
  const asked = packet.protocolVersion === 5
    ? packet.properties.sessionExpiryInterval ?? 0
    : packet.cleanStart
    ? 0
    : NEVER_EXPIRES;
  return Math.min(asked, state.limits.sessionExpiryIntervalMax);
}

function applyClientLimits(
  state: BrokerState,
  connection: Connection,
  packet: ConnectPacket,
  now: number,
): void {
  const keepAlive = keepAliveOf(state, packet);
  // One and a half times the Keep Alive. [MQTT-3.1.2-22]
  connection.silenceMaxMs = keepAlive * 1500;
  connection.lastHeardAt = now;
  if (keepAlive === 0) state.deadlines.delete(connection);
  else state.deadlines.set(connection, now + connection.silenceMaxMs);
  connection.framer.limits = state.packetLimits.connected;
  const { maximumPacketSize, topicAliasMaximum = 0 } = packet.properties;
  const aliasMax = Math.min(topicAliasMaximum, connection.listener.topicAliasMaximumBroker);
  // [MQTT-3.1.2-27] [MQTT-3.3.2-11]
  if (aliasMax > 0) connection.outboundAliases = new OutboundAliases(aliasMax);
  if (aliasMax > 0 || maximumPacketSize !== undefined) connection.isPlain = false;
}

/** Seconds; for version 5 no more than the limit. [MQTT-3.2.2-22] */
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
  { maximumQos, topicAliasMaximum }: ListenerSettings,
  session: Session<Connection>,
  packet: ConnectPacket,
  acceptance: Acceptance,
): Properties {
  if (packet.protocolVersion !== 5) return {};
  const { limits } = state;
  // Nobody is told a Response Information [MQTT-3.1.2-28].
  const properties: Properties = {};
  const keepAlive = keepAliveOf(state, packet);
  if (keepAlive !== packet.keepAlive) properties.serverKeepAlive = keepAlive;
  if (topicAliasMaximum > 0) properties.topicAliasMaximum = topicAliasMaximum;
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
  // [MQTT-3.2.2-9]
  if (maximumQos < 2) properties.maximumQos = maximumQos;
  if (session.expiryInterval !== (sessionExpiryInterval ?? 0)) {
    properties.sessionExpiryInterval = session.expiryInterval;
  }
  if (acceptance.reasonString !== undefined) properties.reasonString = acceptance.reasonString;
  return properties;
}

/** The part of a connection's pending matters that a CONNECT left. */
export type PendingConnect = Extract<Pending, { readonly packet: ConnectPacket }>;
