/**
 * CONNACK: the broker's answer to CONNECT. Before version 5 it has one of six return codes in
 * place of a reason code, and before 3.1.1 nothing that tells of a session.
 *
 * @module
 */

import { MalformedPacketError, ProtocolError } from "./error.ts";
import type { ConnackPacket } from "./packet.ts";
import { decodeProperties, encodeProperties, NO_PROPERTIES } from "./property.ts";
import { PacketType, type ProtocolVersion } from "./protocol.ts";
import type { Reader } from "./reader.ts";
import { fromReturnCode, mayCarry, ReasonCode, toReturnCode } from "./reason_code.ts";
import type { Writer } from "./writer.ts";

export function decodeConnack(reader: Reader, version: ProtocolVersion): ConnackPacket {
  const flags = reader.u8();
  // Version 3.1 reserves the whole byte without saying what it must be.
  if (flags > 1 && version !== 3) {
    throw new MalformedPacketError("MQTT-3.2.2-1", "The reserved flags of CONNACK must be 0");
  }
  const sessionPresent = version !== 3 && flags === 1;
  const code = reader.u8();
  const reasonCode = version === 5 ? checked(code) : lifted(code);
  if (sessionPresent && reasonCode !== ReasonCode.SUCCESS) {
    throw new ProtocolError("MQTT-3.2.2-6", "A refusal must not tell of a session");
  }
  const properties = version === 5 ? decodeProperties(reader, PacketType.CONNACK) : NO_PROPERTIES;
  reader.expectEnd();
  return { type: "connack", sessionPresent, reasonCode, properties };
}

function checked(code: number): ReasonCode {
  if (mayCarry(PacketType.CONNACK, code)) return code;
  throw new ProtocolError("MQTT-3.2.2-8", `CONNACK must not have the reason code "${code}"`);
}

function lifted(code: number): ReasonCode {
  const reasonCode = fromReturnCode(code);
  if (reasonCode !== undefined) return reasonCode;
  throw new ProtocolError("MQTT-3.1.1-3.2.2-6", `CONNACK must not have the return code "${code}"`);
}

export function encodeConnack(
  writer: Writer,
  packet: ConnackPacket,
  version: ProtocolVersion,
): void {
  const { reasonCode } = packet;
  writer.u8(PacketType.CONNACK << 4);
  const mark = writer.openLength(1);
  // A refusal never tells of a session [MQTT-3.2.2-6]. [MQTT-3.1.1-3.2.2-4]
  const isPresent = packet.sessionPresent && reasonCode === ReasonCode.SUCCESS && version !== 3;
  writer.u8(isPresent ? 1 : 0);
  writer.u8(version === 5 ? reasonCode : toReturnCode(reasonCode));
  if (version === 5) encodeProperties(writer, packet.properties, PacketType.CONNACK);
  writer.closeLength(mark, 1);
}
