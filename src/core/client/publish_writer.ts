/**
 * PUBLISH as a client writes it: from what the application gave, or from a message that was kept to
 * be sent again. The size is known before a byte is written, so that a packet which the broker
 * would not take is refused without a trace.
 *
 * @module
 */

import { encodedLength } from "../base/utf8.ts";
import { encodeProperties, NO_PROPERTIES, type Properties } from "../codec/property.ts";
import { PacketType, type ProtocolVersion, type QoS } from "../codec/protocol.ts";
import { varintWidth, Writer } from "../codec/writer.ts";
import type { Message } from "../session/message.ts";

const PROPERTY_MESSAGE_EXPIRY_INTERVAL = 0x02;
const PROPERTY_TOPIC_ALIAS = 0x23;
const DUP_FLAG = 0x08;
/** The properties of most packets that have an alias: that alone. */
const ALIAS_ONLY_BYTES = 3;

/** How a message is published; what is left out is 0, `false` or nothing. */
export interface PublishOptions {
  readonly qos?: QoS;
  readonly retain?: boolean;
  /** Version 5 only. */
  readonly properties?: Properties;
}

/** The varying parts of one packet. */
interface Header {
  readonly version: ProtocolVersion;
  readonly packetId: number;
}

/** Encodes PUBLISH packets, one after the other. */
export class PublishWriter {
  /** The properties of the packet at hand, with their length. */
  readonly #properties: Writer = new Writer(new Uint8Array(64));

  /** Readies a packet and tells its size; `write` comes next. An alias of 0 is none. */
  measure(
    topic: string | Uint8Array,
    payload: Uint8Array,
    options: PublishOptions,
    version: ProtocolVersion,
    alias = 0,
  ): number {
    this.#properties.length = 0;
    if (version === 5) {
      encodeProperties(
        this.#properties,
        options.properties ?? NO_PROPERTIES,
        PacketType.PUBLISH,
      );
    }
    if (alias > 0) this.#prefixAlias(alias);
    const remaining = remainingLength(topic, payload, options.qos ?? 0, this.#properties.length);
    return 1 + varintWidth(remaining) + remaining;
  }

  /** Puts the alias in front of the properties, and their new length in front of that. */
  #prefixAlias(alias: number): void {
    const properties = this.#properties;
    // Without any others, which is the usual case, there is nothing but a length of 0.
    const others = properties.length === 1
      ? undefined
      : properties.bytes.slice(lengthWidth(properties.length), properties.length);
    properties.length = 0;
    properties.varint(ALIAS_ONLY_BYTES + (others?.length ?? 0));
    properties.u8(PROPERTY_TOPIC_ALIAS);
    properties.u16(alias);
    if (others !== undefined) properties.raw(others, 0, others.length);
  }

  /** Appends the packet that was measured last. */
  write(
    writer: Writer,
    topic: string | Uint8Array,
    payload: Uint8Array,
    options: PublishOptions,
    packetId: number,
  ): void {
    const { qos = 0, retain = false } = options;
    const properties = this.#properties;
    const remaining = remainingLength(topic, payload, qos, properties.length);
    writer.ensure(5 + remaining);
    writer.u8(PacketType.PUBLISH << 4 | qos << 1 | (retain ? 1 : 0));
    writer.varint(remaining);
    if (typeof topic === "string") writer.string(topic);
    else writer.binary(topic);
    if (qos > 0) writer.u16(packetId);
    writer.raw(properties.bytes, 0, properties.length);
    writer.raw(payload, 0, payload.length);
  }

  /** Appends a kept message once more; its expiry is what is left of it. */
  writeAgain(writer: Writer, message: Message, header: Header, now: number): void {
    const { version, packetId } = header;
    const properties = this.#properties;
    properties.length = 0;
    properties.raw(message.propertyBytes, message.propertiesStart, message.propertiesEnd);
    if (message.expiresAt !== Infinity) {
      properties.u8(PROPERTY_MESSAGE_EXPIRY_INTERVAL);
      properties.u32(Math.max(0, Math.ceil((message.expiresAt - now) / 1000)));
    }
    const topicLength = message.topicEnd - message.topicStart;
    const propertiesLength = version === 5 ? varintWidth(properties.length) + properties.length : 0;
    const remaining = 2 + topicLength + 2 + propertiesLength + message.payloadLength;
    writer.ensure(5 + remaining);
    // [MQTT-3.3.1-1]
    writer.u8(
      PacketType.PUBLISH << 4 | DUP_FLAG | message.qos << 1 | (message.retain ? 1 : 0),
    );
    writer.varint(remaining);
    writer.u16(topicLength);
    writer.raw(message.topicBytes, message.topicStart, message.topicEnd);
    writer.u16(packetId);
    if (version === 5) {
      writer.varint(properties.length);
      writer.raw(properties.bytes, 0, properties.length);
    }
    writer.raw(message.payloadBytes, message.payloadStart, message.payloadEnd);
  }
}

/** How many of so many bytes are the length that stands before the others. */
function lengthWidth(total: number): number {
  let width = 1;
  while (varintWidth(total - width) !== width) width++;
  return width;
}

function remainingLength(
  topic: string | Uint8Array,
  payload: Uint8Array,
  qos: QoS,
  propertiesLength: number,
): number {
  const topicLength = typeof topic === "string" ? encodedLength(topic) : topic.length;
  return 2 + topicLength + (qos > 0 ? 2 : 0) + propertiesLength + payload.length;
}
