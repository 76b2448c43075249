/**
 * PUBLISH packets of QoS 0 that differ in nothing but their payload, for those who send very many:
 * all that is the same is encoded once, and a packet costs two copies.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { copyBytes } from "../base/bytes.ts";
import { encodeProperties, type Properties } from "../codec/property.ts";
import { PacketType, type ProtocolVersion, VARINT_MAX } from "../codec/protocol.ts";
import { varintWidth, Writer } from "../codec/writer.ts";

/** What all packets have in common. */
export interface PublishTemplateParts {
  /** A Topic Name; empty when the topic alias of the properties stands for it. */
  readonly topic: string;
  readonly retain: boolean;
  /** Left out before version 5. */
  readonly properties: Properties;
  readonly version: ProtocolVersion;
}

export class PublishTemplate {
  readonly #firstByte: number;
  /** Topic and properties. */
  readonly #head: Uint8Array;

  constructor({ topic, retain, properties, version }: PublishTemplateParts) {
    this.#firstByte = PacketType.PUBLISH << 4 | (retain ? 1 : 0);
    const head = new Writer(new Uint8Array(64));
    head.string(topic);
    if (version === 5) encodeProperties(head, properties, PacketType.PUBLISH);
    this.#head = head.bytes.slice(0, head.length);
  }

  /** The size of a packet with a payload of that size; `Infinity` if there is no such packet. */
  sizeOf(payloadBytes: number): number {
    const remaining = this.#head.length + payloadBytes;
    return remaining > VARINT_MAX ? Infinity : 1 + varintWidth(remaining) + remaining;
  }

  /** Appends a packet whose payload lies in `source` from `start` up to `end`. */
  append(writer: Writer, source: Uint8Array, start: number, end: number): void {
    const head = this.#head;
    const headBytes = head.length;
    const remaining = headBytes + end - start;
    assert(remaining <= VARINT_MAX, "A payload is too large");
    writer.ensure(5 + remaining);
    const { bytes } = writer;
    let at = writer.length;
    bytes[at++] = this.#firstByte;
    let rest = remaining;
    while (rest >= 0x80) {
      bytes[at++] = rest & 0x7f | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    copyBytes(bytes, at, head, 0, headBytes);
    copyBytes(bytes, at + headBytes, source, start, end);
    writer.length = at + remaining;
  }
}
