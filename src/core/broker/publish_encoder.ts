/**
 * Turns one message into PUBLISH packets for many connections. Subscribers that differ in neither
 * version, QoS nor Retain flag are sent the same bytes but for the Packet Identifier: the first
 * of them is encoded, straight into its outbox, and the others are copied from there. A QoS 0
 * message may need no encoding at all: the packet that came in is the packet that goes out.
 *
 * @module
 */

import { copyBytes } from "../base/bytes.ts";
import type { ProtocolVersion, QoS } from "../codec/protocol.ts";
import { PacketType } from "../codec/protocol.ts";
import { varintWidth, type Writer } from "../codec/writer.ts";
import type { Message } from "../session/message.ts";

/** Where the encoded packet stands that the next subscriber of the same shape is given. */
interface Shape {
  /** Whose `bytes` it stands in; a growing outbox moves its bytes but keeps their places. */
  source: { readonly bytes: Uint8Array };
  start: number;
  end: number;
  /** Distance of the Packet Identifier from `start`. */
  packetIdAt: number;
  /** The message it was made for. */
  serial: number;
  /** The message that was copied last. */
  copiedSerial: number;
  /** A view of the packet, made once for all subscribers that it is copied to. */
  view: Uint8Array;
  /** The message and the bytes that the view shows. */
  viewSerial: number;
  viewedBytes: Uint8Array;
}

/** How one subscriber wants it. */
export interface PublishOptions {
  version: ProtocolVersion;
  qos: QoS;
  retain: boolean;
  dup: boolean;
  /** 0 for QoS 0. */
  packetId: number;
  /** 0 when there is none. */
  subscriptionId: number;
  /** 0 when there is none. */
  alias: number;
  /** Whether the alias is known to the receiver, so that the topic is left out. */
  isAliasKnown: boolean;
  /** Bytes at the front of the topic that are not the receiver's to see: a mount point. */
  hiddenBytes: number;
}

const NO_BYTES = new Uint8Array(0);
/** Fractions of a millisecond are not exact: without this a whole second may become one more. */
const ROUNDING_S = 1e-6;
const SHAPES = 16;
/** Up to here a loop is as quick as a copy from a view. */
const SHORT_PACKET = 24;
const PROPERTY_MESSAGE_EXPIRY_INTERVAL = 0x02;
const PROPERTY_TOPIC_ALIAS = 0x23;
const PROPERTY_SUBSCRIPTION_ID = 0x0b;

export class PublishEncoder {
  readonly #shapes: Shape[] = [];
  readonly #verbatim: { bytes: Uint8Array } = { bytes: new Uint8Array(0) };
  #message: Message | undefined = undefined;
  #serial = 0;
  /** Seconds that the message has left, -1 when it does not expire. */
  #expirySeconds = -1;

