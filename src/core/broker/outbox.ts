/**
 * The bytes that wait to leave on one connection. Whatever is sent during a turn is appended here;
 * at the turn's end the driver takes all of it at once and hands it to the transport, so that a
 * turn costs one system call per connection.
 *
 * The buffer is borrowed from the pool when there is something to say and given back when it has
 * left: an idle connection has none.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import type { BufferPool } from "../base/buffer_pool.ts";
import { Writer } from "../codec/writer.ts";

const NO_BYTES = new Uint8Array(0);
/** No more is asked for ahead of time. */
const EXPECTED_BYTES_MAX = 65_536;

export class Outbox {
  /** Where packets are encoded to; call `reserve` first. */
  readonly writer: Writer = new Writer(NO_BYTES);
  /** The change that must be durable before what is gathered may leave; see `journal.ts`. */
  awaitedChange = 0;
  readonly #pool: BufferPool;
  #lent: Uint8Array | undefined = undefined;
  #lentLength = 0;
  /** What the last turn gathered, within reason. */
  #expectedBytes = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Bytes that have not left: gathered here, or with the transport. */
  get backlog(): number {
    return this.writer.length + this.#lentLength;
  }

  /** Bytes gathered and not yet taken by the driver. */
  get gatheredBytes(): number {
    return this.writer.length;
  }

  /** Whether the transport still holds a buffer, so that nothing may be written. */
  get isLent(): boolean {
    return this.#lent !== undefined;
  }

  /** Makes room for so many bytes. */
  reserve(extra: number): Writer {
    const { writer } = this;
    const needed = writer.length + extra;
    if (needed > writer.bytes.length) {
      const old = writer.bytes;
      // Most turns resemble the one before: room for as much spares growing step by step.
      const grown = this.#pool.take(Math.max(needed, this.#expectedBytes));
      // All of it, since a part would need a view.
      grown.set(old);
      writer.bytes = grown;
      if (old.length > 0) this.#pool.give(old);
    }
    return writer;
  }

  /** Takes what was gathered, for the transport; `give` or `lend` says what became of it. */
  take(): Uint8Array {
    assert(this.#lent === undefined, "An outbox was taken while its buffer is with the transport");
    return this.writer.bytes;
  }

  /** The transport has consumed what was taken. */
  consumed(): void {
    this.#pool.give(this.writer.bytes);
    this.#empty();
  }

  /** The transport keeps what was taken until it is writable. */
  lend(): void {
    this.#lent = this.writer.bytes;
    this.#lentLength = this.writer.length;
    this.#empty();
  }

  /** The transport is writable: the buffer is ours again. */
  returned(): void {
    if (this.#lent !== undefined) this.#pool.give(this.#lent);
    this.#lent = undefined;
    this.#lentLength = 0;
  }

  /** Forgets what was gathered; the connection is gone. A lent buffer is left to its holder. */
  discard(): void {
    if (this.writer.bytes.length > 0) this.#pool.give(this.writer.bytes);
    this.#empty();
    this.#lent = undefined;
    this.#lentLength = 0;
  }

  #empty(): void {
    this.#expectedBytes = Math.min(this.writer.length, EXPECTED_BYTES_MAX);
    this.writer.bytes = NO_BYTES;
    this.writer.length = 0;
    this.awaitedChange = 0;
  }
}
