/**
 * PINGREQ and PINGRESP: two bytes each, in all versions, with nothing in them.
 *
 * @module
 */

import type { PingreqPacket, PingrespPacket } from "./packet.ts";
import { PacketType } from "./protocol.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

export function decodePingreq(reader: Reader): PingreqPacket {
  reader.expectEnd();
  return { type: "pingreq" };
}

export function decodePingresp(reader: Reader): PingrespPacket {
  reader.expectEnd();
  return { type: "pingresp" };
}

export function encodePingreq(writer: Writer): void {
  writer.u16(PacketType.PINGREQ << 12);
}

export function encodePingresp(writer: Writer): void {
  writer.u16(PacketType.PINGRESP << 12);
}
