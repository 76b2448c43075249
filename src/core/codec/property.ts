/**
 * The properties of version 5: one table of all twenty-seven, read by both directions. Which
 * values the broker honours, and what it adds to a PUBLISH on its way, is decided elsewhere; the
 * hot path of PUBLISH reads its few properties itself (publish_view.ts) by the rules of this file.
 *
 * Properties are encoded in the order in which the object's fields were set, so that a packet that
 * was read can be written again byte for byte (apart from repeated ones, which are gathered).
 *
 * @module
 */

import { assert, unreachable } from "../base/assert.ts";
import { MalformedPacketError, ProtocolError } from "./error.ts";
import { PacketType, VARINT_MAX } from "./protocol.ts";
import type { Reader } from "./reader.ts";
import { ReasonCode } from "./reason_code.ts";
import type { Writer } from "./writer.ts";

/** What may accompany a packet; intervals are in seconds, four-byte numbers are unsigned. */
export interface Properties {
  payloadFormatIndicator?: number;
  messageExpiryInterval?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Uint8Array;
  subscriptionIds?: number[];
  sessionExpiryInterval?: number;
  assignedClientId?: string;
  serverKeepAlive?: number;
  authenticationMethod?: string;
  authenticationData?: Uint8Array;
  requestProblemInformation?: boolean;
  willDelayInterval?: number;
  requestResponseInformation?: boolean;
  responseInformation?: string;
  serverReference?: string;
  reasonString?: string;
  receiveMaximum?: number;
  topicAliasMaximum?: number;
  topicAlias?: number;
  maximumQos?: number;
  retainAvailable?: boolean;
  userProperties?: [string, string][];
  maximumPacketSize?: number;
  wildcardSubscriptionAvailable?: boolean;
  subscriptionIdsAvailable?: boolean;
  sharedSubscriptionAvailable?: boolean;
}

/** What a packet without properties shares with all others; frozen, so nobody can add to it. */
export const NO_PROPERTIES: Properties = Object.freeze({});

/** Tells whether there is anything in them to write. */
export function hasProperties(properties: Properties): boolean {
  if (properties === NO_PROPERTIES) return false;
  for (const name in properties) {
    if (properties[name as keyof Properties] !== undefined) return true;
  }
  return false;
}

/** What carries the properties: a packet type, or 0 for the Will inside a CONNECT. */
export type PropertyOwner = PacketType | 0;

export const WILL: PropertyOwner = 0;

/** How a property looks on the wire; a bit and a flag are bytes that may only be 0 or 1. */
type WireType =
  | "bit"
  | "flag"
  | "u16"
  | "u16 above 0"
  | "u32"
  | "u32 above 0"
  | "varint"
  | "string"
  | "topic"
  | "binary"
  | "pair";

interface Definition {
  readonly id: number;
  readonly name: keyof Properties;
  readonly wire: WireType;
  /** One bit per {@linkcode PropertyOwner} that may carry it. */
  readonly owners: number;
}

const { CONNECT, CONNACK, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT, AUTH } = PacketType;
const { PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK } = PacketType;
const REASONED = [CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH];
const WITH_USER_PROPERTY = [...REASONED, CONNECT, PUBLISH, WILL, SUBSCRIBE, UNSUBSCRIBE];

