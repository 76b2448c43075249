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
import { NO_PROPERTIES, type Properties } from "../codec/property.ts";
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

/** Sends a PUBACK, PUBREC, PUBREL or PUBCOMP. */
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

export function sendConnack(
  state: BrokerState,
  connection: Connection,
  reasonCode: ReasonCode,
  sessionPresent: boolean,
  properties: Properties,
): void {
  const writer = state.reserve(connection, SMALL_PACKET_BYTES);
  const packet = { type: "connack", sessionPresent, reasonCode, properties } as const;
  encodeConnack(writer, packet, connection.protocolVersion);
  state.counters.packetsSent++;
  if (state.tracesPackets) {
    // As it stands in the packet: before version 5 that is a return code.
    const code = connection.protocolVersion === 5 ? reasonCode : toReturnCode(reasonCode);
    sent(state, connection, { type: "connack", reasonCode: code, sessionPresent });
  }
}

export function sendSuback(
  state: BrokerState,
  connection: Connection,
  packetId: number,
  reasonCodes: ReasonCode[],
): void {
  const writer = state.reserve(connection, SMALL_PACKET_BYTES + reasonCodes.length);
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
  encodeUnsuback(writer, packetId, reasonCodes, connection.protocolVersion);
  state.counters.packetsSent++;
  if (state.tracesPackets) sent(state, connection, { type: "unsuback", packetId });
}

export function sendPingresp(state: BrokerState, connection: Connection): void {
  encodePingresp(state.reserve(connection, SMALL_PACKET_BYTES));
  state.counters.packetsSent++;
  if (state.tracesPackets) sent(state, connection, { type: "pingresp" });
}

/** Sends a DISCONNECT to a version 5 client; older versions have none from the broker. */
export function sendDisconnect(
  state: BrokerState,
  connection: Connection,
  reasonCode: ReasonCode,
  properties: Properties = NO_PROPERTIES,
): void {
  if (connection.protocolVersion !== 5) return;
  const writer = state.reserve(connection, SMALL_PACKET_BYTES);
  encodeDisconnect(writer, reasonCode, connection.protocolVersion, properties);
  state.counters.packetsSent++;
  if (state.tracesPackets) sent(state, connection, { type: "disconnect", reasonCode });
}

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
