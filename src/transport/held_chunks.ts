/**
 * Chunks that arrived while nobody wanted any, for transports over what cannot be told to stop
 * reading: in order, and up to a bound.
 *
 * @module
 */

import { RingQueue } from "../core/base/ring_queue.ts";

/** Beyond what a peer has under way before back-pressure of a higher level stops it. */
const BYTES_MAX = 16_777_216;

/** A bounded queue of chunks that are its own. */
export class HeldChunks {
  readonly #chunks: RingQueue<Uint8Array> = new RingQueue();
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  /** Adds a chunk, which nobody else may change; `false` when there is too much. */
  add(chunk: Uint8Array): boolean {
    if (this.#bytes + chunk.length > BYTES_MAX) return false;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    return true;
  }

  /** Takes the first one out. */
  take(): Uint8Array | undefined {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) this.#bytes -= chunk.length;
    return chunk;
  }

  /** Forgets all. */
  drop(): void {
    while (this.take() !== undefined);
  }
}
