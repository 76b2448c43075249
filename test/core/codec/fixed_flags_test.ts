/**
 * The reserved flags, all sixteen values of them for each packet and version.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { MalformedPacketError } from "../../../src/core/codec/error.ts";
import { checkFixedFlags } from "../../../src/core/codec/fixed_flags.ts";
import type { PacketType, ProtocolVersion } from "../../../src/core/codec/protocol.ts";
import { test } from "../../harness.ts";

function allowed(packetType: PacketType, version: ProtocolVersion): number[] {
  return Array.from({ length: 16 }, (_, flags) => flags).filter((flags) => {
    try {
      checkFixedFlags(packetType, flags, version);
      return true;
    } catch (error) {
      if (error instanceof MalformedPacketError) return false;
      throw error;
    }
  });
}

test("checkFixedFlags() allows each packet its one value [MQTT-2.1.3-1]", () => {
  for (const version of [3, 4, 5] as ProtocolVersion[]) {
    for (const packetType of [2, 4, 5, 7, 9, 11, 12, 13, 14, 15] as PacketType[]) {
      assertEquals(allowed(packetType, version), [0]);
    }
    assertEquals(allowed(8, version), [2]);
    assertEquals(allowed(10, version), [2]);
  }
});

test("checkFixedFlags() allows DUP in a PUBREL of version 3.1 only [MQTT-3.6.1-1]", () => {
  assertEquals(([3, 4, 5] as const).map((version) => allowed(6, version)), [[2, 10], [2], [2]]);
});
