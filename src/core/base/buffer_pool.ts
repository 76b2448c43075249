/**
 * Byte buffers on loan. Making a buffer costs far more than filling it, so outboxes
 * borrow one when they have something to say and give it back once it has left. An idle connection
 * holds none.
 *
 * @module
 */

const SIZE_MIN_LOG2 = 11;
/** Larger buffers are left to the garbage collector. */
const SIZE_MAX_LOG2 = 20;

/** A bounded pool of `Uint8Array`s whose sizes are powers of two. */
export class BufferPool {
  readonly #free: Uint8Array[][] = [];
  /** The fewest buffers of each size that lay idle since the last `trim`. */
  readonly #fewest: number[] = [];
  readonly #idleBytesMax: number;
  #idleBytes = 0;

  /** @param idleBytesMax how many bytes may lie idle in the pool. */
  constructor(idleBytesMax: number) {
    this.#idleBytesMax = idleBytesMax;
    for (let log2 = SIZE_MIN_LOG2; log2 <= SIZE_MAX_LOG2; log2++) {
      this.#free.push([]);
      this.#fewest.push(0);
    }
  }

  /** Bytes that lie idle. */
  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** Lends a buffer of at least `size` bytes. Its contents are whatever was there. */
  take(size: number): Uint8Array {
    const log2 = size <= 1 << SIZE_MIN_LOG2 ? SIZE_MIN_LOG2 : 32 - Math.clz32(size - 1);
    const index = log2 - SIZE_MIN_LOG2;
    const free = this.#free[index];
    const buffer = free?.pop();
    if (free === undefined || buffer === undefined) return new Uint8Array(2 ** log2);
    this.#idleBytes -= buffer.length;
    if (free.length < this.#fewest[index]!) this.#fewest[index] = free.length;
    return buffer;
  }

  /** Takes a buffer back. The caller must not touch it again. */
  give(buffer: Uint8Array): void {
    const { length } = buffer;
    if (this.#idleBytes + length > this.#idleBytesMax) return;
    if ((length & (length - 1)) !== 0) return;
    const free = this.#free[31 - Math.clz32(length) - SIZE_MIN_LOG2];
    if (free === undefined) return;
    this.#idleBytes += length;
    free.push(buffer);
  }

  /** Leaves to the garbage collector what nobody has needed since the last time. */
  trim(): void {
    for (let index = 0; index < this.#free.length; index++) {
      const free = this.#free[index]!;
      const unused = Math.min(this.#fewest[index]!, free.length);
      free.length -= unused;
      this.#idleBytes -= unused * 2 ** (index + SIZE_MIN_LOG2);
      this.#fewest[index] = free.length;
    }
  }
}
