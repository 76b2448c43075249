/**
 * A PUBLISH as a client reads it: in place, into one object that is used again for the next. Topic
 * and payload are ranges of the bytes that arrived, and nothing of it is valid once the callback
 * that was shown it returns. Text and properties are made when they are asked for.
 *
 * The broker has a view of its own (codec/publish_view.ts): what it forwards as bytes, a client
 * reads; and only clients are sent subscription identifiers.
 *
 * @module
 */

import { copyBytes } from "../base/bytes.ts";
import { decodeUtf8 } from "../base/utf8.ts";
import { MalformedPacketError, ProtocolError } from "../codec/error.ts";
import { decodeProperties, isProperty, NO_PROPERTIES, type Properties } from "../codec/property.ts";
import { PacketType, type ProtocolVersion, type QoS } from "../codec/protocol.ts";
import { DUP_FLAG, publishQos, RETAIN_FLAG } from "../codec/publish.ts";
import { Reader } from "../codec/reader.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import type { InboundAliases } from "../session/topic_aliases.ts";
import { isTopic } from "../topic/topic.ts";

const PAYLOAD_FORMAT_INDICATOR = 0x01;
const MESSAGE_EXPIRY_INTERVAL = 0x02;
const CONTENT_TYPE = 0x03;
const RESPONSE_TOPIC = 0x08;
const CORRELATION_DATA = 0x09;
const SUBSCRIPTION_ID = 0x0b;
const TOPIC_ALIAS = 0x23;
const USER_PROPERTY = 0x26;

const NO_BYTES = new Uint8Array(0);

/** What a PUBLISH is read with: the version, and the aliases that the broker may set. */
export interface ReadingContext {
  readonly version: ProtocolVersion;
  readonly aliases: InboundAliases<Uint8Array>;
  readonly topicAliasMaximum: number;
}

/** A message that arrived; see the module for how long it is valid. */
export class IncomingMessage {
  qos: QoS = 0;
  retain = false;
  dup = false;
  /** 0 when the quality of service is 0. */
  packetId = 0;
  /** Where the payload is. */
  bytes: Uint8Array = NO_BYTES;
  payloadStart = 0;
  payloadEnd = 0;
  /** Where the topic is: `bytes`, or what an alias stands for. */
  topicBytes: Uint8Array = NO_BYTES;
  topicStart = 0;
  topicEnd = 0;

  /** The properties with their length; empty when there are none. */
  #propertiesStart = 0;
  #propertiesEnd = 0;
  /** The topic that was last made into text, which is most often the next one too. */
  #knownBytes: Uint8Array = NO_BYTES;
  #knownTopic = "";

  get payloadLength(): number {
    return this.payloadEnd - this.payloadStart;
  }

