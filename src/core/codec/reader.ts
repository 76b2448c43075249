/**
 * Bytes on their way in: the data types of section 1.5, read one after the other from a range of
 * a buffer that belongs to someone else. Every read is checked against the end of the range and
 * throws {@linkcode MalformedPacketError} beyond it. The hot path of PUBLISH has no reader: it
 * looks into the bytes itself (publish_view.ts).
 *
 * @module
 */

import { copyBytes } from "../base/bytes.ts";
import { decodeUtf8 } from "../base/utf8.ts";
import { MalformedPacketError } from "./error.ts";

export class Reader {
  readonly bytes: Uint8Array;
  at: number;
  /** Narrowed while a part is read that must not reach beyond its own length. */
  end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  /** Throws unless `count` more bytes are there. */
  need(count: number): void {
    if (count > this.end - this.at) {
      throw new MalformedPacketError("1.2", "The packet ends before what it must hold");
    }
  }

  u8(): number {
    this.need(1);
    return this.bytes[this.at++]!;
  }

  u16(): number {
    this.need(2);
    const { bytes, at } = this;
    this.at = at + 2;
    return bytes[at]! << 8 | bytes[at + 1]!;
  }

  /** Reads four bytes as an unsigned number. */
  u32(): number {
    this.need(4);
    const { bytes, at } = this;
    this.at = at + 4;
    return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
  }

  /** Reads a variable byte integer, which must not take more bytes than it needs. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) {
          throw new MalformedPacketError("MQTT-1.5.5-1", "A length takes more bytes than it needs");
        }
        return value;
      }
    }
    throw new MalformedPacketError("1.5.5", "A length takes more than four bytes");
  }

  /** Reads a string [MQTT-1.5.4-1] [MQTT-1.5.4-2]; a BOM is part of it [MQTT-1.5.4-3]. */
  string(): string {
    const length = this.u16();
    this.need(length);
    const start = this.at;
    const text = decodeUtf8(this.bytes, start, start + length);
    if (text === null) {
      throw new MalformedPacketError("MQTT-1.5.4-1", "A string is not the UTF-8 that MQTT allows");
    }
    this.at = start + length;
    return text;
  }

  /** Reads binary data into a copy of its own. */
  binary(): Uint8Array {
    return this.copy(this.u16());
  }

  /** Reads the next `length` bytes into a copy of their own. */
  copy(length: number): Uint8Array {
    this.need(length);
    const start = this.at;
    this.at = start + length;
    // Not `slice`: on a subclass of a platform that would share the memory.
    const copy = new Uint8Array(length);
    copyBytes(copy, 0, this.bytes, start, this.at);
    return copy;
  }

  /** Throws when something follows what the packet must hold. */
  expectEnd(): void {
    if (this.at !== this.end) {
      throw new MalformedPacketError("2.1.4", "The packet goes on after what it must hold");
    }
  }
}
