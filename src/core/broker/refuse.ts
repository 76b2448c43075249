/**
 * How a client is told that it broke the protocol or may not do something. The one place that
 * knows that older versions cannot be told everything.
 *
 * @module
 */

import { type MqttError, ProtocolError } from "../codec/error.ts";
import type { Framer } from "../codec/framer.ts";
import { NO_PROPERTIES } from "../codec/property.ts";
import { PacketType, type ProtocolVersion } from "../codec/protocol.ts";
import { mayCarry, ReasonCode } from "../codec/reason_code.ts";
import type { Connection } from "./connection.ts";
import { endConnection } from "./end.ts";
import type { CloseCause } from "./event.ts";
import type { ConnectRequest } from "./question.ts";
import { sendConnack, sendDisconnect } from "./send.ts";
import type { BrokerState } from "./state.ts";

/**
 * The peer broke the protocol: it is told why if its version can be told, and cut off.
 * [MQTT-3.1.4-1] [MQTT-4.13.1-1] [MQTT-3.1.1-2.2.2-2] [MQTT-3.1.1-3.1.4-1] [MQTT-3.1.1-4.8.0-1]
 */
export function refuse(
  state: BrokerState,
  connection: Connection,
  error: MqttError,
  now: number,
): void {
  const { phase, framer } = connection;
  state.counters.protocolErrors++;
  if (phase === "opened" && isTlsHello(framer)) {
    state.emit({ kind: "tls-on-plain", peer: connection.peer });
  }
  // HTTP and the like are announced as packets of an absurd length, which is not the point.
  const isStranger = phase === "opened" && framer.firstByte >> 4 !== PacketType.CONNECT;
  const { reasonCode, section, message } = isStranger ? notAConnect() : error;
  if (connection.phase === "connected") {
    sendDisconnect(state, connection, reasonCode);
  } else if (error.protocolVersion !== undefined && connection.phase === "opened") {
    // A CONNECT that was understood well enough to be answered.
    connection.protocolVersion = error.protocolVersion;
    sendConnack(state, connection, reasonCode, false, NO_PROPERTIES);
  }
  endConnection(state, connection, {
    cause: closeCause(reasonCode),
    detail: `${message} [${section}]`,
    publishesWill: true,
  }, now);
}

/** What is wrong with a first packet of another type. */
export function notAConnect(): ProtocolError {
  return new ProtocolError("MQTT-3.1.0-1", "The first packet must be a CONNECT");
}

/** Whether what a framer found first is the beginning of a TLS handshake: type 22, version 3. */
function isTlsHello({ bytes, start, end, firstByte }: Framer): boolean {
  return end > start && firstByte === 0x16 && bytes[start + 1] === 3;
}

/** What a refused CONNECT is answered with, beside its reason code. */
export interface RefusalOptions {
  readonly detail?: string;
  readonly reasonString?: string | undefined;
  /** What a 3.x client is told instead; `"close"`: nothing. */
  readonly lowered?: ReasonCode | "close";
  /** What the log is told, where that is not what the code says. */
  readonly cause?: CloseCause;
}

/** A client is not let in, as the policy or an authenticator has decided. */
export function refuseLogin(
  state: BrokerState,
  connection: Connection,
  request: ConnectRequest,
  reasonCode: ReasonCode,
  options: RefusalOptions,
  now: number,
): void {
  noteLogin(state, request, reasonCode);
  // Before version 5 nobody is told more than that he may not; but who may come again is told so.
  const isBusy = reasonCode === ReasonCode.SERVER_BUSY ||
    reasonCode === ReasonCode.SERVER_UNAVAILABLE;
  refuseConnect(state, connection, reasonCode, {
    ...isBusy ? {} : { lowered: ReasonCode.NOT_AUTHORIZED },
    ...options,
  }, now);
}

/** Has those hear of it who count how often an address tries in vain. */
export function noteLogin(
  state: BrokerState,
  { peer, clientId, username }: ConnectRequest,
  reasonCode: ReasonCode,
): void {
  const { BAD_USER_NAME_OR_PASSWORD, NOT_AUTHORIZED } = ReasonCode;
  if (reasonCode !== BAD_USER_NAME_OR_PASSWORD && reasonCode !== NOT_AUTHORIZED) return;
  state.emit({ kind: "login-refused", peer, clientId, username, reasonCode });
}

/**
 * A CONNECT is refused, for a reason other than that it cannot be read.
 * [MQTT-3.1.3-8] [MQTT-3.1.4-2] [MQTT-3.2.2-7] [MQTT-4.12.0-4] [MQTT-4.13.2-1] [MQTT-3.1.1-3.2.2-5]
 */
