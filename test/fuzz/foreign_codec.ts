/**
 * Our codec beside mqtt-packet, on the bytes of one packet. Both take it or refuse it; where both
 * take it, what the other one made of it is written by the other one and read by us, so that nothing
 * has to be known of its objects. What comes out is one word for how they differ, if they do.
 *
 * @module
 */

import { equal } from "@std/assert";
import mqttPacket from "mqtt-packet";
import { Buffer } from "node:buffer";
import { AssertionError } from "../../src/core/base/assert.ts";
import { decodePacket } from "../../src/core/codec/decode.ts";
import { MqttError } from "../../src/core/codec/error.ts";
import { Framer } from "../../src/core/codec/framer.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";

type ForeignPacket = Parameters<typeof mqttPacket.generate>[0];

/**
 * How the two differ on a packet:
 *
 * - `only theirs: <place in the standard>`: we refuse it, for what the standard says there;
 * - `only ours: <their message>`: they refuse it;
 * - `cannot write: <their message>`: they read it, and cannot write it again;
 * - `other: <field>`: they understand something else.
 */
export function differenceOn(bytes: Uint8Array, version: ProtocolVersion): string | undefined {
  const ours = readOurs(bytes, version);
  const theirs = readTheirs(bytes, version);
  if (ours instanceof MqttError) {
    return typeof theirs === "string" ? undefined : `only theirs: ${ours.section}`;
  }
  if (typeof theirs === "string") return `only ours: ${theirs}`;
  const own = ours.type === "connect" ? ours.protocolVersion : version;
  let written: Uint8Array;
  try {
    written = mqttPacket.generate(theirs, { protocolVersion: own });
  } catch (error) {
    return `cannot write: ${(error as Error).message}`;
  }
  const again = readOurs(written, own);
  if (again instanceof MqttError) return `other: unreadable by ${again.section}`;
  const field = differingField(ours, again);
  return field === undefined ? undefined : `other: ${field}`;
}

function readOurs(bytes: Uint8Array, version: ProtocolVersion): Packet | MqttError {
  try {
    const framer = new Framer();
    framer.feed(bytes);
    if (!framer.next() || framer.end !== bytes.length) throw new AssertionError("No whole packet");
    return decodePacket(framer.firstByte, bytes, framer.bodyStart, framer.end, version);
  } catch (error) {
    if (error instanceof MqttError) return error;
    throw error;
  }
}

/** What they make of it, or why they refuse it. */
function readTheirs(bytes: Uint8Array, version: ProtocolVersion): ForeignPacket | string {
  const parser = mqttPacket.parser({ protocolVersion: version });
  let result: ForeignPacket | string = "nothing comes of it";
  parser.on("packet", (packet: ForeignPacket) => result = packet);
  parser.on("error", (error: Error) => result = error.message);
  try {
    parser.parse(Buffer.from(bytes));
  } catch (error) {
    return `throws ${(error as Error).name}`;
  }
  return result;
}

/** The first field that differs, with those of properties and wills by their path. */
function differingField(one: object, other: object): string | undefined {
  const [left, right] = [one, other] as Readonly<Record<string, unknown>>[];
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const [a, b] = [left![key], right![key]];
    if (equal(a, b)) continue;
    if (key !== "properties" && key !== "will") return key;
    const inner = differingField(a as object ?? {}, b as object ?? {});
    return inner === undefined ? key : `${key}.${inner}`;
  }
  return undefined;
}
