// A live message points into bytes of others; what is kept of it does not.

import { assertEquals } from "@std/assert";
import { Message } from "../../../src/core/session/message.ts";
import { MessageArena } from "../../../src/core/session/message_arena.ts";
import { test } from "../../harness.ts";
import { bytesOf } from "../../support/packets.ts";

/** A live message amid other bytes. */
function live(topic: string, properties: string, payload: string): Message {
  const message = new Message();
  message.topicBytes = bytesOf(`-${topic}-`);
  message.topicStart = 1;
  message.topicEnd = 1 + topic.length;
  message.propertyBytes = bytesOf(`--${properties}-`);
  message.propertiesStart = 2;
  message.propertiesEnd = 2 + properties.length;
  message.payloadBytes = bytesOf(`---${payload}-`);
  message.payloadStart = 3;
  message.payloadEnd = 3 + payload.length;
  return message;
}

function read(message: Message): readonly string[] {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return [
    message.topic,
    text(message.propertyBytes.subarray(message.propertiesStart, message.propertiesEnd)),
    text(message.payloadBytes.subarray(message.payloadStart, message.payloadEnd)),
  ];
}

test("Message.keep() owns its bytes, whatever becomes of those that the live one pointed to", () => {
  const message = live("topic", "properties", "payload");
  message.qos = 2;
  message.retain = true;
  message.expiresAt = 99;
  message.publisherId = "me";
  message.verbatimVersion = 5;
  const kept = message.keep();
  for (const bytes of [message.topicBytes, message.propertyBytes, message.payloadBytes]) {
    bytes.fill(0);
  }
  assertEquals(read(kept), ["topic", "properties", "payload"]);
  const { qos, retain, expiresAt, publisherId, verbatimVersion, keptBytes } = kept;
  assertEquals({ qos, retain, expiresAt, publisherId, verbatimVersion, keptBytes }, {
    qos: 2,
    retain: true,
    expiresAt: 99,
    publisherId: "me",
    // The packet that it came in is not kept.
    verbatimVersion: 0,
    keptBytes: 5 + 10 + 7,
  });
});

test("Message.keep() gives one copy to all who ask, and another after reset()", () => {
  const message = live("one", "", "x");
  const kept = message.keep();
  assertEquals([message.keep() === kept, kept.keep() === kept], [true, true]);
  message.reset();
  message.topicBytes = bytesOf("-two-");
  assertEquals([message.topic, message.keep() === kept, kept.topic], ["two", false, "one"]);
});

test("Message.own() is its own copy", () => {
  const message = live("a", "", "x").own();
  assertEquals(message.keep() === message, true);
});

test("Message.keep() copies an empty message", () => {
  assertEquals(read(live("a", "", "").keep()), ["a", "", ""]);
});

test("Message.keep() shares memory only with an arena, and gives up sharing when asked without", () => {
  const arena = new MessageArena();
  const message = live("one", "", "payload");
  const brief = message.keep(arena);
  assertEquals([brief.payloadBytes === arena.bytes, read(brief)], [true, ["one", "", "payload"]]);
  assertEquals([message.keep(arena) === brief, brief.keep(arena) === brief], [true, true]);
  const lasting = brief.keep();
  assertEquals([lasting.payloadBytes.length, read(lasting)], [10, ["one", "", "payload"]]);
  // From then on there is one lasting copy for all who hold the brief one.
  assertEquals([brief.keep() === lasting, lasting.keep(arena) === lasting], [true, true]);
});
