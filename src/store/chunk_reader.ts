/**
 * The data of one chunk of Mosquitto's database, field by field. Nothing is read beyond the chunk,
 * no length is believed before it was compared with what is there, and nothing is copied.
 *
 * Small numbers are big-endian; those of 64 bits are as the machine had them that wrote the file,
 * which is little-endian on all that matter.
 *
 * @module
 */

import { MosquittoDbError } from "./mosquitto_chunk.ts";

export class ChunkReader {
  /** Of the chunk in the file, for its errors. */
  readonly offset: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.offset = offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
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
    throw new MosquittoDbError("corrupt", `The chunk at byte ${this.offset} ${what}`, options);
  }

  #next(count: number): number {
    if (count > this.remaining) this.fail("ends before what it must hold");
    const at = this.#at;
    this.#at += count;
    return at;
  }
}
