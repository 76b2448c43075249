/**
 * The four acknowledgements: as data, and as read into a view that is used again.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { AckView } from "../../../src/core/codec/ack.ts";
import { MqttError } from "../../../src/core/codec/error.ts";
import type { AckPacket } from "../../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../../src/core/codec/protocol.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import { fixtures, frame, fromHex, packetOf, testFixtures } from "./fixture.ts";

testFixtures("ack");

test("AckView.read() reads what decodePacket() reads", () => {
  const view = new AckView();
  for (const fixture of fixtures["ack"]!) {
    for (const version of fixture.versions as ProtocolVersion[]) {
      const bytes = fromHex(fixture.hex);
      const { firstByte, bodyStart, end } = frame(bytes);
      const read = () => view.read(firstByte, bytes, bodyStart, end, version);
      if (fixture.error !== undefined) {
        const error = assertThrows(read, MqttError);
        assertEquals(error.reasonCode, ReasonCode[fixture.error as keyof typeof ReasonCode]);
        continue;
      }
      read();
      const { packetId, reasonCode, properties } = packetOf(fixture) as AckPacket;
      assertEquals([view.packetId, view.reasonCode, view.properties], [
        packetId,
        reasonCode,
        properties,
      ]);
    }
  }
});
