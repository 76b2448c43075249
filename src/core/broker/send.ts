/**
 * Every packet that the broker sends, apart from PUBLISH: appended to the outbox, counted, and
 * traced when somebody wants to see packets.
 *
 * @module
 */

import { encodeAck } from "../codec/ack.ts";
import { encodeAuth } from "../codec/auth.ts";
import { encodeConnack } from "../codec/connack.ts";
import { encodeDisconnect } from "../codec/disconnect.ts";
import { encodePingresp } from "../codec/ping.ts";
import type { Properties } from "../codec/property.ts";
import { type AckType, PacketType } from "../codec/protocol.ts";
import { type ReasonCode, toReturnCode } from "../codec/reason_code.ts";
import { encodeSuback } from "../codec/suback.ts";
import { encodeUnsuback } from "../codec/unsuback.ts";
import type { Connection } from "./connection.ts";
import type { PacketEvent } from "./event.ts";
import type { BrokerState } from "./state.ts";

/** Room to ask for before a packet of a few bytes; larger ones grow the buffer themselves. */
const SMALL_PACKET_BYTES = 64;

type Note = Omit<PacketEvent, "kind" | "action" | "clientId">;

function sent(state: BrokerState, connection: Connection, note: Note): void {
  state.emit({ kind: "packet", action: "sending", clientId: connection.label, ...note });
}

/**
 * Sends a PUBACK, PUBREC, PUBREL or PUBCOMP for the packet of this identifier [MQTT-2.2.1-5].
 * It has no properties that could make it too large for the client, or that it does not want:
 * [MQTT-3.1.2-29] [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-3.6.2-2]
 * [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3].
 */
export function sendAck(
  state: BrokerState,
  connection: Connection,
  type: AckType,
  packetId: number,
  reasonCode: ReasonCode,
): void {
  const writer = state.reserve(connection, SMALL_PACKET_BYTES);
  encodeAck(writer, type, packetId, reasonCode, connection.protocolVersion);
  state.counters.packetsSent++;
  if (state.tracesPackets) {
    sent(state, connection, { type: ACK_NAMES[type], packetId, reasonCode });
  }
}

const ACK_NAMES = Object.freeze(
  {
    [PacketType.PUBACK]: "puback",
    [PacketType.PUBREC]: "pubrec",
    [PacketType.PUBREL]: "pubrel",
    [PacketType.PUBCOMP]: "pubcomp",
  } as const,
);

/** Sends a CONNACK, without its reason where that makes it too large for the client. */
export function sendConnack(
  state: BrokerState,
  connection: Connection,
  reasonCode: ReasonCode,
  sessionPresent: boolean,
  properties: Properties,
): void {
  const writer = state.reserve(connection, SMALL_PACKET_BYTES);
  const { protocolVersion: version, sendSizeMax } = connection;
  const packet = { type: "connack", sessionPresent, reasonCode, properties } as const;
  const start = writer.length;
  encodeConnack(writer, packet, version);
  if (properties.reasonString !== undefined && writer.length - start > sendSizeMax) {
    // [MQTT-3.2.2-19]; there are no user properties [MQTT-3.2.2-20].
    const { reasonString: _, ...others } = properties;
    writer.length = start;
    encodeConnack(writer, { ...packet, properties: others }, version);
  }
  state.counters.packetsSent++;
  if (state.tracesPackets) {
    // As it stands in the packet: before version 5 that is a return code.
    const code = version === 5 ? reasonCode : toReturnCode(reasonCode);
    sent(state, connection, { type: "connack", reasonCode: code, sessionPresent });
  }
}

/** Sends a SUBACK for a SUBSCRIBE [MQTT-3.8.4-2]; without properties, as all acknowledgements. */
export function sendSuback(
  state: BrokerState,
  connection: Connection,
  packetId: number,
  reasonCodes: ReasonCode[],
): void {
  const writer = state.reserve(connection, SMALL_PACKET_BYTES + reasonCodes.length);
  // [MQTT-2.2.1-6] [MQTT-3.9.2-1] [MQTT-3.9.2-2]
  encodeSuback(writer, packetId, reasonCodes, connection.protocolVersion);
  state.counters.packetsSent++;
  if (state.tracesPackets) sent(state, connection, { type: "suback", packetId });
}

export function sendUnsuback(
  state: BrokerState,
  connection: Connection,
  packetId: number,
  reasonCodes: ReasonCode[],
): void {
  const writer = state.reserve(connection, SMALL_PACKET_BYTES + reasonCodes.length);
  // [MQTT-2.2.1-6] [MQTT-3.11.2-1] [MQTT-3.11.2-2]
  encodeUnsuback(writer, packetId, reasonCodes, connection.protocolVersion);
  state.counters.packetsSent++;
  if (state.tracesPackets) sent(state, connection, { type: "unsuback", packetId });
}

export function sendPingresp(state: BrokerState, connection: Connection): void {
  encodePingresp(state.reserve(connection, SMALL_PACKET_BYTES));
  state.counters.packetsSent++;
  if (state.tracesPackets) sent(state, connection, { type: "pingresp" });
}

/**
 * Sends a DISCONNECT to a version 5 client; older versions have none from the broker. It says
 * nothing but why [MQTT-3.14.2-2] [MQTT-3.14.2-3] [MQTT-3.14.2-4].
 */
export function sendDisconnect(
  state: BrokerState,
  connection: Connection,
  reasonCode: ReasonCode,
): void {
  if (connection.protocolVersion !== 5) return;
  const writer = state.reserve(connection, SMALL_PACKET_BYTES);
  encodeDisconnect(writer, reasonCode, connection.protocolVersion);
  state.counters.packetsSent++;
  if (state.tracesPackets) sent(state, connection, { type: "disconnect", reasonCode });
}

/** Sends a step of an exchange, with nothing but its data [MQTT-3.15.2-2] [MQTT-3.15.2-3]. */
export function sendAuth(
  state: BrokerState,
  connection: Connection,
  reasonCode: ReasonCode,
  properties: Properties,
): void {
  const writer = state.reserve(connection, SMALL_PACKET_BYTES);
  encodeAuth(writer, reasonCode, properties);
  state.counters.packetsSent++;
  if (state.tracesPackets) sent(state, connection, { type: "auth", reasonCode });
}
