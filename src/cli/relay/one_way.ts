/**
 * One direction of a relayed connection: what comes from one transport goes to another, in order,
 * and no faster than that one takes it.
 *
 * The idea: at most one write is outstanding, and while it is, the source is paused. What it has
 * had under way before it paused is held in one buffer, up to a bound. Nothing is kept for a
 * connection that is idle.
 *
 * @module
 */

import type { BufferPool } from "../../core/base/buffer_pool.ts";
import { copyBytes } from "../../core/base/bytes.ts";
import type { Transport } from "../../transport/transport.ts";

/** More than any source has under way when it is told to pause. */
const HELD_BYTES_MAX = 1_048_576;

const NOTHING: Uint8Array = new Uint8Array(0);

export class OneWay {
  readonly #source: Transport;
  readonly #pool: BufferPool;
  #sink: Transport | undefined;
  #isPaused = false;
  /** The source has ended: the sink does so behind what is still to go. */
  #isEnding = false;
  /** With the sink until it says that it is writable. */
  #lent: Uint8Array | undefined;
  #held: Uint8Array | undefined;
  #heldLength = 0;

  /** Holds what comes until it is given a sink. */
  constructor(source: Transport, pool: BufferPool) {
    this.#source = source;
    this.#pool = pool;
  }

  /** What has come and waits; valid until the next call. */
  get held(): Uint8Array {
    return this.#held?.subarray(0, this.#heldLength) ?? NOTHING;
  }

  /** From here on everything goes there. */
  connect(sink: Transport): void {
    this.#sink = sink;
    this.#flush();
  }

  /** Takes a chunk; `false` when so much waits already that the connection has to be given up. */
  pass(chunk: Uint8Array): boolean {
    const { length } = chunk;
    if (this.#sink === undefined || this.#lent !== undefined) return this.#hold(chunk);
    const buffer = this.#pool.take(length);
    copyBytes(buffer, 0, chunk, 0, length);
    this.#write(this.#sink, buffer, length);
    return true;
  }

  /** The sink has taken what was written to it. */
  drained(): void {
    this.#giveBack();
    this.#flush();
  }

  /** Asks the source for no more until what waits has gone. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#source.pause();
  }

  /** No more will come; closes the sink when everything has gone there. */
  end(): void {
    this.#isEnding = true;
    if (this.#held === undefined) this.#sink?.close();
  }

  /** The sink has gone, and nobody wants what waits for it. */
  drop(): void {
    this.#giveBack();
    if (this.#held !== undefined) this.#pool.give(this.#held);
    this.#held = undefined;
  }

  #flush(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#write(this.#sink!, held, this.#heldLength);
    if (this.#isEnding) this.#sink!.close();
    else if (this.#lent === undefined && this.#isPaused) {
      this.#isPaused = false;
      this.#source.resume();
    }
  }

  #write(sink: Transport, buffer: Uint8Array, length: number): void {
    if (sink.write(buffer, length)) return this.#pool.give(buffer);
    this.#lent = buffer;
    this.pause();
  }

  #hold(chunk: Uint8Array): boolean {
    const before = this.#held;
    const start = before === undefined ? 0 : this.#heldLength;
    const length = start + chunk.length;
    if (length > HELD_BYTES_MAX) return false;
    if (before === undefined || length > before.length) {
      this.#held = this.#pool.take(length);
      if (before !== undefined) {
        copyBytes(this.#held, 0, before, 0, start);
        this.#pool.give(before);
      }
    }
    copyBytes(this.#held!, start, chunk, 0, chunk.length);
    this.#heldLength = length;
    return true;
  }

  #giveBack(): void {
    if (this.#lent !== undefined) this.#pool.give(this.#lent);
    this.#lent = undefined;
  }
}
