/**
 * Messages as a store keeps them: all that makes a message, in one run of bytes that is also what
 * the message points into when it comes back. Columns would only take it apart.
 *
 *     flags, [expiry: 8 bytes], publisher's id, [publisher's name], topic, properties, payload
 *
 * Text and properties follow their length, of one to four bytes; the payload is the rest.
 *
 * @module
 */

import type { QoS } from "../core/codec/protocol.ts";
import { Reader } from "../core/codec/reader.ts";
import { Writer } from "../core/codec/writer.ts";
import { Message } from "../core/session/message.ts";
import type { NameMemory } from "./name_memory.ts";
import type { StoreClock } from "./store_clock.ts";

const QOS_BITS = 0b11;
const RETAIN = 1 << 2;
const HAS_EXPIRY = 1 << 3;
const HAS_USERNAME = 1 << 4;

/** Bits of the upper half of an instant, of which the lower one has 32. */
const HALF = 2 ** 32;

/** Writes messages one after another into the same buffer. */
export class MessageEncoder {
  readonly #writer = new Writer(new Uint8Array(4096));
  readonly #clock: StoreClock;

  constructor(clock: StoreClock) {
    this.#clock = clock;
  }

  /** The bytes of a message; valid until the next call. */
  encode(message: Message): Uint8Array {
    const writer = this.#writer;
    writer.length = 0;
    this.append(writer, message);
    return writer.bytes.subarray(0, writer.length);
  }

  append(writer: Writer, message: Message): void {
    const { publisherUsername } = message;
    const expiry = this.#clock.toStored(message.expiresAt);
    writer.u8(
      message.qos | (message.retain ? RETAIN : 0) | (expiry === null ? 0 : HAS_EXPIRY) |
        (publisherUsername === undefined ? 0 : HAS_USERNAME),
    );
    if (expiry !== null) {
      // Where the wall clock stands at its beginning, what is over may be before that.
      const since = Math.max(0, expiry);
      writer.u32(Math.floor(since / HALF));
      writer.u32(since % HALF);
    }
    writer.string(message.publisherId);
    if (publisherUsername !== undefined) writer.string(publisherUsername);
    run(writer, message.topicBytes, message.topicStart, message.topicEnd);
    run(writer, message.propertyBytes, message.propertiesStart, message.propertiesEnd);
    writer.raw(message.payloadBytes, message.payloadStart, message.payloadEnd);
  }
}

/**
 * A message from its bytes, which it keeps and which must not change any more.
 *
 * @throws {MqttError} when they are not those of a message.
 */
export function decodeMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  clock: StoreClock,
  names: NameMemory,
): Message {
  const reader = new Reader(bytes, start, end);
  const message = new Message();
  const flags = reader.u8();
  // Nobody writes a third bit pattern that is a QoS: two bits, and 3 is none.
  message.qos = Math.min(flags & QOS_BITS, 2) as QoS;
  message.retain = (flags & RETAIN) !== 0;
  if ((flags & HAS_EXPIRY) !== 0) {
    message.expiresAt = clock.toInstant(reader.u32() * HALF + reader.u32());
  }
  message.publisherId = text(reader, names);
  if ((flags & HAS_USERNAME) !== 0) message.publisherUsername = text(reader, names);
  message.topicBytes = message.propertyBytes = message.payloadBytes = bytes;
  const topicBytes = reader.varint();
  message.topicStart = reader.at;
  message.topicEnd = skip(reader, topicBytes);
  const propertyBytes = reader.varint();
  message.propertiesStart = reader.at;
  message.propertiesEnd = message.payloadStart = skip(reader, propertyBytes);
  message.payloadEnd = end;
  return message.own();
}

function run(writer: Writer, bytes: Uint8Array, start: number, end: number): void {
  writer.varint(end - start);
  writer.raw(bytes, start, end);
}

function text(reader: Reader, names: NameMemory): string {
  const length = reader.u16();
  const start = reader.at;
  return names.decode(reader.bytes, start, skip(reader, length));
}

function skip(reader: Reader, length: number): number {
  reader.need(length);
  return reader.at += length;
}
