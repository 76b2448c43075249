/**
 * From an object to the bytes of a packet, for every packet type and version. What a version
 * cannot say is left out or lowered. Those in a hurry call the encoder of their packet instead.
 *
 * @module
 */

import { assert, unreachable } from "../base/assert.ts";
import { encodeAck } from "./ack.ts";
import { encodeAuth } from "./auth.ts";
import { encodeConnack } from "./connack.ts";
import { encodeConnect } from "./connect.ts";
import { encodeDisconnect } from "./disconnect.ts";
import type { Packet } from "./packet.ts";
import { encodePingreq, encodePingresp } from "./ping.ts";
import { PacketType, type ProtocolVersion } from "./protocol.ts";
import { encodePublish } from "./publish.ts";
import { encodeSuback } from "./suback.ts";
import { encodeSubscribe } from "./subscribe.ts";
import { encodeUnsuback } from "./unsuback.ts";
import { encodeUnsubscribe } from "./unsubscribe.ts";
import type { Writer } from "./writer.ts";

/**
 * Appends one packet. A CONNECT is written in the version that it names itself. When the packet
 * cannot be encoded, the writer is left as it was.
 */
export function encodePacket(writer: Writer, packet: Packet, version: ProtocolVersion): void {
  const before = writer.length;
  try {
    encode(writer, packet, version);
  } catch (error) {
    writer.length = before;
    throw error;
  }
}

function encode(writer: Writer, packet: Packet, version: ProtocolVersion): void {
  switch (packet.type) {
    case "connect":
      return encodeConnect(writer, packet);
    case "connack":
      return encodeConnack(writer, packet, version);
    case "publish":
      return encodePublish(writer, packet, version);
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp": {
      const { packetId, reasonCode, properties } = packet;
      return encodeAck(writer, ACK_TYPES[packet.type], packetId, reasonCode, version, properties);
    }
    case "subscribe":
      return encodeSubscribe(writer, packet, version);
    case "suback":
      return encodeSuback(writer, packet.packetId, packet.reasonCodes, version, packet.properties);
    case "unsubscribe":
      return encodeUnsubscribe(writer, packet, version);
    case "unsuback":
      return encodeUnsuback(
        writer,
        packet.packetId,
        packet.reasonCodes,
        version,
        packet.properties,
      );
    case "pingreq":
      return encodePingreq(writer);
    case "pingresp":
      return encodePingresp(writer);
    case "disconnect":
      return encodeDisconnect(writer, packet.reasonCode, version, packet.properties);
    case "auth":
      assert(version === 5, "AUTH came with version 5");
      return encodeAuth(writer, packet.reasonCode, packet.properties);
    default:
      return unreachable(packet);
  }
}

const ACK_TYPES = Object.freeze(
  {
    puback: PacketType.PUBACK,
    pubrec: PacketType.PUBREC,
    pubrel: PacketType.PUBREL,
    pubcomp: PacketType.PUBCOMP,
  } as const,
);
