// Requests of clients: the same packets as decodePacket() gives, and nothing that is not one of them.

import { assertEquals, assertThrows } from "@std/assert";
import { decodePacket } from "../../../src/core/codec/decode.ts";
import { decodeRequest } from "../../../src/core/codec/decode_request.ts";
import { MqttError, ProtocolError } from "../../../src/core/codec/error.ts";
import type { Packet } from "../../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../../src/core/codec/protocol.ts";
import { test } from "../../harness.ts";
import { fixtures, fromHex } from "./fixture.ts";

const REQUESTS = new Set([1, 8, 10, 12, 14, 15]);

test("decodeRequest() reads what a client asks as decodePacket() does, and nothing else", () => {
  const seen = new Set<number>();
  for (const cases of Object.values(fixtures)) {
    for (const { hex, versions } of cases) {
      const bytes = fromHex(hex);
      const type = bytes[0]! >> 4;
      let start = 1;
      while (bytes[start]! >= 0x80) start++;
      start++;
      for (const version of versions as ProtocolVersion[]) {
        const request = outcome(() =>
          decodeRequest(bytes[0]!, bytes, start, bytes.length, version)
        );
        const packet = outcome(() => decodePacket(bytes[0]!, bytes, start, bytes.length, version));
        if (REQUESTS.has(type)) assertEquals(request, packet);
        else assertEquals("reasonCode" in request, true);
        seen.add(type);
      }
    }
  }
  assertEquals([...REQUESTS].filter((type) => !seen.has(type)), []);
});

test("decodeRequest() refuses what only a broker sends, unread", () => {
  for (const type of [2, 9, 11, 13]) {
    assertThrows(
      () => decodeRequest(type << 4, new Uint8Array(), 0, 0, 5),
      ProtocolError,
      `A client must not send packet type ${type}`,
    );
  }
  assertThrows(
    () => decodeRequest(0, new Uint8Array(), 0, 0, 5),
    ProtocolError,
    "Packet type 0 is reserved",
  );
  assertThrows(
    () => decodeRequest(0xf0, new Uint8Array(), 0, 0, 4),
    ProtocolError,
    "AUTH came with version 5",
  );
});

/** The packet, or what is wrong with it. */
function outcome(decode: () => Packet): object {
  try {
    return { packet: decode() };
  } catch (error) {
    if (!(error instanceof MqttError)) throw error;
    const { message, reasonCode, section } = error;
    return { message, reasonCode, section };
  }
}
