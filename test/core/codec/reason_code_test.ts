/**
 * The codes of each packet against the standard's table written the other way round.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { PacketType } from "../../../src/core/codec/protocol.ts";
import {
  fromReturnCode,
  mayCarry,
  ReasonCode,
  toReturnCode,
} from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";

/** Table 2-6 of section 2.4 by code instead of by packet. */
const PACKETS_BY_CODE: Record<number, (keyof typeof PacketType)[]> = {
  0x00: [
    "CONNACK",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBACK",
    "UNSUBACK",
    "DISCONNECT",
    "AUTH",
  ],
  0x01: ["SUBACK"],
  0x02: ["SUBACK"],
  0x04: ["DISCONNECT"],
  0x10: ["PUBACK", "PUBREC"],
  0x11: ["UNSUBACK"],
  0x18: ["AUTH"],
  0x19: ["AUTH"],
  0x80: ["CONNACK", "PUBACK", "PUBREC", "SUBACK", "UNSUBACK", "DISCONNECT"],
  0x81: ["CONNACK", "DISCONNECT"],
  0x82: ["CONNACK", "DISCONNECT"],
  0x83: ["CONNACK", "PUBACK", "PUBREC", "SUBACK", "UNSUBACK", "DISCONNECT"],
  0x84: ["CONNACK"],
  0x85: ["CONNACK"],
  0x86: ["CONNACK"],
  0x87: ["CONNACK", "PUBACK", "PUBREC", "SUBACK", "UNSUBACK", "DISCONNECT"],
  0x88: ["CONNACK"],
  0x89: ["CONNACK", "DISCONNECT"],
  0x8a: ["CONNACK"],
  0x8b: ["DISCONNECT"],
  0x8c: ["CONNACK", "DISCONNECT"],
  0x8d: ["DISCONNECT"],
  0x8e: ["DISCONNECT"],
  0x8f: ["SUBACK", "UNSUBACK", "DISCONNECT"],
  0x90: ["CONNACK", "PUBACK", "PUBREC", "DISCONNECT"],
  0x91: ["PUBACK", "PUBREC", "SUBACK", "UNSUBACK"],
  0x92: ["PUBREL", "PUBCOMP"],
  0x93: ["DISCONNECT"],
  0x94: ["DISCONNECT"],
  0x95: ["CONNACK", "DISCONNECT"],
  0x96: ["DISCONNECT"],
  0x97: ["CONNACK", "PUBACK", "PUBREC", "SUBACK", "DISCONNECT"],
  0x98: ["DISCONNECT"],
  0x99: ["CONNACK", "PUBACK", "PUBREC", "DISCONNECT"],
  0x9a: ["CONNACK", "DISCONNECT"],
  0x9b: ["CONNACK", "DISCONNECT"],
  0x9c: ["CONNACK", "DISCONNECT"],
  0x9d: ["CONNACK", "DISCONNECT"],
  0x9e: ["SUBACK", "DISCONNECT"],
  0x9f: ["CONNACK", "DISCONNECT"],
  0xa0: ["DISCONNECT"],
  0xa1: ["SUBACK", "DISCONNECT"],
  0xa2: ["SUBACK", "DISCONNECT"],
};

test("mayCarry() allows each packet the codes that the standard lists for it", () => {
  for (let code = 0; code < 256; code++) {
    const allowed = Object.entries(PacketType).filter(([, type]) => mayCarry(type, code));
    assertEquals(allowed.map(([name]) => name), PACKETS_BY_CODE[code] ?? []);
  }
});

test("ReasonCode names every code that the standard lists", () => {
  const values = [...new Set<number>(Object.values(ReasonCode))].sort((a, b) => a - b);
  assertEquals(values, Object.keys(PACKETS_BY_CODE).map(Number));
});

test("toReturnCode() says what a 3.x CONNACK can say, and not authorized for the rest", () => {
  const special: Record<number, number> = { 0: 0, 0x84: 1, 0x85: 2, 0x88: 3, 0x89: 3, 0x86: 4 };
  for (const code of Object.values(ReasonCode)) {
    assertEquals(toReturnCode(code), special[code] ?? 5);
  }
});

test("fromReturnCode() lifts the six return codes and no others", () => {
  const lifted = [0, 1, 2, 3, 4, 5, 6, 255].map(fromReturnCode);
  assertEquals(lifted, [0, 0x84, 0x85, 0x88, 0x86, 0x87, undefined, undefined]);
});
