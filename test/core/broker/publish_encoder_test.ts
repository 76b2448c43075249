// The encoder against the codec's own `encodePublish`, in every shape that a subscriber may want.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeUtf8 } from "../../../src/core/base/utf8.ts";
import { PublishEncoder, type PublishOptions } from "../../../src/core/broker/publish_encoder.ts";
import type { PublishPacket } from "../../../src/core/codec/packet.ts";
import type { Properties } from "../../../src/core/codec/property.ts";
import type { ProtocolVersion, QoS } from "../../../src/core/codec/protocol.ts";
import { encodePublish } from "../../../src/core/codec/publish.ts";
import { PublishView } from "../../../src/core/codec/publish_view.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { makeMessage } from "../../../src/core/session/make_message.ts";
import { Message } from "../../../src/core/session/message.ts";
import { test } from "../../harness.ts";
import { bytesOf, publish } from "../../support/packets.ts";

interface Drawn {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly properties: Properties;
  /** Seconds, and milliseconds that have passed of them. */
  readonly expiry: number | undefined;
  readonly waitedMs: number;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  topic: fc.constantFrom("a/b", "é/b", "x".repeat(130)),
  payload: fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constant(new Uint8Array(17_000))),
  properties: fc.record({
    contentType: fc.constantFrom("t", "t".repeat(120)),
    userProperties: fc.constant<[string, string][]>([["b", "1"], ["a", "2"]]),
  }, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Properties>,
  expiry: fc.option(fc.constantFrom(0, 1, 60, 0xffff_ffff), { nil: undefined }),
  waitedMs: fc.constantFrom(0, 1, 999, 1000, 61_000),
});

const wanted: fc.Arbitrary<PublishOptions> = fc.record({
  version: fc.constantFrom<ProtocolVersion>(3, 4, 5),
  qos: fc.constantFrom<QoS>(0, 1, 2),
  retain: fc.boolean(),
  dup: fc.boolean(),
  packetId: fc.integer({ min: 1, max: 0xffff }),
  subscriptionId: fc.constantFrom(0, 1, 127, 128, 268_435_455),
  alias: fc.constantFrom(0, 1, 0xffff),
  isAliasKnown: fc.boolean(),
  hiddenBytes: fc.constantFrom(0, 2),
}).map((options) => {
  if (options.qos === 0) return { ...options, dup: false, packetId: 0 };
  return options;
}).map((options) => {
  if (options.version !== 5) {
    return { ...options, alias: 0, isAliasKnown: false, subscriptionId: 0 };
  }
  return { ...options, isAliasKnown: options.isAliasKnown && options.alias > 0 };
});

/** The packet in words, and as the codec writes it. */
function expected(message: Drawn, options: PublishOptions): Uint8Array {
  const properties: Properties = { ...message.properties };
  const { expiry } = message;
  if (expiry !== undefined) {
    properties.messageExpiryInterval = Math.max(0, Math.ceil(expiry - message.waitedMs / 1000));
  }
  if (options.alias > 0) properties.topicAlias = options.alias;
  if (options.subscriptionId > 0) properties.subscriptionIds = [options.subscriptionId];
  const whole = bytesOf(message.topic);
  const topic = decodeUtf8(whole, options.hiddenBytes, whole.length)!;
  const packet: PublishPacket = publish(options.isAliasKnown ? "" : topic, {
    payload: message.payload,
    qos: options.qos,
    retain: options.retain,
    dup: options.dup,
    packetId: options.packetId,
    properties,
  });
  return written((writer) => encodePublish(writer, packet, options.version));
}

function written(write: (writer: Writer) => void): Uint8Array {
  const writer = new Writer(new Uint8Array(64));
  write(writer);
  return writer.bytes.slice(0, writer.length);
}

function begun({ topic, payload, properties, expiry, waitedMs }: Drawn): PublishEncoder {
  const encoder = new PublishEncoder();
  const message = makeMessage({
    topic,
    payload,
    properties,
    qos: 2,
    retain: true,
    publisherId: "",
  });
  if (expiry !== undefined) message.expiresAt = 5000 + expiry * 1000;
  encoder.begin(message, 5000 + waitedMs);
  return encoder;
}

