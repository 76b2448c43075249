/**
 * A message as an object, for those outside who want to see it whole and may replace it. What they
 * give back is a stranger's: it is checked here like a packet before it becomes a message again.
 *
 * @module
 */

import { encodedLength } from "../base/utf8.ts";
import { decodeProperties, NO_PROPERTIES, type Properties } from "../codec/property.ts";
import { PacketType, type QoS } from "../codec/protocol.ts";
import { Reader } from "../codec/reader.ts";
import { Writer } from "../codec/writer.ts";
import type { Message } from "./message.ts";

/** All of a message; its properties are those that are forwarded, and its expiry. */
export interface MessageContents {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties;
}

const LENGTH_MAX = 0xffff;
const SECONDS_MAX = 0xffff_ffff;
/** Fractions of a millisecond are not exact: without this a whole second may become one more. */
const ROUNDING_S = 1e-6;

/** Takes a message apart; the bytes are copies. */
export function contentsOf(message: Message, now: number): MessageContents {
  const { topic, qos, retain, payloadBytes, payloadStart, payloadEnd } = message;
  const payload = payloadBytes.slice(payloadStart, payloadEnd);
  return { topic, payload, qos, retain, properties: propertiesOf(message, now) };
}

function propertiesOf(message: Message, now: number): Properties {
  const { propertyBytes, propertiesStart, propertiesEnd, expiresAt } = message;
  const length = propertiesEnd - propertiesStart;
  // They are read with their length before them.
  const writer = new Writer(new Uint8Array(4 + length));
  writer.varint(length);
  writer.raw(propertyBytes, propertiesStart, propertiesEnd);
  const reader = new Reader(writer.bytes, 0, writer.length);
  const properties = decodeProperties(reader, PacketType.PUBLISH);
  if (expiresAt === Infinity) return properties;
  const messageExpiryInterval = Math.max(0, Math.ceil((expiresAt - now) / 1000 - ROUNDING_S));
  return { ...properties === NO_PROPERTIES ? {} : properties, messageExpiryInterval };
}

/**
 * Tells whether a message can be made of these parts, whatever their types promise. The topic is
 * somebody else's business.
 */
export function isMessageContents(contents: MessageContents): boolean {
  const { payload, qos, retain, properties } = contents;
  return payload instanceof Uint8Array && (qos === 0 || qos === 1 || qos === 2) &&
    typeof retain === "boolean" && typeof properties === "object" && properties !== null &&
    areProperties(properties);
}

function areProperties(properties: Properties): boolean {
  const { payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic } = properties;
  const { correlationData, userProperties } = properties;
  return isCount(payloadFormatIndicator ?? 0, 1) &&
    isCount(messageExpiryInterval ?? 0, SECONDS_MAX) &&
    isText(contentType ?? "") &&
    (responseTopic === undefined || isResponseTopic(responseTopic)) &&
    (correlationData === undefined ||
      (correlationData instanceof Uint8Array && correlationData.length <= LENGTH_MAX)) &&
    (userProperties === undefined ||
      (Array.isArray(userProperties) && userProperties.every(isPair)));
}

function isCount(value: unknown, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;
}

/** Without a lone surrogate and U+0000 [MQTT-1.5.4-1] [MQTT-1.5.4-2]. */
function isText(text: unknown): text is string {
  if (typeof text !== "string" || text.includes("\0")) return false;
  const length = encodedLength(text);
  return length >= 0 && length <= LENGTH_MAX;
}

function isResponseTopic(topic: unknown): boolean {
  return isText(topic) && topic !== "" && !topic.includes("+") && !topic.includes("#");
}

function isPair(pair: unknown): boolean {
  return Array.isArray(pair) && pair.length === 2 && pair.every(isText);
}
