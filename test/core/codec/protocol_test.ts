/**
 * The numbers that everything else is built on.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { PacketType, VARINT_MAX } from "../../../src/core/codec/protocol.ts";
import { test } from "../../harness.ts";

test("PacketType numbers the packets as table 2-1 does", () => {
  assertEquals(
    Object.keys(PacketType).join(" "),
    "CONNECT CONNACK PUBLISH PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE " +
      "UNSUBACK PINGREQ PINGRESP DISCONNECT AUTH",
  );
  assertEquals(Object.values(PacketType), Array.from({ length: 15 }, (_, i) => i + 1));
});

test("VARINT_MAX is what four bytes of seven bits hold", () => {
  assertEquals(VARINT_MAX, 2 ** 28 - 1);
});