test("PublishEncoder.append() writes what encodePublish() does, of the size that it says [MQTT-3.3.2-6] [MQTT-3.3.2-17]", () => {
  fc.assert(fc.property(drawn, fc.array(wanted, { minLength: 1 }), (message, many) => {
    const encoder = begun(message);
    const writer = new Writer(new Uint8Array(8));
    for (const options of many) {
      const bytes = expected(message, options);
      assertEquals(encoder.size(options), bytes.length);
      const start = writer.length;
      encoder.append(writer, options);
      assertEquals(writer.bytes.slice(start, writer.length), bytes);
    }
  }));
});

test("PublishEncoder.appendCommon() gives every subscriber of a shape the same bytes and its own identifier", () => {
  fc.assert(
    fc.property(
      fc.array(drawn, { minLength: 1, maxLength: 3 }),
      fc.array(wanted),
      (messages, many) => {
        const encoder = new PublishEncoder();
        // Each subscriber has an outbox of its own, and what one was sent is copied for the next.
        for (const { topic, payload, properties, expiry, waitedMs } of messages) {
          const message = makeMessage({
            topic,
            payload,
            properties,
            qos: 2,
            retain: true,
            publisherId: "",
          });
          if (expiry !== undefined) message.expiresAt = 5000 + expiry * 1000;
          encoder.begin(message, 5000 + waitedMs);
          for (const drawnOptions of many) {
            const options = {
              ...drawnOptions,
              dup: false,
              alias: 0,
              subscriptionId: 0,
              isAliasKnown: false,
              hiddenBytes: 0,
            };
            const { version, qos, retain, packetId } = options;
            const bytes = expected({ topic, payload, properties, expiry, waitedMs }, options);
            const writer = new Writer(new Uint8Array(100_000));
            writer.length = 5;
            assertEquals(encoder.commonSize(version, qos, retain), bytes.length);
            encoder.appendCommon(writer, version, qos, retain, packetId);
            assertEquals(writer.bytes.slice(5, writer.length), bytes);
            assertEquals(encoder.commonSize(version, qos, retain), bytes.length);
          }
        }
      },
    ),
  );
});

test("PublishEncoder.appendCommon() hands on a live QoS 0 packet as it came", () => {
  for (const version of [3, 4, 5] as const) {
    for (const retain of [false, true]) {
      const packet = publish("a", { payload: "x", retain });
      const came = written((writer) => {
        writer.u16(0xffff);
        encodePublish(writer, packet, version);
      });
      const view = new PublishView();
      view.read(came[2]!, came, 4, came.length, version);
      const message = new Message();
      message.topicBytes = came;
      message.topicStart = view.topicStart;
      message.topicEnd = view.topicEnd;
      message.payloadBytes = came;
      message.payloadStart = view.payloadStart;
      message.payloadEnd = view.payloadEnd;
      message.retain = retain;
      message.verbatimVersion = version;
      message.verbatimStart = 2;
      message.verbatimEnd = came.length;
      const encoder = new PublishEncoder();
      encoder.begin(message, 0);
      for (const to of [3, 4, 5] as const) {
        for (const flag of [false, true]) {
          const bytes = written((writer) => {
            writer.ensure(encoder.commonSize(to, 0, flag));
            encoder.appendCommon(writer, to, 0, flag, 0);
          });
          const plain = publish("a", { payload: "x", retain: flag });
          assertEquals(bytes, written((writer) => encodePublish(writer, plain, to)));
        }
      }
    }
  }
});

test("PublishEncoder never gives a message more seconds than it came with [MQTT-3.3.2-6]", () => {
  const encoder = new PublishEncoder();
  const message = makeMessage({ ...publish("a"), publisherId: "" });
  for (let i = 1; i < 2000; i++) {
    // Clocks count fractions of a millisecond, which do not add up exactly.
    const now = i * 1234.567_89;
    message.expiresAt = now + 1000 * 1000;
    encoder.begin(message, now);
    const writer = new Writer(new Uint8Array(64));
    encoder.appendCommon(writer, 5, 0, false, 0);
    const view = new PublishView();
    view.read(writer.bytes[0]!, writer.bytes, 2, writer.length, 5);
    assertEquals(view.messageExpiryInterval, 1000);
  }
});
