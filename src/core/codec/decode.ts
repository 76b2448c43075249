/**
 * From the bytes of one whole packet to an object, for every packet type and version, in both
 * directions. Where packets begin and end is found by the framer; whether a packet may come from
 * this side, and at this time, is decided by the broker or the client.
 *
 * @module
 */

import { decodeAck } from "./ack.ts";
import { decodeAuth } from "./auth.ts";
import { decodeConnack } from "./connack.ts";
import { decodeConnect } from "./connect.ts";
import { decodeDisconnect } from "./disconnect.ts";
import { ProtocolError } from "./error.ts";
import { checkFixedFlags } from "./fixed_flags.ts";
import type { Packet } from "./packet.ts";
import { decodePingreq, decodePingresp } from "./ping.ts";
import { PacketType, type ProtocolVersion } from "./protocol.ts";
import { decodePublish } from "./publish.ts";
import { Reader } from "./reader.ts";
import { decodeSuback } from "./suback.ts";
import { decodeSubscribe } from "./subscribe.ts";
import { decodeUnsuback } from "./unsuback.ts";
import { decodeUnsubscribe } from "./unsubscribe.ts";

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
    case PacketType.CONNECT:
      return decodeConnect(firstByte & 0x0f, reader);
    case PacketType.CONNACK:
      return decodeConnack(reader, version);
    case PacketType.PUBLISH:
      return decodePublish(firstByte, reader, version);
    case PacketType.PUBACK:
    case PacketType.PUBREC:
    case PacketType.PUBREL:
    case PacketType.PUBCOMP:
      return decodeAck(packetType, reader, version);
    case PacketType.SUBSCRIBE:
      return decodeSubscribe(reader, version);
    case PacketType.SUBACK:
      return decodeSuback(reader, version);
    case PacketType.UNSUBSCRIBE:
      return decodeUnsubscribe(reader, version);
    case PacketType.UNSUBACK:
      return decodeUnsuback(reader, version);
    case PacketType.PINGREQ:
      return decodePingreq(reader);
    case PacketType.PINGRESP:
      return decodePingresp(reader);
    case PacketType.DISCONNECT:
      return decodeDisconnect(reader, version);
    case PacketType.AUTH:
      if (version === 5) return decodeAuth(reader);
      throw new ProtocolError("2.1.2", "AUTH came with version 5");
    default:
      throw new ProtocolError("2.1.2", "Packet type 0 is reserved");
  }
}
