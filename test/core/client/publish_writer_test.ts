// What a client writes as PUBLISH, read back by the general decoder.

import { assertEquals } from "@std/assert";
import { PublishWriter } from "../../../src/core/client/publish_writer.ts";
import { decodePacket } from "../../../src/core/codec/decode.ts";
import { Framer } from "../../../src/core/codec/framer.ts";
import type { Packet } from "../../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../../src/core/codec/protocol.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { makeMessage } from "../../../src/core/session/make_message.ts";
import { test } from "../../harness.ts";
import { bytesOf, publish } from "../../support/packets.ts";

function readAll(writer: Writer, version: ProtocolVersion): Packet[] {
  const framer = new Framer();
  framer.feed(writer.bytes.slice(0, writer.length));
  const packets: Packet[] = [];
  while (framer.next()) {
    const { firstByte, bytes, bodyStart, end } = framer;
    packets.push(decodePacket(firstByte, bytes, bodyStart, end, version));
  }
  return packets;
}

for (const version of [3, 4, 5] as const) {
  test(`PublishWriter.write() appends as many bytes as it measured, in version ${version}`, () => {
    const publishing = new PublishWriter();
    const properties = version === 5 ? { contentType: "text" } : {};
    for (const topic of ["a/b", "ä/€", bytesOf("bytes")]) {
      for (const size of [0, 100, 121, 127, 128, 16_383, 16_384]) {
        const writer = new Writer(new Uint8Array(8));
        const payload = new Uint8Array(size).fill(7);
        const options = { qos: 1, retain: true, properties } as const;
        const measured = publishing.measure(topic, payload, options, version);
        publishing.write(writer, topic, payload, options, 9);
        assertEquals(writer.length, measured);
        const name = typeof topic === "string" ? topic : "bytes";
        assertEquals(readAll(writer, version), [
          publish(name, { payload, qos: 1, retain: true, packetId: 9, properties }),
        ]);
      }
    }
  });

  test(`PublishWriter.writeAgain() marks the copy as a duplicate, in version ${version}`, () => {
    const publishing = new PublishWriter();
    const writer = new Writer(new Uint8Array(8));
    const properties = { contentType: "text", messageExpiryInterval: 9 };
    const payload = bytesOf("21");
    const message = makeMessage({
      topic: "a/b",
      payload,
      qos: 2,
      retain: false,
      properties,
      publisherId: "",
    });
    message.expiresAt = 9000;
    publishing.writeAgain(writer, message, { version, packetId: 9 }, 2500);
    const left = version === 5 ? { contentType: "text", messageExpiryInterval: 7 } : {};
    assertEquals(readAll(writer, version), [
      publish("a/b", { payload, qos: 2, dup: true, packetId: 9, properties: left }),
    ]);
  });
}
