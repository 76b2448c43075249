/**
 * Bytes as they are read, in lines as they are wanted: one buffer that is filled at its end and
 * emptied at its front. A line is shown where it lies.
 *
 * @module
 */

const SIZE = 262_144;
/** Less room than that is not worth a call of the system. */
const ROOM_MIN = 32_768;
const LINE_FEED = 0x0a;

export class LineBuffer {
  bytes: Uint8Array = new Uint8Array(SIZE);
  /** The line that `find` found, without its line feed. */
  start = 0;
  end = 0;
  /** Where what was read ends. */
  #length = 0;
  /** What was read, so that nothing behind it is searched. */
  #filled: Uint8Array = this.bytes.subarray(0, 0);
  /** Up to where no line feed has been found. */
  #searched = 0;
  #hasEnded = false;

  /** Whether nothing is left, and nothing will come. */
  get isAtEnd(): boolean {
    return this.#hasEnded && this.start === this.#length;
  }

  /** How much has come of a line whose end has not. */
  get waitingBytes(): number {
    return this.#length - this.start;
  }

  /** Where to put what is read next; `add` says how much that is. */
  room(): Uint8Array {
    if (this.bytes.length - this.#length < ROOM_MIN) this.#makeRoom();
    return this.bytes.subarray(this.#length);
  }

  /** So many bytes have been read, or the end. */
  add(count: number | undefined): void {
    if (count === undefined) this.#hasEnded = true;
    else this.#length += count;
    this.#filled = this.bytes.subarray(0, this.#length);
  }

  /** Finds the next line; the last one may end without a line feed. */
  find(): boolean {
    const at = this.#filled.indexOf(LINE_FEED, this.#searched);
    if (at >= 0) {
      this.#searched = at;
      this.end = at;
      return true;
    }
    this.#searched = this.#length;
    if (!this.#hasEnded || this.start === this.#length) return false;
    this.end = this.#length;
    return true;
  }

  /** The line that was found is done with. */
  take(): void {
    this.start = this.#searched = Math.min(this.end + 1, this.#length);
  }

  /** Moves what is left to the front, of a larger buffer if it takes more than half of this one. */
  #makeRoom(): void {
    const { bytes, start } = this;
    const left = this.#length - start;
    if (left * 2 <= bytes.length) bytes.copyWithin(0, start, this.#length);
    else {
      this.bytes = new Uint8Array(bytes.length * 2);
      this.bytes.set(bytes.subarray(start, this.#length));
    }
    this.start = 0;
    this.#searched -= start;
    this.#length = left;
    this.#filled = this.bytes.subarray(0, left);
  }
}
