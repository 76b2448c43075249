/**
 * UNSUBSCRIBE: filters to forget. As in SUBSCRIBE, what a filter means is not decided here.
 *
 * @module
 */

import { MalformedPacketError } from "./error.ts";
import type { UnsubscribePacket } from "./packet.ts";
import { decodeProperties, encodeProperties, NO_PROPERTIES } from "./property.ts";
import { PacketType, type ProtocolVersion } from "./protocol.ts";
import type { Reader } from "./reader.ts";
import { requestFilter, requestPacketId } from "./subscribe.ts";
import type { Writer } from "./writer.ts";

export function decodeUnsubscribe(reader: Reader, version: ProtocolVersion): UnsubscribePacket {
  const packetId = requestPacketId(reader);
  const properties = version === 5
    ? decodeProperties(reader, PacketType.UNSUBSCRIBE)
    : NO_PROPERTIES;
  const filters: string[] = [];
  while (reader.remaining > 0) filters.push(requestFilter(reader));
  // Version 3.1 does not say that there must be one.
  if (filters.length === 0 && version !== 3) {
    throw new MalformedPacketError("MQTT-3.10.3-2", "UNSUBSCRIBE must have a filter");
  }
  return { type: "unsubscribe", packetId, filters, properties };
}

export function encodeUnsubscribe(
  writer: Writer,
  packet: UnsubscribePacket,
  version: ProtocolVersion,
): void {
  writer.u8(PacketType.UNSUBSCRIBE << 4 | 0x02);
  const mark = writer.openLength(1);
  writer.u16(packet.packetId);
  if (version === 5) encodeProperties(writer, packet.properties, PacketType.UNSUBSCRIBE);
  for (const filter of packet.filters) writer.string(filter);
  writer.closeLength(mark, 1);
}
