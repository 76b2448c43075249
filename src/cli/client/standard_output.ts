/**
 * Standard output of a tool that prints much: what one turn of the event loop prints leaves in one
 * write, in order, and at once when nothing is on its way yet.
 *
 * The idea: two buffers. The system writes the one while the other fills; when that has become too
 * full, the owner is asked to stop reading until there is room.
 *
 * @module
 */

import { OperationError } from "../../core/base/operation_error.ts";
import { Writer } from "../../core/codec/writer.ts";
import type { Runtime } from "../../runtime/runtime.ts";

/** Whose output it is. */
export interface OutputOwner {
  /** More waits than should; told again with all that comes on top, from another connection. */
  onFull(): void;
  /** There is room again. */
  onRoom(): void;
  /** Nothing can be written any more: nobody reads it, or else the reason. Called once. */
  onGone(error: OperationError | undefined): void;
}

const BYTES = 4096;
/** Waiting bytes above which the owner should stop. */
const BYTES_MAX = 262_144;
/** A larger buffer is not kept for later. */
const SPARE_BYTES_MAX = 1_048_576;

export class StandardOutput {
  /** Where to append; `wake` comes next. */
  readonly writer: Writer = new Writer(new Uint8Array(BYTES));
  /** Set before anything is printed. */
  owner!: OutputOwner;
  readonly #runtime: Pick<Runtime, "writeOutput" | "defer">;
  readonly #onTurnEnd = (): void => {
    this.#isDue = false;
    void this.#write();
  };
  /** Those who wait until everything has left. */
  #waiters: (() => void)[] = [];
  #spare: Uint8Array = new Uint8Array(BYTES);
  #isDue = false;
  #isWriting = false;
  #isFull = false;
  #isGone = false;

  constructor(runtime: Pick<Runtime, "writeOutput" | "defer">) {
    this.#runtime = runtime;
  }

  /** Something has been appended. */
  wake(): void {
    if (this.#isGone) {
      this.writer.length = 0;
      return;
    }
    if (this.#isWriting) {
      if (this.writer.length < BYTES_MAX) return;
      this.#isFull = true;
      return this.owner.onFull();
    }
    if (this.#isDue) return;
    this.#isDue = true;
    this.#runtime.defer(this.#onTurnEnd);
  }

  /** Prints text in its turn. */
  print(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.writer.raw(bytes, 0, bytes.length);
    this.wake();
  }

  /** Resolves when all that was printed has left, or cannot any more. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.#settle();
    });
  }

  async #write(): Promise<void> {
    const { writer } = this;
    while (writer.length > 0 && !this.#isGone) {
      const { bytes, length } = writer;
      writer.bytes = this.#spare;
      writer.length = 0;
      this.#isWriting = true;
      await this.#send(bytes.subarray(0, length));
      this.#isWriting = false;
      this.#spare = bytes.length <= SPARE_BYTES_MAX ? bytes : new Uint8Array(BYTES);
      if (!this.#isFull) continue;
      this.#isFull = false;
      this.owner.onRoom();
    }
    this.#settle();
  }

  async #send(bytes: Uint8Array): Promise<void> {
    let error: OperationError | undefined;
    try {
      if (await this.#runtime.writeOutput(bytes)) return;
    } catch (cause) {
      if (!(cause instanceof OperationError)) throw cause;
      error = cause;
    }
    this.#isGone = true;
    this.writer.length = 0;
    this.owner.onGone(error);
  }

  #settle(): void {
    if (this.#isWriting || this.writer.length > 0) return;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
