/**
 * The masks that a client hides its frames behind (RFC 6455, section 5.3), so that what it sends
 * cannot be taken by something on the way for a request of another protocol. Each is drawn by
 * chance, many at a time because asking for chance is what costs.
 *
 * @module
 */

const STOCK_BYTES = 1024;
/** From so many bytes on it pays to mask four at a time. */
const LONG_RUN = 64;

/** A stock of masks. */
export class WebSocketMasks {
  readonly #stock: Uint8Array<ArrayBuffer> = new Uint8Array(STOCK_BYTES);
  #at = STOCK_BYTES;

  /** Writes the next one. */
  put(bytes: Uint8Array, at: number): void {
    if (this.#at === STOCK_BYTES) {
      crypto.getRandomValues(this.#stock);
      this.#at = 0;
    }
    for (let i = 0; i < 4; i++) bytes[at + i] = this.#stock[this.#at++]!;
  }
}

/** Masks the bytes from `start` to `end`; the mask stands right before them. */
export function applyMask(bytes: Uint8Array, start: number, end: number): void {
  let at = start;
  if (end - start >= LONG_RUN) {
    while (((bytes.byteOffset + at) & 3) !== 0) at = maskByte(bytes, start, at);
    // A word of the mask as it lies in memory, turned to begin with the next byte.
    const turned = new Uint8Array(4);
    for (let i = 0; i < 4; i++) turned[i] = bytes[start - 4 + ((at - start + i) & 3)]!;
    const word = new Int32Array(turned.buffer)[0]!;
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (end - at) >> 2);
    for (let i = 0; i < words.length; i++) words[i] = words[i]! ^ word;
    at += 4 * words.length;
  }
  while (at < end) at = maskByte(bytes, start, at);
}

function maskByte(bytes: Uint8Array, start: number, at: number): number {
  bytes[at] = bytes[at]! ^ bytes[start - 4 + ((at - start) & 3)]!;
  return at + 1;
}
