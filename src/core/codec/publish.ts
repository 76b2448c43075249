/**
 * PUBLISH as an object, for those who are not in a hurry: clients, wills, commands, tests. The
 * broker's own path reads a PUBLISH in place (publish_view.ts) by the same rules, and is where a
 * rule that is only about messages to a broker is found.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { MalformedPacketError, ProtocolError } from "./error.ts";
import type { PublishPacket } from "./packet.ts";
import { decodeProperties, encodeProperties, NO_PROPERTIES } from "./property.ts";
import { PacketType, type ProtocolVersion, type QoS } from "./protocol.ts";
import type { Reader } from "./reader.ts";
import { varintWidth, type Writer } from "./writer.ts";

export const RETAIN_FLAG = 0x01;
export const DUP_FLAG = 0x08;
const QOS_SHIFT = 1;

/** Reads the quality of service out of the first byte and checks it against DUP. */
export function publishQos(firstByte: number): QoS {
  const qos = firstByte >> QOS_SHIFT & 3;
  if (qos === 3) throw new MalformedPacketError("MQTT-3.3.1-4", "PUBLISH must not have QoS 3");
  if (qos === 0 && (firstByte & DUP_FLAG) !== 0) {
    throw new MalformedPacketError("MQTT-3.3.1-2", "PUBLISH must not have DUP with QoS 0");
  }
  // Three was refused.
  return qos as QoS;
}

export function decodePublish(
  firstByte: number,
  reader: Reader,
  version: ProtocolVersion,
): PublishPacket {
  const qos = publishQos(firstByte);
  const topic = reader.string();
  if (topic.includes("+") || topic.includes("#")) {
    throw new MalformedPacketError("MQTT-3.3.2-2", "The topic of PUBLISH must have no wildcard");
  }
  const packetId = qos === 0 ? 0 : reader.u16();
  if (qos > 0 && packetId === 0) {
    throw new ProtocolError("MQTT-2.2.1-3", "The packet identifier must not be 0");
  }
  const properties = version === 5 ? decodeProperties(reader, PacketType.PUBLISH) : NO_PROPERTIES;
  if (topic === "" && properties.topicAlias === undefined) {
    throw new MalformedPacketError("MQTT-4.7.3-1", "The topic of PUBLISH must not be empty");
  }
  return {
    type: "publish",
    topic,
    payload: reader.copy(reader.remaining),
    qos,
    retain: (firstByte & RETAIN_FLAG) !== 0,
    dup: (firstByte & DUP_FLAG) !== 0,
    packetId,
    properties,
  };
}

export function encodePublish(
  writer: Writer,
  packet: PublishPacket,
  version: ProtocolVersion,
): void {
  const { topic, payload, qos, packetId } = packet;
  assert(qos > 0 || !packet.dup, "PUBLISH must not have DUP with QoS 0");
  assert(qos === 0 || packetId > 0 && packetId <= 0xffff, "The packet identifier is out of range");
  const flags = (packet.dup ? DUP_FLAG : 0) | qos << QOS_SHIFT | (packet.retain ? RETAIN_FLAG : 0);
  writer.ensure(16 + topic.length + payload.length);
  writer.u8(PacketType.PUBLISH << 4 | flags);
  // The least that it can be: right unless properties or other alphabets lift it over a boundary.
  const width = varintWidth(topic.length + payload.length + (qos > 0 ? 4 : 2));
  const mark = writer.openLength(width);
  writer.string(topic);
  if (qos > 0) writer.u16(packetId);
  if (version === 5) encodeProperties(writer, packet.properties, PacketType.PUBLISH);
  writer.raw(payload, 0, payload.length);
  writer.closeLength(mark, width);
}
