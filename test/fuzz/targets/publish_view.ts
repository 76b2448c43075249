/**
 * A PUBLISH read in place, as the broker reads it, beside the same PUBLISH as the decoder reads it.
 * They differ in two things by design: the view leaves the topic to the table of routes, and it
 * refuses what only a broker may say.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { MqttError } from "../../../src/core/codec/error.ts";
import type { Packet } from "../../../src/core/codec/packet.ts";
import { decodeProperties, type Properties } from "../../../src/core/codec/property.ts";
import { PacketType, type ProtocolVersion } from "../../../src/core/codec/protocol.ts";
import { PublishView } from "../../../src/core/codec/publish_view.ts";
import { Reader } from "../../../src/core/codec/reader.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { isTopic } from "../../../src/core/topic/topic.ts";
import { bytesOf, inAnySurroundings, outcomeOf, watched } from "../target.ts";

/** Reads a PUBLISH in place; `packet` is what the decoder made of it, if it made anything. */
export function checkPublishView(
  raw: Uint8Array,
  bodyStart: number,
  version: ProtocolVersion,
  packet: Packet | undefined,
): void {
  const outcome = inAnySurroundings(raw, (bytes, start, end) =>
    outcomeOf(() => {
      const view = new PublishView();
      view.read(bytes[start]!, bytes, start + bodyStart, end, version);
      return describe(view, bytes, start);
    }, MqttError));
  const reading = watched(raw, bodyStart, raw.length);
  outcomeOf(
    () => new PublishView().read(raw[0]!, reading.bytes, bodyStart, raw.length, version),
    MqttError,
  );
  assert(reading.count() <= 8 * raw.length, `${reading.count()} reads of ${raw.length} bytes`);
  if (packet?.type !== "publish") {
    if ("fault" in outcome) return;
    const { topic, topicAlias } = outcome.value;
    const isName = isTopic(topic, 0, topic.length, Infinity) ||
      (topic.length === 0 && topicAlias > 0);
    assert(!isName, "The view allows what is refused for more than its topic");
    return;
  }
  const { properties } = packet;
  if (properties.subscriptionIds !== undefined) {
    assert("fault" in outcome, "The view allows what no client may say");
    return;
  }
  assertEquals(outcome, {
    value: {
      qos: packet.qos,
      retain: packet.retain,
      dup: packet.dup,
      packetId: packet.packetId,
      topic: bytesOf(packet.topic),
      payload: packet.payload,
      topicAlias: properties.topicAlias ?? 0,
      messageExpiryInterval: properties.messageExpiryInterval ?? -1,
      forwarded: forwardedOf(properties),
    },
  });
}

/** What a view says, as values of its own. */
function describe(view: PublishView, bytes: Uint8Array, start: number) {
  const writer = new Writer(new Uint8Array(8));
  view.writeForwarded(writer, bytes);
  assertEquals(view.forwardedLength, writer.length);
  assert(view.topicStart >= start && view.payloadStart <= view.payloadEnd);
  const prefixed = new Writer(new Uint8Array(8));
  prefixed.varint(writer.length);
  prefixed.raw(writer.bytes, 0, writer.length);
  const reader = new Reader(prefixed.bytes, 0, prefixed.length);
  return {
    qos: view.qos,
    retain: view.retain,
    dup: view.dup,
    packetId: view.packetId,
    topic: bytes.slice(view.topicStart, view.topicEnd),
    payload: bytes.slice(view.payloadStart, view.payloadEnd),
    topicAlias: view.topicAlias,
    messageExpiryInterval: view.messageExpiryInterval,
    forwarded: { ...decodeProperties(reader, PacketType.PUBLISH) },
  };
}

function forwardedOf(properties: Properties): Properties {
  const { topicAlias: _alias, messageExpiryInterval: _expiry, ...rest } = properties;
  return rest;
}