  constructor() {
    for (let i = 0; i < SHAPES; i++) {
      this.#shapes.push({
        source: this.#verbatim,
        start: 0,
        end: 0,
        packetIdAt: 0,
        serial: 0,
        copiedSerial: -1,
        view: NO_BYTES,
        viewSerial: -1,
        viewedBytes: NO_BYTES,
      });
    }
  }

  /** The next packets are of this message, sent at this instant. */
  begin(message: Message, now: number): void {
    this.#message = message;
    this.#serial++;
    this.#expirySeconds = message.expiresAt === Infinity
      ? -1
      : Math.max(0, Math.ceil((message.expiresAt - now) / 1000 - ROUNDING_S));
    if (message.verbatimVersion === 0) return;
    this.#verbatim.bytes = message.payloadBytes;
    const shape = this.#shapes[shapeIndex(message.verbatimVersion, 0, message.retain)]!;
    shape.source = this.#verbatim;
    shape.start = message.verbatimStart;
    shape.end = message.verbatimEnd;
    shape.serial = this.#serial;
  }

  /** Bytes of the packet that these options give. */
  size(options: PublishOptions): number {
    const remaining = this.#remainingLength(options);
    return 1 + varintWidth(remaining) + remaining;
  }

  /** Bytes of the packet without alias or Subscription Identifier, cheaply once it was encoded. */
  commonSize(version: ProtocolVersion, qos: QoS, retain: boolean): number {
    const shape = this.#shapes[shapeIndex(version, qos, retain)]!;
    if (shape.serial === this.#serial) return shape.end - shape.start;
    const message = this.#message!;
    const remaining = 2 + message.topicEnd - message.topicStart + (qos > 0 ? 2 : 0) +
      (version === 5 ? this.#propertiesSize(0, 0) : 0) + message.payloadLength;
    return 1 + varintWidth(remaining) + remaining;
  }

  /** Appends the packet that is common to a shape; the writer has `commonSize` bytes of room. */
  appendCommon(
    writer: Writer,
    version: ProtocolVersion,
    qos: QoS,
    retain: boolean,
    packetId: number,
  ): void {
    const shape = this.#shapes[shapeIndex(version, qos, retain)]!;
    const start = writer.length;
    if (shape.serial !== this.#serial) {
      this.#encode(writer, version, qos, retain, false, packetId, 0, 0, false, 0);
      shape.source = writer;
      shape.start = start;
      shape.end = writer.length;
      shape.packetIdAt = this.#packetIdOffset(writer.bytes, start);
      shape.serial = this.#serial;
      return;
    }
    this.#copy(shape, writer.bytes, start);
    if (qos > 0) {
      writer.bytes[start + shape.packetIdAt] = packetId >>> 8;
      writer.bytes[start + shape.packetIdAt + 1] = packetId;
    }
    writer.length = start + shape.end - shape.start;
  }

  /** Copies an encoded packet; a view for it pays from the second copy of a message on. */
  #copy(shape: Shape, target: Uint8Array, at: number): void {
    const { bytes } = shape.source;
    if (shape.copiedSerial !== this.#serial || shape.end - shape.start <= SHORT_PACKET) {
      shape.copiedSerial = this.#serial;
      copyBytes(target, at, bytes, shape.start, shape.end);
      return;
    }
    if (shape.viewSerial !== this.#serial || shape.viewedBytes !== bytes) {
      shape.view = bytes.subarray(shape.start, shape.end);
      shape.viewSerial = this.#serial;
      shape.viewedBytes = bytes;
    }
    target.set(shape.view, at);
  }

  /** Appends the packet that these options give; the writer has `size` bytes of room. */
  append(writer: Writer, options: PublishOptions): void {
    this.#encode(
      writer,
      options.version,
      options.qos,
      options.retain,
      options.dup,
      options.packetId,
      options.subscriptionId,
      options.alias,
      options.isAliasKnown,
      options.hiddenBytes,
    );
  }

  #remainingLength(options: PublishOptions): number {
    const message = this.#message!;
    const { isAliasKnown, hiddenBytes } = options;
    return 2 + (isAliasKnown ? 0 : message.topicEnd - message.topicStart - hiddenBytes) +
      (options.qos > 0 ? 2 : 0) +
      (options.version === 5 ? this.#propertiesSize(options.subscriptionId, options.alias) : 0) +
      message.payloadLength;
  }

  /** Bytes of the properties and of the length before them. */
  #propertiesSize(subscriptionId: number, alias: number): number {
    const length = this.#propertiesLength(subscriptionId, alias);
    return varintWidth(length) + length;
  }

  #propertiesLength(subscriptionId: number, alias: number): number {
    const message = this.#message!;
    return message.propertiesEnd - message.propertiesStart + (this.#expirySeconds >= 0 ? 5 : 0) +
      (alias > 0 ? 3 : 0) + (subscriptionId > 0 ? 1 + varintWidth(subscriptionId) : 0);
  }

  /** The Packet Identifier follows the topic, whose length follows the remaining length. */
  #packetIdOffset(bytes: Uint8Array, start: number): number {
    let at = start + 1;
    while (bytes[at]! >= 0x80) at++;
    at++;
    return at + 2 + (bytes[at]! << 8 | bytes[at + 1]!) - start;
  }

  #encode(
    writer: Writer,
    version: ProtocolVersion,
    qos: QoS,
    retain: boolean,
    dup: boolean,
    packetId: number,
    subscriptionId: number,
    alias: number,
    isAliasKnown: boolean,
    hiddenBytes: number,
  ): void {
    const message = this.#message!;
    const topicStart = message.topicStart + hiddenBytes;
    const topicLength = isAliasKnown ? 0 : message.topicEnd - topicStart;
    const propertiesLength = version === 5 ? this.#propertiesLength(subscriptionId, alias) : 0;
    const remaining = 2 + topicLength + (qos > 0 ? 2 : 0) +
      (version === 5 ? varintWidth(propertiesLength) + propertiesLength : 0) +
      message.payloadLength;
    writer.u8(PacketType.PUBLISH << 4 | (dup ? 8 : 0) | qos << 1 | (retain ? 1 : 0));
    writer.varint(remaining);
    writer.u16(topicLength);
    if (!isAliasKnown) writer.raw(message.topicBytes, topicStart, message.topicEnd);
    if (qos > 0) writer.u16(packetId);
    if (version === 5) {
      writer.varint(propertiesLength);
      // Forwarded unaltered and in order [MQTT-3.3.2-17] [MQTT-3.3.2-18].
      // [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-20]
      writer.raw(message.propertyBytes, message.propertiesStart, message.propertiesEnd);
      if (this.#expirySeconds >= 0) {
        // Less the time that the message has waited here [MQTT-3.3.2-6].
        writer.u8(PROPERTY_MESSAGE_EXPIRY_INTERVAL);
        writer.u32(this.#expirySeconds);
      }
      if (alias > 0) {
        writer.u8(PROPERTY_TOPIC_ALIAS);
        writer.u16(alias);
      }
      // [MQTT-3.3.4-3] [MQTT-3.3.4-4] [MQTT-3.3.4-5]
      if (subscriptionId > 0) {
        writer.u8(PROPERTY_SUBSCRIPTION_ID);
        writer.varint(subscriptionId);
      }
    }
    writer.raw(message.payloadBytes, message.payloadStart, message.payloadEnd);
  }
}

function shapeIndex(version: ProtocolVersion, qos: QoS, retain: boolean): number {
  return (version === 5 ? 8 : 0) | (retain ? 4 : 0) | qos;
}
