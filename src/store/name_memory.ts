/**
 * Names of publishers as they are read: messages that follow one another often have the same, and
 * a million equal strings cost more than the bytes that say so.
 *
 * @module
 */

import { decodeUtf8 } from "../core/base/utf8.ts";

/** A power of two. */
const SLOTS = 256;
/** Longer names are not worth comparing. */
const BYTES_MAX = 64;

interface Known {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

export class NameMemory {
  readonly #known: (Known | undefined)[] = Array<Known | undefined>(SLOTS).fill(undefined);

  /** The name that bytes spell, which do not change any more; `""` when they spell none. */
  decode(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return "";
    if (length > BYTES_MAX) return decodeUtf8(bytes, start, end) ?? "";
    const slot = (bytes[end - 1]! * 31 + bytes[end - 2]! * 7 + length) & (SLOTS - 1);
    const known = this.#known[slot];
    if (known !== undefined && isSame(known, bytes, start, end)) return known.name;
    const name = decodeUtf8(bytes, start, end) ?? "";
    this.#known[slot] = { bytes, start, end, name };
    return name;
  }
}

function isSame(known: Known, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.end - known.start !== end - start) return false;
  for (let at = start; at < end; at++) {
    if (bytes[at] !== known.bytes[known.start + at - start]) return false;
  }
  return true;
}
