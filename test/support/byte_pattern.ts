// Bytes that tell where in a stream they belong, so that any loss, doubling or reordering is seen.

/** The byte at a position of the stream. */
export function byteAt(position: number): number {
  return (position * 31 + (position >>> 8) * 17 + (position >>> 16) * 7) & 0xff;
}

/** Writes the bytes from `position` on into the buffer. */
export function fillPattern(buffer: Uint8Array, position: number, length = buffer.length): void {
  for (let i = 0; i < length; i++) buffer[i] = byteAt(position + i);
}

/** Counts the bytes of a stream and remembers the first position that is wrong. */
export class PatternCheck {
  count = 0;
  firstWrong = -1;

  add(chunk: Uint8Array): void {
    for (let i = 0; i < chunk.length; i++) {
      if (chunk[i] !== byteAt(this.count + i) && this.firstWrong < 0) {
        this.firstWrong = this.count + i;
      }
    }
    this.count += chunk.length;
  }
}
