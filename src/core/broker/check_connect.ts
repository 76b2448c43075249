/**
 * What the limits and the listener do not allow of a CONNECT, and who they say that its client is,
 * before any policy is asked.
 *
 * @module
 */

import type { ConnectPacket, Will as WillPacket } from "../codec/packet.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import type { ListenerSettings, TlsPeer } from "../session/peer.ts";
import type { Session } from "../session/session.ts";
import type { Connection } from "./connection.ts";
import type { ConnectRequest } from "./question.ts";
import type { RefusalOptions } from "./refuse.ts";
import { isReserved } from "./reserved_topic.ts";
import type { BrokerState } from "./state.ts";
import { willTopic } from "./wills.ts";

/** Why a CONNECT is refused, and in what words. */
export interface Refusal extends RefusalOptions {
  readonly reasonCode: ReasonCode;
}

/** What to ask the policy about a CONNECT, or why it need not be asked. */
export function checkConnect(
  state: BrokerState,
  connection: Connection,
  packet: ConnectPacket,
): ConnectRequest | Refusal {
  return checkVersion(connection.listener, packet) ??
    checkMemory(state) ??
    checkEmptyClientId(connection.listener, packet) ??
    checkKeepAlive(state, packet) ??
    (packet.will === undefined ? undefined : checkWill(state, connection, packet.will)) ??
    identify(state, connection, packet);
}

function checkVersion(listener: ListenerSettings, packet: ConnectPacket): Refusal | undefined {
  if (listener.protocolVersions.includes(packet.protocolVersion)) return undefined;
  return { reasonCode: ReasonCode.UNSUPPORTED_PROTOCOL_VERSION }; // [MQTT-3.1.2-2]
}

/** Another client would be one more than there is room for. */
function checkMemory(state: BrokerState): Refusal | undefined {
  if (!state.isShortOfMemory) return undefined;
  return { reasonCode: ReasonCode.SERVER_BUSY, lowered: ReasonCode.SERVER_UNAVAILABLE };
}

function checkEmptyClientId(
  listener: ListenerSettings,
  packet: ConnectPacket,
): Refusal | undefined {
  if (packet.clientId !== "") return undefined;
  const { protocolVersion: version, cleanStart } = packet;
  // [MQTT-3.1.3-7], and of version 3.1.1 [MQTT-3.1.1-3.1.3-8] [MQTT-3.1.1-3.1.3-7]
  if (version === 3 || (version === 4 && !cleanStart)) {
    return { reasonCode: ReasonCode.CLIENT_IDENTIFIER_NOT_VALID };
  }
  if (listener.allowZeroLengthClientId) return undefined;
  return {
    reasonCode: ReasonCode.UNSPECIFIED_ERROR,
    lowered: ReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
    cause: "client identifier not valid",
  };
}

/** Older versions cannot be told of another Keep Alive. */
function checkKeepAlive(state: BrokerState, packet: ConnectPacket): Refusal | undefined {
  const { keepAliveMax } = state.limits;
  if (keepAliveMax === 0 || packet.protocolVersion === 5) return undefined;
  if (packet.keepAlive > 0 && packet.keepAlive <= keepAliveMax) return undefined;
  return { reasonCode: ReasonCode.CLIENT_IDENTIFIER_NOT_VALID, detail: "Keep alive too long" };
}

function checkWill(
  state: BrokerState,
  connection: Connection,
  will: WillPacket,
): Refusal | undefined {
  const { limits } = state;
  // What counts is the name inside the broker.
  const topic = willTopic(connection, will);
  if (state.routes.findName(topic) === null || isReserved(topic)) {
    return {
      reasonCode: ReasonCode.TOPIC_NAME_INVALID,
      lowered: "close",
      detail: "The topic of the Will is not allowed",
    };
  }
  if (will.retain && !limits.retainAvailable) {
    return { reasonCode: ReasonCode.RETAIN_NOT_SUPPORTED, lowered: "close" }; // [MQTT-3.2.2-13]
  }
  if (will.qos > connection.listener.maximumQos) {
    return { reasonCode: ReasonCode.QOS_NOT_SUPPORTED, lowered: "close" }; // [MQTT-3.2.2-12]
  }
  if (limits.messageSizeLimit > 0 && will.payload.length > limits.messageSizeLimit) {
    return { reasonCode: ReasonCode.PACKET_TOO_LARGE, lowered: ReasonCode.NOT_AUTHORIZED };
  }
  return undefined;
}

/** Who the client is: what it says, or what the listener takes in its place. */
function identify(
  state: BrokerState,
  connection: Connection,
  packet: ConnectPacket,
): ConnectRequest | Refusal {
  const { listener, peer } = connection;
  const isIdentified = listener.identitySource !== "none";
  const username = isIdentified ? tlsIdentity(listener, peer.tls) : packet.username;
  if (isIdentified && username === undefined) {
    return {
      reasonCode: ReasonCode.BAD_USER_NAME_OR_PASSWORD,
      detail: "The connection proves no identity",
    };
  }
  if (listener.usesUsernameAsClientId && (username === undefined || username === "")) {
    return {
      reasonCode: ReasonCode.NOT_AUTHORIZED,
      detail: "There is no user name to take as client identifier",
    };
  }
  const clientId = listener.usesUsernameAsClientId
    ? username!
    : packet.clientId || makeClientId(state, listener.autoIdPrefix);
  const { clientIdPrefixes } = state.limits;
  if (
    clientIdPrefixes.length > 0 && !clientIdPrefixes.some((prefix) => clientId.startsWith(prefix))
  ) {
    return {
      reasonCode: ReasonCode.NOT_AUTHORIZED,
      detail: "The client identifier has none of the prefixes that are allowed",
    };
  }
  return {
    peer,
    listener,
    clientId,
    protocolVersion: packet.protocolVersion,
    username,
    isIdentified,
    // What proves nothing here need not travel any further.
    password: isIdentified ? undefined : packet.password,
    isBridge: packet.isBridge,
  };
}

/** What could be asked about a client that is connected, its password long forgotten. */
export function requestOf(connection: Connection, session: Session<Connection>): ConnectRequest {
  const { peer, listener, protocolVersion, isBridge } = connection;
  const { clientId, username, isIdentified, policyNotes } = session;
  return {
    peer,
    listener,
    clientId,
    protocolVersion,
    username,
    isIdentified,
    password: undefined,
    isBridge,
    policyNotes,
  };
}

/** What TLS says of the client; an empty name is none. */
function tlsIdentity(listener: ListenerSettings, tls: TlsPeer | undefined): string | undefined {
  const identity = listener.identitySource === "subject"
    ? tls?.certificate?.subject
    : tls?.certificate?.commonName ?? tls?.pskIdentity;
  return identity === "" ? undefined : identity;
}

/** A client identifier nobody else has: the prefix and 128 random bits. [MQTT-3.1.3-6] */
function makeClientId(state: BrokerState, prefix: string): string {
  const digits = Array.from(
    { length: 4 },
    () => (state.random() >>> 0).toString(16).padStart(8, "0"),
  ).join("").toUpperCase();
  const groups = [0, 8, 12, 16, 20].map((start, i) => digits.slice(start, [8, 12, 16, 20, 32][i]));
  return prefix + groups.join("-");
}
