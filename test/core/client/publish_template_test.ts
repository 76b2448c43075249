// Packets made from a template, against those that the ordinary writer makes.

import { assertEquals, assertThrows } from "@std/assert";
import { AssertionError } from "../../../src/core/base/assert.ts";
import { PublishTemplate } from "../../../src/core/client/publish_template.ts";
import { PublishWriter } from "../../../src/core/client/publish_writer.ts";
import type { Properties } from "../../../src/core/codec/property.ts";
import type { ProtocolVersion } from "../../../src/core/codec/protocol.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { test } from "../../harness.ts";

test("PublishTemplate appends the very packets that a PublishWriter writes, whatever their size", () => {
  const properties: Properties = { contentType: "text/plain", topicAlias: 3 };
  const source = Uint8Array.from({ length: 40_000 }, (_, index) => index % 251);
  for (const version of [3, 4, 5] as const) {
    for (const retain of [false, true]) {
      const parts = { topic: "a/é", retain, properties, version };
      const template = new PublishTemplate(parts);
      const written = new Writer(new Uint8Array(1));
      const expected = new Writer(new Uint8Array(1));
      const writer = new PublishWriter();
      for (const size of [0, 1, 20, 100, 120, 128, 129, 16_360, 16_384, 40_000]) {
        const payload = source.subarray(0, size);
        const options = { retain, properties };
        const bytes = writer.measure(parts.topic, payload, options, version as ProtocolVersion);
        writer.write(expected, parts.topic, payload, options, 0);
        assertEquals(template.sizeOf(size), bytes);
        template.append(written, source, 0, size);
      }
      assertEquals(
        written.bytes.slice(0, written.length),
        expected.bytes.slice(0, expected.length),
      );
    }
  }
});

test("PublishTemplate.sizeOf() tells of a payload that no packet can have", () => {
  const template = new PublishTemplate({ topic: "a", retain: false, properties: {}, version: 4 });
  assertEquals(template.sizeOf(268_435_452), 268_435_460);
  assertEquals(template.sizeOf(268_435_453), Infinity);
  const nowhere = new Writer(new Uint8Array(0));
  assertThrows(
    () => template.append(nowhere, new Uint8Array(0), 0, 268_435_453),
    AssertionError,
  );
});