// Table 2-4 of section 2.2.2.2.
const DEFINITIONS: readonly Definition[] = Object.freeze([
  define(0x01, "payloadFormatIndicator", "bit", PUBLISH, WILL),
  define(0x02, "messageExpiryInterval", "u32", PUBLISH, WILL),
  define(0x03, "contentType", "string", PUBLISH, WILL),
  define(0x08, "responseTopic", "topic", PUBLISH, WILL),
  define(0x09, "correlationData", "binary", PUBLISH, WILL),
  define(0x0b, "subscriptionIds", "varint", PUBLISH, SUBSCRIBE),
  define(0x11, "sessionExpiryInterval", "u32", CONNECT, CONNACK, DISCONNECT),
  define(0x12, "assignedClientId", "string", CONNACK),
  define(0x13, "serverKeepAlive", "u16", CONNACK),
  define(0x15, "authenticationMethod", "string", CONNECT, CONNACK, AUTH),
  define(0x16, "authenticationData", "binary", CONNECT, CONNACK, AUTH),
  define(0x17, "requestProblemInformation", "flag", CONNECT),
  define(0x18, "willDelayInterval", "u32", WILL),
  define(0x19, "requestResponseInformation", "flag", CONNECT),
  define(0x1a, "responseInformation", "string", CONNACK),
  define(0x1c, "serverReference", "string", CONNACK, DISCONNECT),
  define(0x1f, "reasonString", "string", ...REASONED),
  define(0x21, "receiveMaximum", "u16 above 0", CONNECT, CONNACK),
  define(0x22, "topicAliasMaximum", "u16", CONNECT, CONNACK),
  define(0x23, "topicAlias", "u16 above 0", PUBLISH),
  define(0x24, "maximumQos", "bit", CONNACK),
  define(0x25, "retainAvailable", "flag", CONNACK),
  define(0x26, "userProperties", "pair", ...WITH_USER_PROPERTY),
  define(0x27, "maximumPacketSize", "u32 above 0", CONNECT, CONNACK),
  define(0x28, "wildcardSubscriptionAvailable", "flag", CONNACK),
  define(0x29, "subscriptionIdsAvailable", "flag", CONNACK),
  define(0x2a, "sharedSubscriptionAvailable", "flag", CONNACK),
]);

const DEFINITION_BY_ID: readonly (Definition | undefined)[] = Object.freeze(
  Array.from({ length: 0x2b }, (_, id) => DEFINITIONS.find((each) => each.id === id)),
);

const DEFINITION_BY_NAME: ReadonlyMap<string, Definition> = new Map(
  DEFINITIONS.map((each) => [each.name, each]),
);

function define(
  id: number,
  name: keyof Properties,
  wire: WireType,
  ...owners: PropertyOwner[]
): Definition {
  return Object.freeze({ id, name, wire, owners: ownerBits(owners) });
}

function ownerBits(owners: readonly PropertyOwner[]): number {
  let bits = 0;
  for (const owner of owners) bits |= 1 << owner;
  return bits;
}

/** Tells whether any packet knows a property of this identifier. */
export function isProperty(id: number): boolean {
  return DEFINITION_BY_ID[id] !== undefined;
}

/** Reads the length of the properties and then the properties [MQTT-2.2.2-1]. */
export function decodeProperties(reader: Reader, owner: PropertyOwner): Properties {
  const length = reader.varint();
  if (length === 0) return NO_PROPERTIES;
  const packetEnd = reader.end;
  const end = reader.at + length;
  if (end > packetEnd) {
    throw new MalformedPacketError("2.2.2.1", "Cannot read properties beyond the packet's end");
  }
  const properties: Properties = {};
  // No property may reach into what follows the properties.
  reader.end = end;
  while (reader.at < end) decodeProperty(reader, owner, properties);
  reader.end = packetEnd;
  return properties;
}

function decodeProperty(reader: Reader, owner: PropertyOwner, properties: Properties): void {
  // The standard writes identifiers as variable byte integers, and has none above one byte.
  const id = reader.varint();
  const definition = DEFINITION_BY_ID[id];
  if (definition === undefined) {
    throw new MalformedPacketError("2.2.2.2", `Cannot read property "${id}": it is unknown`);
  }
  const { name, wire } = definition;
  if ((definition.owners & 1 << owner) === 0) {
    throw new ProtocolError("2.2.2.2", `Property "${name}" is not allowed in this packet`);
  }
  // [MQTT-1.5.7-1]
  if (wire === "pair") {
    (properties.userProperties ??= []).push([reader.string(), reader.string()]);
    return;
  }
  if (wire === "varint" && owner === PUBLISH && properties.subscriptionIds !== undefined) {
    properties.subscriptionIds.push(subscriptionId(reader.varint()));
    return;
  }
  if (properties[name] !== undefined) {
    throw new ProtocolError("2.2.2.2", `Property "${name}" is not allowed more than once`);
  }
  // The table pairs each name with the wire type that yields the type of its field.
  (properties as Record<string, unknown>)[name] = decodeValue(reader, name, wire);
}

