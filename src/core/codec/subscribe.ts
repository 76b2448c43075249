/**
 * SUBSCRIBE: filters with their options. Whether a filter's wildcards stand where they may is a
 * matter of topics, not of bytes, and is decided where filters are parsed.
 *
 * @module
 */

import { MalformedPacketError, ProtocolError } from "./error.ts";
import type { SubscribePacket, SubscriptionRequest } from "./packet.ts";
import { decodeProperties, encodeProperties, NO_PROPERTIES } from "./property.ts";
import { PacketType, type ProtocolVersion, type QoS } from "./protocol.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

const QOS_MASK = 0x03;
const NO_LOCAL = 0x04;
const RETAIN_AS_PUBLISHED = 0x08;
const RETAIN_HANDLING_SHIFT = 4;
const RESERVED_BEFORE_5 = 0xfc;
const RESERVED = 0xc0;

export function decodeSubscribe(reader: Reader, version: ProtocolVersion): SubscribePacket {
  const packetId = requestPacketId(reader);
  const properties = version === 5 ? decodeProperties(reader, PacketType.SUBSCRIBE) : NO_PROPERTIES;
  const subscriptions: SubscriptionRequest[] = [];
  while (reader.remaining > 0) {
    const filter = requestFilter(reader);
    subscriptions.push(decodeOptions(filter, reader.u8(), version));
  }
  // Version 3.1 does not say that there must be one.
  if (subscriptions.length === 0 && version !== 3) {
    throw new MalformedPacketError("MQTT-3.8.3-2", "SUBSCRIBE must have a filter");
  }
  return { type: "subscribe", packetId, subscriptions, properties };
}

function decodeOptions(
  filter: string,
  options: number,
  version: ProtocolVersion,
): SubscriptionRequest {
  // [MQTT-3.1.1-3.8.3-4]
  if ((options & (version === 5 ? RESERVED : RESERVED_BEFORE_5)) !== 0) {
    throw new MalformedPacketError("MQTT-3.8.3-5", "Reserved subscription options must be 0");
  }
  const qos = options & QOS_MASK;
  const retainHandling = options >> RETAIN_HANDLING_SHIFT;
  if (qos === 3 || retainHandling === 3) {
    throw new MalformedPacketError("3.8.3.1", "QoS and retain handling must not be 3");
  }
  const noLocal = (options & NO_LOCAL) !== 0;
  if (noLocal && filter.startsWith("$share/")) {
    throw new ProtocolError("MQTT-3.8.3-4", "A shared subscription must not have No Local");
  }
  return {
    filter,
    // Three was refused for both.
    qos: qos as QoS,
    noLocal,
    retainAsPublished: (options & RETAIN_AS_PUBLISHED) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  };
}

/** Reads the identifier of a SUBSCRIBE or UNSUBSCRIBE. */
export function requestPacketId(reader: Reader): number {
  const packetId = reader.u16();
  if (packetId === 0) {
    throw new MalformedPacketError("MQTT-2.2.1-3", "The packet identifier must not be 0");
  }
  return packetId;
}

/** Reads a filter of a SUBSCRIBE or UNSUBSCRIBE. */
export function requestFilter(reader: Reader): string {
  // [MQTT-3.8.3-1] [MQTT-3.10.3-1]
  const filter = reader.string();
  if (filter === "") {
    throw new MalformedPacketError("MQTT-4.7.3-1", "A filter must not be empty");
  }
  return filter;
}

export function encodeSubscribe(
  writer: Writer,
  packet: SubscribePacket,
  version: ProtocolVersion,
): void {
  writer.u8(PacketType.SUBSCRIBE << 4 | 0x02);
  const mark = writer.openLength(1);
  writer.u16(packet.packetId);
  if (version === 5) encodeProperties(writer, packet.properties, PacketType.SUBSCRIBE);
  for (const subscription of packet.subscriptions) {
    writer.string(subscription.filter);
    writer.u8(version === 5 ? encodeOptions(subscription) : subscription.qos);
  }
  writer.closeLength(mark, 1);
}

function encodeOptions(subscription: SubscriptionRequest): number {
  return subscription.qos |
    (subscription.noLocal ? NO_LOCAL : 0) |
    (subscription.retainAsPublished ? RETAIN_AS_PUBLISHED : 0) |
    subscription.retainHandling << RETAIN_HANDLING_SHIFT;
}
