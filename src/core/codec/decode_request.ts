/**
 * From the bytes of one whole packet to an object, for what a client says besides messages and
 * their acknowledgements: a broker reads those where they lie, and need not know the rest.
 *
 * @module
 */

import { decodeAuth } from "./auth.ts";
import { decodeConnect } from "./connect.ts";
import { decodeDisconnect } from "./disconnect.ts";
import { ProtocolError } from "./error.ts";
import { checkFixedFlags } from "./fixed_flags.ts";
import type { Packet } from "./packet.ts";
import { decodePingreq } from "./ping.ts";
import { PacketType, type ProtocolVersion } from "./protocol.ts";
import { Reader } from "./reader.ts";
import { decodeSubscribe } from "./subscribe.ts";
import { decodeUnsubscribe } from "./unsubscribe.ts";

type RequestType = "connect" | "subscribe" | "unsubscribe" | "pingreq" | "disconnect" | "auth";

/** What a client asks for or says of itself. */
export type RequestPacket = Extract<Packet, { readonly type: RequestType }>;

/** As `decodePacket`; a packet that only a broker sends is refused unread. */
export function decodeRequest(
  firstByte: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  version: ProtocolVersion,
): RequestPacket {
  // Four bits are left, of which zero is the only one that is no packet type.
  checkFixedFlags(firstByte >> 4 as PacketType | 0, firstByte & 0x0f, version);
  return readRequest(firstByte, new Reader(bytes, start, end), version);
}

/** Reads what follows the fixed header, whose flags have been checked. */
export function readRequest(
  firstByte: number,
  reader: Reader,
  version: ProtocolVersion,
): RequestPacket {
  switch (firstByte >> 4) {
    case PacketType.CONNECT:
      return decodeConnect(firstByte & 0x0f, reader);
    case PacketType.SUBSCRIBE:
      return decodeSubscribe(reader, version);
    case PacketType.UNSUBSCRIBE:
      return decodeUnsubscribe(reader, version);
    case PacketType.PINGREQ:
      return decodePingreq(reader);
    case PacketType.DISCONNECT:
      return decodeDisconnect(reader, version);
    case PacketType.AUTH:
      if (version === 5) return decodeAuth(reader);
      throw new ProtocolError("2.1.2", "AUTH came with version 5");
    case 0:
      throw new ProtocolError("2.1.2", "Packet type 0 is reserved");
    default:
      throw new ProtocolError("2.1.2", `A client must not send packet type ${firstByte >> 4}`);
  }
}