function decodeValue(
  reader: Reader,
  name: keyof Properties,
  wire: Exclude<WireType, "pair">,
): unknown {
  switch (wire) {
    case "bit":
      return zeroOrOne(reader.u8(), name);
    case "flag":
      return zeroOrOne(reader.u8(), name) === 1;
    case "u16":
      return reader.u16();
    case "u16 above 0":
      return aboveZero(reader.u16(), name);
    case "u32":
      return reader.u32();
    case "u32 above 0":
      return aboveZero(reader.u32(), name);
    case "varint":
      return [subscriptionId(reader.varint())];
    case "string":
      return reader.string();
    case "topic":
      return responseTopic(reader);
    case "binary":
      return reader.binary();
    default:
      return unreachable(wire);
  }
}

function zeroOrOne(value: number, name: keyof Properties): number {
  if (value > 1) {
    throw new ProtocolError("2.2.2.2", `Property "${name}" must be 0 or 1: "${value}"`);
  }
  return value;
}

function aboveZero(value: number, name: keyof Properties): number {
  if (value > 0) return value;
  const code = name === "topicAlias" ? ReasonCode.TOPIC_ALIAS_INVALID : ReasonCode.PROTOCOL_ERROR;
  throw new ProtocolError("2.2.2.2", `Property "${name}" must not be 0`, code);
}

function subscriptionId(value: number): number {
  if (value > 0) return value;
  throw new ProtocolError("3.8.2.1.2", `Property "subscriptionIds" must not be 0`);
}

function responseTopic(reader: Reader): string {
  const topic = reader.string();
  if (topic === "" || topic.includes("+") || topic.includes("#")) {
    throw new ProtocolError("MQTT-3.3.2-14", "The response topic must be a topic name");
  }
  return topic;
}

/**
 * Writes the length of the properties and the properties. Ids of subscriptions are written one
 * property each; a field that is `undefined` is not written.
 */
export function encodeProperties(
  writer: Writer,
  properties: Properties,
  owner: PropertyOwner,
): void {
  if (properties === NO_PROPERTIES) {
    writer.u8(0);
    return;
  }
  const mark = writer.openLength(1);
  for (const name in properties) {
    const value: unknown = properties[name as keyof Properties];
    if (value === undefined) continue;
    const definition = DEFINITION_BY_NAME.get(name);
    assert(definition !== undefined, "A property does not exist");
    assert((definition.owners & 1 << owner) !== 0, "A property is not allowed in this packet");
    encodeProperty(writer, definition, value);
  }
  writer.closeLength(mark, 1);
}

// The casts repeat the field types of `Properties`, which the table pairs with the wire types.
function encodeProperty(writer: Writer, { id, wire }: Definition, value: unknown): void {
  switch (wire) {
    case "bit":
      writer.u8(id);
      return writer.u8(inRange(value as number, 0, 1));
    case "flag":
      writer.u8(id);
      return writer.u8(value === true ? 1 : 0);
    case "u16":
    case "u16 above 0":
      writer.u8(id);
      return writer.u16(inRange(value as number, wire === "u16" ? 0 : 1, 0xffff));
    case "u32":
    case "u32 above 0":
      writer.u8(id);
      return writer.u32(inRange(value as number, wire === "u32" ? 0 : 1, 0xffff_ffff));
    case "varint":
      for (const each of value as number[]) {
        writer.u8(id);
        writer.varint(inRange(each, 1, VARINT_MAX));
      }
      return;
    case "string":
    case "topic":
      writer.u8(id);
      return writer.string(value as string);
    case "binary":
      writer.u8(id);
      return writer.binary(value as Uint8Array);
    case "pair":
      for (const [key, text] of value as [string, string][]) {
        writer.u8(id);
        writer.string(key);
        writer.string(text);
      }
      return;
    default:
      return unreachable(wire);
  }
}

function inRange(value: number, min: number, max: number): number {
  assert(value >= min && value <= max, "A property is out of range");
  return value;
}
