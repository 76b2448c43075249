/**
 * DISCONNECT: the last packet of a connection. Before version 5 only clients send it, and it is
 * empty; since then either side may, with a reason. Who may give which reason is not decided here.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { ProtocolError } from "./error.ts";
import type { DisconnectPacket } from "./packet.ts";
import {
  decodeProperties,
  encodeProperties,
  hasProperties,
  NO_PROPERTIES,
  type Properties,
} from "./property.ts";
import { PacketType, type ProtocolVersion } from "./protocol.ts";
import type { Reader } from "./reader.ts";
import { mayCarry, ReasonCode } from "./reason_code.ts";
import type { Writer } from "./writer.ts";

export function decodeDisconnect(reader: Reader, version: ProtocolVersion): DisconnectPacket {
  let reasonCode: ReasonCode = ReasonCode.NORMAL_DISCONNECTION;
  let properties = NO_PROPERTIES;
  if (version === 5 && reader.remaining > 0) {
    const code = reader.u8();
    if (!mayCarry(PacketType.DISCONNECT, code)) {
      throw new ProtocolError(
        "MQTT-3.14.2-1",
        `DISCONNECT must not have the reason code "${code}"`,
      );
    }
    reasonCode = code;
    // The packet may end before the length of its properties.
    if (reader.remaining > 0) properties = decodeProperties(reader, PacketType.DISCONNECT);
  }
  reader.expectEnd();
  return { type: "disconnect", reasonCode, properties };
}

/** Writes a DISCONNECT; before version 5 it can only say that all is well. */
export function encodeDisconnect(
  writer: Writer,
  reasonCode: ReasonCode,
  version: ProtocolVersion,
  properties: Properties = NO_PROPERTIES,
): void {
  assert(
    version === 5 || reasonCode === ReasonCode.NORMAL_DISCONNECTION,
    "Before version 5 DISCONNECT has no reason code",
  );
  const isBare = version !== 5 || !hasProperties(properties);
  writer.u8(PacketType.DISCONNECT << 4);
  if (isBare && reasonCode === ReasonCode.NORMAL_DISCONNECTION) return writer.u8(0);
  const mark = writer.openLength(1);
  writer.u8(reasonCode);
  if (!isBare) encodeProperties(writer, properties, PacketType.DISCONNECT);
  writer.closeLength(mark, 1);
}
