/**
 * SUBACK: one reason code per filter of a SUBSCRIBE. Before version 5 there is a single failure,
 * 0x80, which version 3.1 does not even define: whoever answers such a client had better grant.
 *
 * @module
 */

import { ProtocolError } from "./error.ts";
import type { SubackPacket } from "./packet.ts";
import { decodeProperties, encodeProperties, NO_PROPERTIES, type Properties } from "./property.ts";
import { PacketType, type ProtocolVersion } from "./protocol.ts";
import type { Reader } from "./reader.ts";
import { mayCarry, ReasonCode } from "./reason_code.ts";
import { requestPacketId } from "./subscribe.ts";
import { varintWidth, type Writer } from "./writer.ts";

export function decodeSuback(reader: Reader, version: ProtocolVersion): SubackPacket {
  const packetId = requestPacketId(reader);
  const properties = version === 5 ? decodeProperties(reader, PacketType.SUBACK) : NO_PROPERTIES;
  const reasonCodes: ReasonCode[] = [];
  while (reader.remaining > 0) {
    const code = reader.u8();
    const isOld = code <= ReasonCode.GRANTED_QOS_2 || code === ReasonCode.UNSPECIFIED_ERROR;
    if (!mayCarry(PacketType.SUBACK, code) || version !== 5 && !isOld) {
      throw new ProtocolError("MQTT-3.9.3-2", `SUBACK must not have the reason code "${code}"`);
    }
    reasonCodes.push(code);
  }
  return { type: "suback", packetId, reasonCodes, properties };
}

export function encodeSuback(
  writer: Writer,
  packetId: number,
  reasonCodes: readonly ReasonCode[],
  version: ProtocolVersion,
  properties: Properties = NO_PROPERTIES,
): void {
  writer.u8(PacketType.SUBACK << 4);
  const width = varintWidth(2 + reasonCodes.length);
  const mark = writer.openLength(width);
  writer.u16(packetId);
  if (version === 5) encodeProperties(writer, properties, PacketType.SUBACK);
  for (const code of reasonCodes) {
    // [MQTT-3.1.1-3.9.3-2]
    writer.u8(version === 5 ? code : Math.min(code, ReasonCode.UNSPECIFIED_ERROR));
  }
  writer.closeLength(mark, width);
}
