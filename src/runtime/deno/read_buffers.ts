/**
 * Buffers to read into. A connection reads into a small one of its own and borrows a large one
 * only while reads fill what they get: ten thousand idle connections then cost kilobytes each, and
 * a busy one is read in few calls. The number lent at a time is bounded; who gets none stays small.
 *
 * @module
 */

export const SMALL_BYTES = 2048;
const LARGE_BYTES = 65536;
const LENT_MAX = 256;
const KEPT_MAX = 16;

/** Lends large buffers to the connections of one listener. */
export class ReadBuffers {
  readonly #kept: Uint8Array<ArrayBuffer>[] = [];
  #lent = 0;

  /** A large buffer, unless too many are lent already. */
  borrow(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#lent === LENT_MAX) return undefined;
    this.#lent++;
    return this.#kept.pop() ?? new Uint8Array(LARGE_BYTES);
  }

  /** Takes a borrowed buffer back. */
  giveBack(buffer: Uint8Array<ArrayBuffer>): void {
    this.#lent--;
    if (this.#kept.length < KEPT_MAX) this.#kept.push(buffer);
  }
}