  /** The Topic Name as text; the same string again while the topic stays the same. */
  get topic(): string {
    const { topicBytes, topicStart, topicEnd } = this;
    if (!isSame(this.#knownBytes, topicBytes, topicStart, topicEnd)) {
      // It was found to be well-formed when it was read.
      this.#knownTopic = decodeUtf8(topicBytes, topicStart, topicEnd)!;
      this.#knownBytes = copyOf(topicBytes, topicStart, topicEnd);
    }
    return this.#knownTopic;
  }

  /** The properties, decoded anew each time; the topic alias is among them if there was one. */
  get properties(): Properties {
    if (this.#propertiesStart === this.#propertiesEnd) return NO_PROPERTIES;
    const reader = new Reader(this.bytes, this.#propertiesStart, this.#propertiesEnd);
    return decodeProperties(reader, PacketType.PUBLISH);
  }

  /** A copy of the payload, for those who keep it. */
  copyPayload(): Uint8Array {
    return copyOf(this.bytes, this.payloadStart, this.payloadEnd);
  }

  /** Reads a PUBLISH whose variable header begins at `start` and which goes up to `end`. */
  read(
    firstByte: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    context: ReadingContext,
  ): void {
    this.qos = publishQos(firstByte);
    this.retain = (firstByte & RETAIN_FLAG) !== 0;
    this.dup = (firstByte & DUP_FLAG) !== 0;
    this.bytes = bytes;
    if (start + 2 > end) throw truncated();
    let at = start + 2 + (bytes[start]! << 8 | bytes[start + 1]!);
    this.topicBytes = bytes;
    this.topicStart = start + 2;
    this.topicEnd = at;
    this.packetId = 0;
    if (this.qos > 0) {
      if (at + 2 > end) throw truncated();
      this.packetId = bytes[at]! << 8 | bytes[at + 1]!;
      if (this.packetId === 0) {
        throw new ProtocolError("MQTT-2.2.1-3", "The packet identifier must not be 0");
      }
      at += 2;
    }
    if (at > end) throw truncated();
    let alias = 0;
    this.#propertiesStart = this.#propertiesEnd = at;
    if (context.version === 5) {
      alias = this.#skipProperties(bytes, at, end);
      at = this.#propertiesEnd;
    }
    this.#resolveTopic(alias, context);
    this.payloadStart = at;
    this.payloadEnd = end;
  }

  /** Checks the topic, or finds the one that its alias stands for. */
  #resolveTopic(alias: number, context: ReadingContext): void {
    const { topicBytes, topicStart, topicEnd } = this;
    if (alias > context.topicAliasMaximum) {
      throw new ProtocolError(
        "MQTT-3.1.2-26",
        `Topic alias "${alias}" is above the maximum`,
        ReasonCode.TOPIC_ALIAS_INVALID,
      );
    }
    if (topicStart === topicEnd && alias > 0) {
      const known = context.aliases.get(alias);
      if (known === undefined) {
        throw new ProtocolError("3.3.2.3.4", `Topic alias "${alias}" was never set`);
      }
      this.topicBytes = known;
      this.topicStart = 0;
      this.topicEnd = known.length;
      return;
    }
    if (!isTopic(topicBytes, topicStart, topicEnd, Infinity)) {
      throw new MalformedPacketError("MQTT-3.3.2-2", "A topic name is not well-formed");
    }
    // [MQTT-3.3.2-10]
    if (alias > 0) context.aliases.set(alias, copyOf(topicBytes, topicStart, topicEnd));
  }

  /** Walks over the properties and notes where they end; returns the topic alias, or 0. */
  #skipProperties(bytes: Uint8Array, start: number, packetEnd: number): number {
    let at = skipVarint(bytes, start, packetEnd);
    const end = at + varintValue(bytes, start, at);
    if (end > packetEnd) throw truncated();
    this.#propertiesEnd = end;
    let alias = 0;
    while (at < end) {
      const id = bytes[at++]!;
      switch (id) {
        case PAYLOAD_FORMAT_INDICATOR:
          at += 1;
          break;
        case MESSAGE_EXPIRY_INTERVAL:
          at += 4;
          break;
        case CONTENT_TYPE:
        case RESPONSE_TOPIC:
        case CORRELATION_DATA:
          at = skipBinary(bytes, at, end);
          break;
        case USER_PROPERTY:
          at = skipBinary(bytes, skipBinary(bytes, at, end), end);
          break;
        case SUBSCRIPTION_ID:
          at = skipVarint(bytes, at, end);
          break;
        case TOPIC_ALIAS:
          if (at + 2 > end) throw truncated();
          if (alias > 0) {
            throw new ProtocolError("3.3.2.3.4", "A topic alias is not allowed more than once");
          }
          alias = bytes[at]! << 8 | bytes[at + 1]!;
          if (alias === 0) {
            const code = ReasonCode.TOPIC_ALIAS_INVALID;
            throw new ProtocolError("MQTT-3.3.2-8", "The topic alias must not be 0", code);
          }
          at += 2;
          break;
        default:
          throw isProperty(id)
            ? new ProtocolError("2.2.2.2", `Property "${id}" is not allowed in PUBLISH`)
            : new MalformedPacketError("2.2.2.2", `Cannot read property "${id}": it is unknown`);
      }
    }
    if (at > end) throw truncated();
    return alias;
  }
}

function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  copyBytes(copy, 0, bytes, start, end);
  return copy;
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) {
    if (known[i] !== bytes[start + i]) return false;
  }
  return true;
}

function skipBinary(bytes: Uint8Array, at: number, end: number): number {
  if (at + 2 > end) throw truncated();
  return at + 2 + (bytes[at]! << 8 | bytes[at + 1]!);
}

/** Where a variable byte integer ends. */
function skipVarint(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (bytes[at]! < 0x80) {
      if (bytes[at] === 0 && at > start) {
        throw new MalformedPacketError("MQTT-1.5.5-1", "A length takes more bytes than it needs");
      }
      return at + 1;
    }
    if (at - start === 3) {
      throw new MalformedPacketError("1.5.5", "A length takes more than four bytes");
    }
  }
  throw truncated();
}

function varintValue(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value |= (bytes[at]! & 0x7f) << 7 * (at - start);
  return value;
}

function truncated(): MalformedPacketError {
  return new MalformedPacketError("1.2", "The packet ends before what it must hold");
}
