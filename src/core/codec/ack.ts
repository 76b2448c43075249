/**
 * PUBACK, PUBREC, PUBREL and PUBCOMP: four packets of one shape. Nearly all of them are four bytes
 * that say "this one is done", and one comes or goes for most messages above QoS 0: therefore
 * they are encoded from numbers, and can be read into an {@linkcode AckView} that is used again.
 *
 * @module
 */

import { unreachable } from "../base/assert.ts";
import { ProtocolError } from "./error.ts";
import { checkFixedFlags } from "./fixed_flags.ts";
import type { AckPacket } from "./packet.ts";
import {
  decodeProperties,
  encodeProperties,
  hasProperties,
  NO_PROPERTIES,
  type Properties,
} from "./property.ts";
import { type AckType, PacketType, type ProtocolVersion } from "./protocol.ts";
import { Reader } from "./reader.ts";
import { mayCarry, ReasonCode } from "./reason_code.ts";
import type { Writer } from "./writer.ts";

/** What an acknowledgement says, read without making an object for each. */
export class AckView {
  packetId = 0;
  reasonCode: ReasonCode = ReasonCode.SUCCESS;
  properties: Properties = NO_PROPERTIES;

  /** Reads an acknowledgement whose variable header begins at `start` and which goes to `end`. */
  read(
    firstByte: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    version: ProtocolVersion,
  ): void {
    // The caller found one of the four types in it.
    const packetType = firstByte >> 4 as AckType;
    checkFixedFlags(packetType, firstByte & 0x0f, version);
    if (end - start === 2) {
      this.packetId = checkPacketId(bytes[start]! << 8 | bytes[start + 1]!);
      this.reasonCode = ReasonCode.SUCCESS;
      this.properties = NO_PROPERTIES;
      return;
    }
    this.decode(packetType, new Reader(bytes, start, end), version);
  }

  /** Reads an acknowledgement of any length, whose flags were checked. */
  decode(packetType: AckType, reader: Reader, version: ProtocolVersion): void {
    this.packetId = checkPacketId(reader.u16());
    this.reasonCode = ReasonCode.SUCCESS;
    this.properties = NO_PROPERTIES;
    if (version === 5 && reader.remaining > 0) {
      const code = reader.u8();
      // [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1]
      if (!mayCarry(packetType, code)) {
        throw new ProtocolError("3.4.2.1", `This packet must not have the reason code "${code}"`);
      }
      this.reasonCode = code;
      // A packet may end before the length of its properties.
      if (reader.remaining > 0) this.properties = decodeProperties(reader, packetType);
    }
    reader.expectEnd();
  }
}

function checkPacketId(packetId: number): number {
  if (packetId === 0) {
    throw new ProtocolError("MQTT-2.2.1-3", "The packet identifier must not be 0");
  }
  return packetId;
}

export function decodeAck(
  packetType: AckType,
  reader: Reader,
  version: ProtocolVersion,
): AckPacket {
  const view = new AckView();
  view.decode(packetType, reader, version);
  const { packetId, reasonCode, properties } = view;
  switch (packetType) {
    case PacketType.PUBACK:
      return { type: "puback", packetId, reasonCode, properties };
    case PacketType.PUBREC:
      return { type: "pubrec", packetId, reasonCode, properties };
    case PacketType.PUBREL:
      return { type: "pubrel", packetId, reasonCode, properties };
    case PacketType.PUBCOMP:
      return { type: "pubcomp", packetId, reasonCode, properties };
    default:
      return unreachable(packetType);
  }
}

/** Writes an acknowledgement; before version 5 it has neither a reason code nor properties. */
export function encodeAck(
  writer: Writer,
  packetType: AckType,
  packetId: number,
  reasonCode: ReasonCode,
  version: ProtocolVersion,
  properties: Properties = NO_PROPERTIES,
): void {
  // PUBREL alone has a flag [MQTT-3.6.1-1].
  const firstByte = packetType << 4 | (packetType === PacketType.PUBREL ? 0x02 : 0);
  const isBare = version !== 5 || !hasProperties(properties);
  if (isBare) {
    // [MQTT-3.1.1-3.3.5-2]
    const hasCode = version === 5 && reasonCode !== ReasonCode.SUCCESS;
    writer.ensure(5);
    const { bytes, length } = writer;
    bytes[length] = firstByte;
    bytes[length + 1] = hasCode ? 3 : 2;
    bytes[length + 2] = packetId >>> 8;
    bytes[length + 3] = packetId;
    bytes[length + 4] = reasonCode;
    writer.length = length + (hasCode ? 5 : 4);
    return;
  }
  writer.u8(firstByte);
  const mark = writer.openLength(1);
  writer.u16(packetId);
  writer.u8(reasonCode);
  encodeProperties(writer, properties, packetType);
  writer.closeLength(mark, 1);
}
