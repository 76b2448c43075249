/**
 * The lower half of a packet's first byte: reserved, with one right value, in all packets but
 * PUBLISH. PUBLISH has real flags there, and CONNECT must first say its version; both see to
 * themselves.
 *
 * @module
 */

import { MalformedPacketError } from "./error.ts";
import { PacketType, type ProtocolVersion } from "./protocol.ts";

/** Checks the reserved flags [MQTT-2.1.3-1]; version 3.1 has a DUP flag in PUBREL. */
export function checkFixedFlags(
  packetType: PacketType | 0,
  flags: number,
  version: ProtocolVersion,
): void {
  switch (packetType) {
    case 0:
    case PacketType.CONNECT:
    case PacketType.PUBLISH:
      return;
    case PacketType.PUBREL:
      if (flags === 0x02 || version === 3 && flags === 0x0a) return;
      throw new MalformedPacketError("MQTT-3.6.1-1", "The flags of PUBREL must be 2");
    case PacketType.SUBSCRIBE:
      if (flags === 0x02) return;
      throw new MalformedPacketError("MQTT-3.8.1-1", "The flags of SUBSCRIBE must be 2");
    case PacketType.UNSUBSCRIBE:
      if (flags === 0x02) return;
      throw new MalformedPacketError("MQTT-3.10.1-1", "The flags of UNSUBSCRIBE must be 2");
    default:
      // [MQTT-3.14.1-1] [MQTT-3.15.1-1] [MQTT-3.1.1-3.14.1-1]
      if (flags === 0) return;
      throw new MalformedPacketError("MQTT-2.1.3-1", "The flags of this packet must be 0");
  }
}
