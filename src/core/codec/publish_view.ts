/**
 * A PUBLISH as the broker reads it: in place, into one object that is used again for the next. It
 * holds numbers and positions only; topic and payload stay where they are, and nothing of the view
 * is valid once the bytes are gone.
 *
 * All that can be wrong with the bytes is found here, except with the topic: whether that is a
 * valid name is remembered per name by the table of routes, and whether it may be empty depends on
 * the connection's aliases.
 *
 * @module
 */

import { isUtf8 } from "../base/utf8.ts";
import { MalformedPacketError, type MqttError, ProtocolError } from "./error.ts";
import { isProperty } from "./property.ts";
import type { ProtocolVersion, QoS } from "./protocol.ts";
import { DUP_FLAG, publishQos, RETAIN_FLAG } from "./publish.ts";
import { ReasonCode } from "./reason_code.ts";
import type { Writer } from "./writer.ts";

const PAYLOAD_FORMAT_INDICATOR = 0x01;
const MESSAGE_EXPIRY_INTERVAL = 0x02;
const CONTENT_TYPE = 0x03;
const RESPONSE_TOPIC = 0x08;
const CORRELATION_DATA = 0x09;
const SUBSCRIPTION_ID = 0x0b;
const TOPIC_ALIAS = 0x23;
const USER_PROPERTY = 0x26;

/** Bytes of a property with its identifier. */
const TOPIC_ALIAS_SIZE = 3;
const MESSAGE_EXPIRY_SIZE = 5;

/** Stands for the alias where one bit per property is kept: its identifier is no bit of a word. */
const ALIAS_BIT = 30;

const PLUS = 0x2b;
const HASH = 0x23;

export class PublishView {
  qos: QoS = 0;
  retain = false;
  dup = false;
  /** 0 when the quality of service is 0. */
  packetId = 0;
  topicStart = 0;
  topicEnd = 0;
  /** The properties without their length; empty before version 5. */
  propertiesStart = 0;
  propertiesEnd = 0;
  payloadStart = 0;
  payloadEnd = 0;
  /** 0 when there is none. */
  topicAlias = 0;
  /** In seconds; -1 when there is none. */
  messageExpiryInterval = -1;
  /** Whether subscribers may be sent the property bytes as they are. */
  forwardsVerbatim = true;

  // Where the two properties begin that are not forwarded; -1 when they are not there.
  #aliasAt = -1;
  #expiryAt = -1;

  /** Reads a PUBLISH whose variable header begins at `start` and which goes up to `end`. */
  read(
    firstByte: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    version: ProtocolVersion,
  ): void {
    this.qos = publishQos(firstByte);
    this.retain = (firstByte & RETAIN_FLAG) !== 0;
    this.dup = (firstByte & DUP_FLAG) !== 0;
    if (start + 2 > end) throw truncated();
    let at = start + 2 + (bytes[start]! << 8 | bytes[start + 1]!);
    this.topicStart = start + 2;
    this.topicEnd = at;
    // [MQTT-2.2.1-2]
    if (this.qos === 0) {
      this.packetId = 0;
    } else {
      if (at + 2 > end) throw truncated();
      this.packetId = bytes[at]! << 8 | bytes[at + 1]!;
      if (this.packetId === 0) {
        throw new ProtocolError("MQTT-2.2.1-3", "The packet identifier must not be 0");
      }
      at += 2;
    }
    if (at > end) throw truncated();
    this.topicAlias = 0;
    this.messageExpiryInterval = -1;
    this.forwardsVerbatim = true;
    this.propertiesStart = at;
    this.propertiesEnd = at;
    if (version === 5) at = this.#readProperties(bytes, at, end);
    this.payloadStart = at;
    this.payloadEnd = end;
  }

  /** How many bytes {@linkcode writeForwarded} appends. */
  get forwardedLength(): number {
    return this.propertiesEnd - this.propertiesStart -
      (this.topicAlias === 0 ? 0 : TOPIC_ALIAS_SIZE) -
      (this.messageExpiryInterval < 0 ? 0 : MESSAGE_EXPIRY_SIZE);
  }

