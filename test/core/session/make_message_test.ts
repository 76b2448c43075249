// Messages of our own: which properties they take along, and that their bytes are copies.

import { assertEquals, assertThrows } from "@std/assert";
import { AssertionError } from "../../../src/core/base/assert.ts";
import { decodeProperties, type Properties } from "../../../src/core/codec/property.ts";
import { PacketType } from "../../../src/core/codec/protocol.ts";
import { Reader } from "../../../src/core/codec/reader.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { makeMessage } from "../../../src/core/session/make_message.ts";
import type { Message } from "../../../src/core/session/message.ts";
import { test } from "../../harness.ts";
import { bytesOf } from "../../support/packets.ts";

const PARTS = {
  topic: "a/é",
  payload: bytesOf("x"),
  qos: 1,
  retain: true,
  publisherId: "me",
} as const;

function propertiesOf(message: Message): Properties {
  const { propertyBytes, propertiesStart, propertiesEnd } = message;
  const writer = new Writer(new Uint8Array(64));
  writer.varint(propertiesEnd - propertiesStart);
  writer.raw(propertyBytes, propertiesStart, propertiesEnd);
  return decodeProperties(new Reader(writer.bytes, 0, writer.length), PacketType.PUBLISH);
}

test("makeMessage() makes a message that owns its bytes and does not expire", () => {
  const payload = bytesOf("payload");
  const message = makeMessage({ ...PARTS, payload, properties: {} });
  payload.fill(0);
  const { topic, qos, retain, publisherId, expiresAt, keptBytes } = message;
  assertEquals({ topic, qos, retain, publisherId, expiresAt, keptBytes }, {
    topic: "a/é",
    qos: 1,
    retain: true,
    publisherId: "me",
    expiresAt: Infinity,
    keptBytes: 4 + 7,
  });
  const { payloadBytes, payloadStart, payloadEnd } = message;
  assertEquals(payloadBytes.slice(payloadStart, payloadEnd), bytesOf("payload"));
  assertEquals(message.keep() === message, true);
});

test("makeMessage() takes along what is forwarded, and nothing else", () => {
  const forwarded: Properties = {
    payloadFormatIndicator: 1,
    contentType: "t",
    responseTopic: "r",
    correlationData: bytesOf("c"),
    userProperties: [["a", "1"], ["a", "2"]],
  };
  const properties = {
    ...forwarded,
    messageExpiryInterval: 9,
    willDelayInterval: 7,
    topicAlias: 3,
  };
  assertEquals(propertiesOf(makeMessage({ ...PARTS, properties })), forwarded);
});

test("makeMessage() takes properties of any length along", () => {
  for (const length of [100, 123, 124, 125, 126, 127, 128, 16_370, 16_384, 65_535]) {
    const properties: Properties = { contentType: "x".repeat(length) };
    assertEquals(propertiesOf(makeMessage({ ...PARTS, properties })), properties);
  }
});

test("makeMessage() is not for topics that cannot be written", () => {
  const properties = {};
  assertThrows(() => makeMessage({ ...PARTS, topic: "\ud800", properties }), AssertionError);
});
