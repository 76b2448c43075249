/**
 * UNSUBACK: the answer to UNSUBSCRIBE. Reason codes, one per filter, came with version 5; before,
 * it is only an identifier.
 *
 * @module
 */

import { ProtocolError } from "./error.ts";
import type { UnsubackPacket } from "./packet.ts";
import { decodeProperties, encodeProperties, NO_PROPERTIES, type Properties } from "./property.ts";
import { PacketType, type ProtocolVersion } from "./protocol.ts";
import type { Reader } from "./reader.ts";
import { mayCarry, type ReasonCode } from "./reason_code.ts";
import { requestPacketId } from "./subscribe.ts";
import { varintWidth, type Writer } from "./writer.ts";

export function decodeUnsuback(reader: Reader, version: ProtocolVersion): UnsubackPacket {
  const packetId = requestPacketId(reader);
  const reasonCodes: ReasonCode[] = [];
  if (version !== 5) {
    reader.expectEnd();
    return { type: "unsuback", packetId, reasonCodes, properties: NO_PROPERTIES };
  }
  const properties = decodeProperties(reader, PacketType.UNSUBACK);
  while (reader.remaining > 0) {
    const code = reader.u8();
    if (!mayCarry(PacketType.UNSUBACK, code)) {
      throw new ProtocolError("MQTT-3.11.3-2", `UNSUBACK must not have the reason code "${code}"`);
    }
    reasonCodes.push(code);
  }
  return { type: "unsuback", packetId, reasonCodes, properties };
}

export function encodeUnsuback(
  writer: Writer,
  packetId: number,
  reasonCodes: readonly ReasonCode[],
  version: ProtocolVersion,
  properties: Properties = NO_PROPERTIES,
): void {
  writer.u8(PacketType.UNSUBACK << 4);
  const width = varintWidth(2 + (version === 5 ? reasonCodes.length : 0));
  const mark = writer.openLength(width);
  writer.u16(packetId);
  if (version === 5) {
    encodeProperties(writer, properties, PacketType.UNSUBACK);
    for (const code of reasonCodes) writer.u8(code);
  }
  writer.closeLength(mark, width);
}
