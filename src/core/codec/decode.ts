/**
 * From the bytes of one whole packet to an object, for every packet type and version, in both
 * directions. Where packets begin and end is found by the framer; whether a packet may come from
 * this side, and at this time, is decided by the broker or the client.
 *
 * @module
 */

import { decodeAck } from "./ack.ts";
import { decodeConnack } from "./connack.ts";
import { readRequest } from "./decode_request.ts";
import { checkFixedFlags } from "./fixed_flags.ts";
import type { Packet } from "./packet.ts";
import { decodePingresp } from "./ping.ts";
import { PacketType, type ProtocolVersion } from "./protocol.ts";
import { decodePublish } from "./publish.ts";
import { Reader } from "./reader.ts";
import { decodeSuback } from "./suback.ts";
import { decodeUnsuback } from "./unsuback.ts";

/**
 * Reads one packet whose variable header begins at `start` and which goes up to `end`. A CONNECT
 * says its own version; for all others it is the one of the connection.
 */
export function decodePacket(
  firstByte: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  version: ProtocolVersion,
): Packet {
  // Four bits are left, of which zero is the only one that is no packet type.
  const packetType = firstByte >> 4 as PacketType | 0;
  checkFixedFlags(packetType, firstByte & 0x0f, version);
  const reader = new Reader(bytes, start, end);
  switch (packetType) {
    case PacketType.CONNACK:
      return decodeConnack(reader, version);
    case PacketType.PUBLISH:
      return decodePublish(firstByte, reader, version);
    case PacketType.PUBACK:
    case PacketType.PUBREC:
    case PacketType.PUBREL:
    case PacketType.PUBCOMP:
      return decodeAck(packetType, reader, version);
    case PacketType.SUBACK:
      return decodeSuback(reader, version);
    case PacketType.UNSUBACK:
      return decodeUnsuback(reader, version);
    case PacketType.PINGRESP:
      return decodePingresp(reader);
    default:
      return readRequest(firstByte, reader, version);
  }
}
