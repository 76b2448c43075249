/**
 * AUTH: one step of an exchange by which client and broker prove who they are; version 5 only.
 * Which method is spoken, and whether a step comes at its time, is decided by the broker.
 *
 * @module
 */

import { ProtocolError } from "./error.ts";
import type { AuthPacket } from "./packet.ts";
import {
  decodeProperties,
  encodeProperties,
  hasProperties,
  NO_PROPERTIES,
  type Properties,
} from "./property.ts";
import { PacketType } from "./protocol.ts";
import type { Reader } from "./reader.ts";
import { mayCarry, ReasonCode } from "./reason_code.ts";
import type { Writer } from "./writer.ts";

export function decodeAuth(reader: Reader): AuthPacket {
  // Nothing at all stands for success without properties.
  if (reader.remaining === 0) {
    return { type: "auth", reasonCode: ReasonCode.SUCCESS, properties: NO_PROPERTIES };
  }
  const reasonCode = reader.u8();
  if (!mayCarry(PacketType.AUTH, reasonCode)) {
    throw new ProtocolError("MQTT-3.15.2-1", `AUTH must not have the reason code "${reasonCode}"`);
  }
  const properties = decodeProperties(reader, PacketType.AUTH);
  reader.expectEnd();
  if (
    properties.authenticationData !== undefined && properties.authenticationMethod === undefined
  ) {
    throw new ProtocolError("3.15.2.2.2", "Authentication data needs an authentication method");
  }
  return { type: "auth", reasonCode, properties };
}

export function encodeAuth(
  writer: Writer,
  reasonCode: ReasonCode,
  properties: Properties = NO_PROPERTIES,
): void {
  writer.u8(PacketType.AUTH << 4);
  if (reasonCode === ReasonCode.SUCCESS && !hasProperties(properties)) return writer.u8(0);
  const mark = writer.openLength(1);
  writer.u8(reasonCode);
  encodeProperties(writer, properties, PacketType.AUTH);
  writer.closeLength(mark, 1);
}