  /**
   * Appends the properties that subscribers get as they came: all but the topic alias and the
   * expiry, of which the broker has its own. Their order stays [MQTT-3.3.2-18].
   */
  writeForwarded(writer: Writer, bytes: Uint8Array): void {
    let at = this.propertiesStart;
    if (!this.forwardsVerbatim) {
      const aliasFirst = this.#aliasAt < this.#expiryAt;
      at = aliasFirst
        ? writeUpTo(writer, bytes, at, this.#aliasAt, TOPIC_ALIAS_SIZE)
        : writeUpTo(writer, bytes, at, this.#expiryAt, MESSAGE_EXPIRY_SIZE);
      at = aliasFirst
        ? writeUpTo(writer, bytes, at, this.#expiryAt, MESSAGE_EXPIRY_SIZE)
        : writeUpTo(writer, bytes, at, this.#aliasAt, TOPIC_ALIAS_SIZE);
    }
    writer.raw(bytes, at, this.propertiesEnd);
  }

  /** Reads the properties and their length; returns where the payload begins. */
  #readProperties(bytes: Uint8Array, start: number, packetEnd: number): number {
    let at = start;
    let length = 0;
    for (let shift = 0;; shift += 7) {
      if (at >= packetEnd) throw truncated();
      const byte = bytes[at++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) {
          throw new MalformedPacketError("MQTT-1.5.5-1", "A length takes more bytes than it needs");
        }
        break;
      }
      if (shift === 21) {
        throw new MalformedPacketError("1.5.5", "A length takes more than four bytes");
      }
    }
    const end = at + length;
    if (end > packetEnd) throw truncated();
    this.propertiesStart = at;
    this.propertiesEnd = end;
    if (length > 0) this.#readEach(bytes, at, end);
    return end;
  }

  #readEach(bytes: Uint8Array, start: number, end: number): void {
    this.#aliasAt = -1;
    this.#expiryAt = -1;
    let seen = 0;
    let at = start;
    while (at < end) {
      const id = bytes[at]!;
      const value = at + 1;
      if (id === USER_PROPERTY) {
        at = skipString(bytes, skipString(bytes, value, end), end);
        continue;
      }
      switch (id) {
        case PAYLOAD_FORMAT_INDICATOR:
          seen = once(seen, id);
          at = value + 1;
          if (at > end) throw truncated();
          if (bytes[value]! > 1) {
            throw new ProtocolError("3.3.2.3.2", "The payload format must be 0 or 1");
          }
          break;
        case MESSAGE_EXPIRY_INTERVAL:
          seen = once(seen, id);
          this.#expiryAt = at;
          this.forwardsVerbatim = false;
          at = value + 4;
          if (at > end) throw truncated();
          this.messageExpiryInterval = readU32(bytes, value);
          break;
        // [MQTT-3.3.2-19]
        case CONTENT_TYPE:
          seen = once(seen, id);
          at = skipString(bytes, value, end);
          break;
        // [MQTT-3.3.2-13]
        case RESPONSE_TOPIC:
          seen = once(seen, id);
          at = skipString(bytes, value, end);
          checkResponseTopic(bytes, value + 2, at);
          break;
        case CORRELATION_DATA:
          seen = once(seen, id);
          at = skipBinary(bytes, value, end);
          break;
        case TOPIC_ALIAS:
          seen = once(seen, ALIAS_BIT);
          this.#aliasAt = at;
          this.forwardsVerbatim = false;
          at = value + 2;
          if (at > end) throw truncated();
          this.topicAlias = bytes[value]! << 8 | bytes[value + 1]!;
          if (this.topicAlias === 0) {
            const code = ReasonCode.TOPIC_ALIAS_INVALID;
            throw new ProtocolError("MQTT-3.3.2-8", "The topic alias must not be 0", code);
          }
          break;
        case SUBSCRIPTION_ID:
          throw new ProtocolError(
            "MQTT-3.3.4-6",
            "PUBLISH to a broker must have no subscription identifier",
          );
        default:
          throw foreign(id);
      }
    }
  }
}

/** Marks a property that may come once only as seen. */
function once(seen: number, bit: number): number {
  if ((seen & 1 << bit) === 0) return seen | 1 << bit;
  throw new ProtocolError("2.2.2.2", "A property of PUBLISH is not allowed more than once");
}

function skipBinary(bytes: Uint8Array, at: number, end: number): number {
  if (at + 2 > end) throw truncated();
  const after = at + 2 + (bytes[at]! << 8 | bytes[at + 1]!);
  if (after > end) throw truncated();
  return after;
}

function skipString(bytes: Uint8Array, at: number, end: number): number {
  const after = skipBinary(bytes, at, end);
  if (!isUtf8(bytes, at + 2, after)) {
    throw new MalformedPacketError("MQTT-1.5.4-1", "A string is not the UTF-8 that MQTT allows");
  }
  return after;
}

function checkResponseTopic(bytes: Uint8Array, start: number, end: number): void {
  let isName = start < end;
  for (let at = start; at < end; at++) {
    if (bytes[at] === PLUS || bytes[at] === HASH) isName = false;
  }
  if (isName) return;
  throw new ProtocolError("MQTT-3.3.2-14", "The response topic must be a topic name");
}

function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

/** Writes what precedes a property that is left out, if that is there; returns what follows it. */
function writeUpTo(
  writer: Writer,
  bytes: Uint8Array,
  from: number,
  gapAt: number,
  gapSize: number,
): number {
  if (gapAt < 0) return from;
  writer.raw(bytes, from, gapAt);
  return gapAt + gapSize;
}

function truncated(): MalformedPacketError {
  return new MalformedPacketError("1.2", "The packet ends before what it must hold");
}

function foreign(id: number): MqttError {
  return isProperty(id)
    ? new ProtocolError("2.2.2.2", `Property "${id}" is not allowed in PUBLISH`)
    : new MalformedPacketError("2.2.2.2", `Cannot read property "${id}": it is unknown`);
}
