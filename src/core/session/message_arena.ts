/**
 * Memory for messages that are kept for a moment: while they are in flight to somebody or wait in
 * the queue of somebody who is connected. Many share one array, since making an array costs more
 * than filling it; the garbage collector takes it back when the last of them has gone.
 *
 * One message that stays would hold on to its neighbours' memory too. Therefore what is kept for
 * longer, in sessions without a connection or as a retained message, has an array of its own.
 *
 * @module
 */

const SLAB_BYTES = 8192;
/** Larger messages have an array of their own. */
const PLACED_BYTES_MAX = 1024;

export class MessageArena {
  /** Where the last message was placed. */
  bytes: Uint8Array = new Uint8Array(0);
  #end = 0;

  /** Finds room for a message in `bytes`; where it begins, or -1 when it is too large. */
  place(size: number): number {
    if (size > PLACED_BYTES_MAX) return -1;
    if (this.#end + size > this.bytes.length) {
      this.bytes = new Uint8Array(SLAB_BYTES);
      this.#end = 0;
    }
    const start = this.#end;
    this.#end += size;
    return start;
  }
}