export function refuseConnect(
  state: BrokerState,
  connection: Connection,
  reason: ReasonCode,
  options: RefusalOptions,
  now: number,
): void {
  state.counters.connectsRefused++;
  const reasonCode = sayable(PacketType.CONNACK, reason);
  const { maximumQos } = connection.listener;
  if (connection.protocolVersion === 5) {
    sendConnack(state, connection, reasonCode, false, {
      ...options.reasonString === undefined ? {} : { reasonString: options.reasonString },
      ...maximumQos === 2 ? {} : { maximumQos },
    });
  } else if (options.lowered !== "close") {
    sendConnack(state, connection, options.lowered ?? reasonCode, false, NO_PROPERTIES);
  }
  endConnection(state, connection, {
    cause: options.cause ?? closeCause(reasonCode),
    ...options.detail === undefined ? {} : { detail: options.detail },
    publishesWill: false,
  }, now);
}

/** A client is sent away by the broker or its host. */
export function expel(
  state: BrokerState,
  connection: Connection,
  reason: ReasonCode,
  publishesWill: boolean,
  now: number,
): void {
  const reasonCode = sayable(PacketType.DISCONNECT, reason);
  // [MQTT-3.14.0-1]
  if (connection.phase === "connected") sendDisconnect(state, connection, reasonCode);
  endConnection(state, connection, { cause: closeCause(reasonCode), publishesWill }, now);
}

/** A client is sent away without its Will, and the log is told why. */
export function expelAs(
  state: BrokerState,
  connection: Connection,
  reasonCode: ReasonCode,
  cause: CloseCause,
  now: number,
): void {
  sendDisconnect(state, connection, sayable(PacketType.DISCONNECT, reasonCode));
  endConnection(state, connection, { cause, publishesWill: false }, now);
}

/** The reason, if it is one that refuses and the packet can carry it: not all come from us. */
function sayable(packetType: PacketType, reasonCode: ReasonCode): ReasonCode {
  const isRefusal = reasonCode >= ReasonCode.UNSPECIFIED_ERROR;
  return isRefusal && mayCarry(packetType, reasonCode) ? reasonCode : ReasonCode.NOT_AUTHORIZED;
}

/** What a SUBACK says of a filter that was refused: 3.1 had no way to refuse. */
export function subackCode(
  version: ProtocolVersion,
  reasonCode: ReasonCode,
  requested: ReasonCode,
): ReasonCode {
  return version === 3 && reasonCode >= ReasonCode.UNSPECIFIED_ERROR ? requested : reasonCode;
}

function closeCause(reasonCode: ReasonCode): CloseCause {
  switch (reasonCode) {
    case ReasonCode.MALFORMED_PACKET:
      return "malformed packet";
    case ReasonCode.PACKET_TOO_LARGE:
      return "oversize packet";
    case ReasonCode.NOT_AUTHORIZED:
      return "not authorised";
    case ReasonCode.SESSION_TAKEN_OVER:
      return "session taken over";
    case ReasonCode.ADMINISTRATIVE_ACTION:
      return "administrative action";
    case ReasonCode.RECEIVE_MAXIMUM_EXCEEDED:
      return "receive maximum exceeded";
    case ReasonCode.TOPIC_ALIAS_INVALID:
      return "topic alias invalid";
    case ReasonCode.QOS_NOT_SUPPORTED:
    case ReasonCode.RETAIN_NOT_SUPPORTED:
      return "used disallowed feature";
    case ReasonCode.CLIENT_IDENTIFIER_NOT_VALID:
      return "client identifier not valid";
    case ReasonCode.BAD_USER_NAME_OR_PASSWORD:
      return "bad username or password";
    case ReasonCode.BAD_AUTHENTICATION_METHOD:
      return "bad authentication method";
    case ReasonCode.UNSUPPORTED_PROTOCOL_VERSION:
      return "unsupported protocol version";
    case ReasonCode.SERVER_BUSY:
      return "server busy";
    case ReasonCode.SERVER_UNAVAILABLE:
      return "server unavailable";
    case ReasonCode.BANNED:
      return "client banned";
    case ReasonCode.CONNECTION_RATE_EXCEEDED:
      return "connection rate exceeded";
    case ReasonCode.QUOTA_EXCEEDED:
      return "quota exceeded";
    case ReasonCode.UNSPECIFIED_ERROR:
    case ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR:
      return "internal error";
    default:
      return "protocol error";
  }
}
