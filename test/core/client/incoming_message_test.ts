// What a client reads of a PUBLISH, where the general decoder is the oracle.

import { assertEquals, assertThrows } from "@std/assert";
import { IncomingMessage } from "../../../src/core/client/incoming_message.ts";
import { encodePacket } from "../../../src/core/codec/encode.ts";
import { MqttError } from "../../../src/core/codec/error.ts";
import type { PublishPacket } from "../../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../../src/core/codec/protocol.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { InboundAliases } from "../../../src/core/session/topic_aliases.ts";
import { test } from "../../harness.ts";
import { bytesOf, publish } from "../../support/packets.ts";

function context(version: ProtocolVersion = 5, topicAliasMaximum = 2) {
  return { version, topicAliasMaximum, aliases: new InboundAliases<Uint8Array>() };
}

function encoded(packet: PublishPacket, version: ProtocolVersion): Uint8Array {
  const writer = new Writer(new Uint8Array(64));
  encodePacket(writer, packet, version);
  return writer.bytes.slice(0, writer.length);
}

/** Reads a packet whose remaining length takes one byte. */
function read(message: IncomingMessage, bytes: Uint8Array, where = context()): void {
  message.read(bytes[0]!, bytes, 2, bytes.length, where);
}

function parts(message: IncomingMessage): PublishPacket {
  const { topic, qos, retain, dup, packetId, properties } = message;
  const payload = message.copyPayload();
  return { type: "publish", topic, payload, qos, retain, dup, packetId, properties };
}

const RICH = publish("a/b", {
  payload: "21",
  qos: 2,
  packetId: 300,
  retain: true,
  dup: true,
  properties: {
    payloadFormatIndicator: 1,
    messageExpiryInterval: 70_000,
    contentType: "text",
    responseTopic: "answers",
    correlationData: bytesOf("id"),
    subscriptionIds: [1, 200],
    userProperties: [["a", "1"], ["b", "2"]],
  },
});

test("IncomingMessage.read() finds what was written, whatever properties there are", () => {
  const message = new IncomingMessage();
  read(message, encoded(RICH, 5));
  assertEquals(parts(message), RICH);
  assertEquals(message.payloadLength, 2);
  const plain = publish("a", { payload: "1" });
  for (const version of [3, 4, 5] as const) {
    read(message, encoded(plain, version), context(version));
    assertEquals(parts(message), plain);
  }
});

test("IncomingMessage.read() refuses a packet that is cut anywhere before its payload", () => {
  const bytes = encoded(RICH, 5);
  const message = new IncomingMessage();
  for (let end = 2; end < bytes.length - 2; end++) {
    const cut = bytes.slice(0, end);
    assertThrows(() => read(message, cut), MqttError, undefined, `cut at ${end}`);
  }
});

test("IncomingMessage.topic is the same string while the topic is the same", () => {
  const message = new IncomingMessage();
  const topics = ["a/b", "a/b", "a/c", "ä"].map((topic) => {
    read(message, encoded(publish(topic), 5));
    return message.topic;
  });
  assertEquals(topics, ["a/b", "a/b", "a/c", "ä"]);
});

test("IncomingMessage.read() finds the topic of an alias that was set [MQTT-3.3.2-7] [MQTT-3.3.2-10]", () => {
  const message = new IncomingMessage();
  const where = context();
  read(message, encoded(publish("a", { properties: { topicAlias: 2 } }), 5), where);
  read(message, encoded(publish("b", { properties: { topicAlias: 1 } }), 5), where);
  const short = encoded(publish("", { payload: "21", properties: { topicAlias: 2 } }), 5);
  read(message, short, where);
  assertEquals([message.topic, message.copyPayload()], ["a", bytesOf("21")]);
});

for (
  const [what, section, bytes] of [
    ["an alias that was never set", "3.3.2.3.4", [0x30, 6, 0, 0, 3, 0x23, 0, 1]],
    ["an alias above the maximum", "MQTT-3.1.2-26", [0x30, 7, 0, 1, 97, 3, 0x23, 0, 3]],
    ["an alias of 0", "MQTT-3.3.2-8", [0x30, 7, 0, 1, 97, 3, 0x23, 0, 0]],
    [
      "two aliases",
      "3.3.2.3.4",
      [0x30, 10, 0, 1, 97, 6, 0x23, 0, 1, 0x23, 0, 1],
    ],
    ["an unknown property", "2.2.2.2", [0x30, 6, 0, 1, 97, 2, 0x7f, 0]],
    ["a property of another packet", "2.2.2.2", [0x30, 7, 0, 1, 97, 3, 0x21, 0, 1]],
    ["properties beyond the end", "1.2", [0x30, 5, 0, 1, 97, 3, 1]],
    ["a value beyond the properties", "1.2", [0x30, 6, 0, 1, 97, 1, 0x01, 0]],
    ["a length that is too long", "MQTT-1.5.5-1", [0x30, 5, 0, 1, 97, 0x80, 0]],
    [
      "a length of five bytes",
      "1.5.5",
      [0x30, 8, 0, 1, 97, 0x80, 0x80, 0x80, 0x80, 1],
    ],
    ["no topic", "MQTT-3.3.2-2", [0x30, 3, 0, 0, 0]],
    ["a wildcard", "MQTT-3.3.2-2", [0x30, 4, 0, 1, 0x23, 0]],
    ["a topic that is not UTF-8", "MQTT-3.3.2-2", [0x30, 4, 0, 1, 0xff, 0]],
    ["the packet identifier 0", "MQTT-2.2.1-3", [0x32, 6, 0, 1, 97, 0, 0, 0]],
    ["QoS 3", "MQTT-3.3.1-4", [0x36, 6, 0, 1, 97, 0, 1, 0]],
  ] as const
) {
  test(`IncomingMessage.read() refuses ${what}`, () => {
    const error = assertThrows(
      () => read(new IncomingMessage(), new Uint8Array(bytes)),
      MqttError,
    );
    assertEquals(error.section, section);
  });
}
