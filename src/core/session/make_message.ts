/**
 * Makes a message of our own from its parts: a Will, or what the host publishes. It owns its bytes.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { copyBytes } from "../base/bytes.ts";
import { encodedLength, encodeUtf8Into } from "../base/utf8.ts";
import { encodeProperties, NO_PROPERTIES, type Properties } from "../codec/property.ts";
import { PacketType, type QoS } from "../codec/protocol.ts";
import { varintWidth, Writer } from "../codec/writer.ts";
import { Message } from "./message.ts";

/** The parts of a message. */
export interface MessageParts {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  /** Those that are forwarded; others, and the expiry, are left out. */
  readonly properties: Properties;
  readonly publisherId: string;
  readonly publisherUsername?: string | undefined;
}

/** Makes a message that does not expire. The topic must be a valid Topic Name. */
export function makeMessage(parts: MessageParts): Message {
  const topicLength = encodedLength(parts.topic);
  assert(topicLength > 0, "A topic name is not well-formed");
  const properties = forwardedBytes(parts.properties);
  const payloadStart = topicLength + properties.length;
  const bytes = new Uint8Array(payloadStart + parts.payload.length);
  encodeUtf8Into(parts.topic, bytes, 0);
  copyBytes(bytes, topicLength, properties, 0, properties.length);
  copyBytes(bytes, payloadStart, parts.payload, 0, parts.payload.length);

  const message = new Message();
  message.topicBytes = message.propertyBytes = message.payloadBytes = bytes;
  message.topicEnd = message.propertiesStart = topicLength;
  message.propertiesEnd = message.payloadStart = payloadStart;
  message.payloadEnd = bytes.length;
  message.qos = parts.qos;
  message.retain = parts.retain;
  message.publisherId = parts.publisherId;
  message.publisherUsername = parts.publisherUsername;
  return message.own();
}

function forwardedBytes(properties: Properties): Uint8Array {
  if (properties === NO_PROPERTIES) return new Uint8Array(0);
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } =
    properties;
  const forwarded = Object.fromEntries(
    Object.entries({
      payloadFormatIndicator,
      contentType,
      responseTopic,
      correlationData,
      userProperties,
    }).filter(([, value]) => value !== undefined),
  ) as Properties; // the same fields, without those that are undefined
  const writer = new Writer(new Uint8Array(64));
  encodeProperties(writer, forwarded, PacketType.PUBLISH);
  // Without the length that stands before them.
  let width = 1;
  while (varintWidth(writer.length - width) !== width) width++;
  return writer.bytes.subarray(width, writer.length);
}
