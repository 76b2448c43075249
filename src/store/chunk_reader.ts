/**
 * The data of a chunk of Mosquitto's database, field by field. Nothing is read beyond the chunk, no
 * length is believed before it was compared with what is there, and nothing is copied. One reader
 * goes from chunk to chunk, since a file can have millions.
 *
 * Small numbers are big-endian; those of 64 bits are as the machine had them that wrote the file,
 * which is little-endian on all that matter.
 *
 * @module
 */

import { MosquittoDbError } from "./mosquitto_chunk.ts";

export class ChunkReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Where the chunk begins with its header, for errors. */
  #offset = 0;
  #at = 0;
  #end = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Turns to the chunk at `offset`, whose data is `length` bytes behind a header. */
  turnTo(offset: number, headerBytes: number, length: number): void {
    this.#offset = offset;
    this.#at = offset + headerBytes;
    if (length > this.#bytes.length - this.#at) this.fail("ends beyond the file");
    this.#end = this.#at + length;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#next(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#next(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#next(4));
  }

  /** An identifier, of which all bits count. */
  u64(): bigint {
    return this.#view.getBigUint64(this.#next(8), true);
  }

  /** An instant; exact for any that a calendar has. */
  time(): number {
    return Number(this.#view.getBigInt64(this.#next(8), true));
  }

  /** A view of the next bytes. */
  take(length: number): Uint8Array {
    const start = this.#next(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** A text with its length before it. */
  text(): Uint8Array {
    return this.take(this.u16());
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.take(this.remaining);
  }

  expectEnd(): void {
    if (this.remaining > 0) this.fail("goes on after what it must hold");
  }

  fail(what: string, options?: ErrorOptions): never {
    throw new MosquittoDbError("corrupt", `The chunk at byte ${this.#offset} ${what}`, options);
  }

  #next(count: number): number {
    if (count > this.remaining) this.fail("ends before what it must hold");
    const at = this.#at;
    this.#at += count;
    return at;
  }
}
