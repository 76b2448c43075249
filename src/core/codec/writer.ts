/**
 * Bytes on their way out: the data types of section 1.5 appended to a buffer that grows by
 * doubling. What is written is up to the files of the packets; where it goes is up to the owner,
 * who may take `bytes` up to `length` away, put another buffer in its place, or set `length` back.
 *
 * A length that precedes what it counts is written twice: room is left by `openLength` for the
 * width that the caller expects, and `closeLength` fills it in, moving the content if it must.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { copyBytes } from "../base/bytes.ts";
import { encodedLength, encodeUtf8Into } from "../base/utf8.ts";
import { VARINT_MAX } from "./protocol.ts";

/** Below this many characters it is cheaper to make room for the worst case than to count. */
const SHORT_STRING = 128;

export class Writer {
  bytes: Uint8Array;
  length = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Makes room for `extra` more bytes, in a new buffer when the present one is too small. */
  ensure(extra: number): void {
    const needed = this.length + extra;
    if (needed > this.bytes.length) this.#grow(needed);
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  u8(value: number): void {
    this.ensure(1);
    this.bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.ensure(2);
    const { bytes, length } = this;
    bytes[length] = value >>> 8;
    bytes[length + 1] = value;
    this.length = length + 2;
  }

  u32(value: number): void {
    this.ensure(4);
    const { bytes, length } = this;
    bytes[length] = value >>> 24;
    bytes[length + 1] = value >>> 16;
    bytes[length + 2] = value >>> 8;
    bytes[length + 3] = value;
    this.length = length + 4;
  }

  /** Appends a variable byte integer in as few bytes as it takes [MQTT-1.5.5-1]. */
  varint(value: number): void {
    assert(value >= 0 && value <= VARINT_MAX, "A length does not fit four bytes");
    this.ensure(4);
    this.length = putVarint(this.bytes, this.length, value);
  }

  /** Appends a string after its two bytes of length. */
  string(text: string): void {
    const short = text.length < SHORT_STRING;
    const bound = short ? text.length * 3 : encodedLength(text);
    assert(bound >= 0 && bound <= 0xffff, "A string is too long or has a lone surrogate");
    this.ensure(2 + bound);
    const { bytes, length } = this;
    const count = encodeUtf8Into(text, bytes, length + 2);
    assert(count >= 0, "A string has a lone surrogate");
    bytes[length] = count >>> 8;
    bytes[length + 1] = count;
    this.length = length + 2 + count;
  }

  /** Appends bytes after their two bytes of length. */
  binary(value: Uint8Array): void {
    assert(value.length <= 0xffff, "Binary data is too long");
    this.u16(value.length);
    this.raw(value, 0, value.length);
  }

  /** Appends the bytes of `source` from `start` up to `end`. */
  raw(source: Uint8Array, start: number, end: number): void {
    this.ensure(end - start);
    copyBytes(this.bytes, this.length, source, start, end);
    this.length += end - start;
  }

  /** Leaves `width` bytes for a length; what it returns is to be given to `closeLength`. */
  openLength(width: number): number {
    this.ensure(width);
    return this.length += width;
  }

  /** Fills in the length of what was written since `openLength`. */
  closeLength(mark: number, width: number): void {
    const count = this.length - mark;
    assert(count <= VARINT_MAX, "A length does not fit four bytes");
    const needed = varintWidth(count);
    if (needed !== width) {
      this.ensure(Math.max(0, needed - width));
      this.bytes.copyWithin(mark - width + needed, mark, this.length);
      this.length += needed - width;
    }
    putVarint(this.bytes, mark - width, count);
  }
}

/** Tells how many bytes a variable byte integer takes. */
export function varintWidth(value: number): 1 | 2 | 3 | 4 {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}

function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest >= 0x80) {
    bytes[at++] = rest & 0x7f | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}
