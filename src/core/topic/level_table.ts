/**
 * Topic levels as numbers: each distinct level is stored once, and the tries compare ids. A level's
 * id is where it lies in one array of words: a count of references, its hash, its length, its
 * bytes. So finding a level touches its bucket and its record, and nothing else.
 *
 * A level that nobody refers to any more leaves its place to the next one of the same size. When
 * most places are free, the owner is told by `isSparse` and moves everything into a smaller table:
 * only the owner knows who holds ids.
 *
 * @module
 */

import { decodeUtf8 } from "../base/utf8.ts";
import { hashBytes, HashIndex } from "./hash_index.ts";

const REFERENCES = 0;
const HASH = 1;
const LENGTH = 2;
const HEADER_WORDS = 3;

/** Free places of up to this many words are reused; larger ones wait for the owner to move. */
const REUSED_WORDS_MAX = 64;
const WORDS_MIN = 256;

/** Distinct levels, each with an id that is never 0. */
export class LevelTable {
  readonly seed: number;
  readonly #index: HashIndex;
  #words: Int32Array;
  #bytes: Uint8Array;
  /** Where the part of the table begins that was never used; place 0 stays unused. */
  #top = 1;
  #liveWords = 1;
  /** Heads of the lists of free places, by their number of words; linked by REFERENCES. */
  readonly #free: Int32Array = new Int32Array(REUSED_WORDS_MAX + 1);

  /** Makes a table with room for so many levels in so many words. */
  constructor(seed: number, words: number = WORDS_MIN, levels: number = 0) {
    this.seed = seed;
    this.#index = new HashIndex(levels);
    this.#words = new Int32Array(Math.max(words, WORDS_MIN));
    this.#bytes = new Uint8Array(this.#words.buffer);
  }

  get size(): number {
    return this.#index.size;
  }

  /** Words in use, which is what a table needs that everything is moved to. */
  get liveWords(): number {
    return this.#liveWords;
  }

  /** True when so much of the table is free that the owner should move to a smaller one. */
  get isSparse(): boolean {
    return this.#words.length > WORDS_MIN && this.#liveWords * 4 < this.#words.length;
  }

  /** Bytes allocated, for tests and statistics. */
  get capacityBytes(): number {
    return this.#words.byteLength + this.#index.entries.byteLength;
  }

  /** Finds the id of a level; 0 when it is not here. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.#find(bytes, start, end, hashBytes(bytes, start, end, this.seed));
  }

  /** Finds or adds a level, and counts one more reference to it. */
  acquire(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashBytes(bytes, start, end, this.seed);
    let id = this.#find(bytes, start, end, hash);
    if (id === 0) {
      const length = end - start;
      id = this.#allocate(HEADER_WORDS + ((length + 3) >> 2));
      const words = this.#words;
      words[id + REFERENCES] = 0;
      words[id + HASH] = hash;
      words[id + LENGTH] = length;
      const at = (id + HEADER_WORDS) << 2;
      for (let i = 0; i < length; i++) this.#bytes[at + i] = bytes[start + i]!;
      this.#index.insert(id, hash);
    }
    this.#words[id + REFERENCES]!++;
    return id;
  }

  /** Counts one reference less; the last one takes the level with it. */
  release(id: number): void {
    const words = this.#words;
    if (--words[id + REFERENCES]! > 0) return;
    this.#index.delete(id, words[id + HASH]!);
    const count = HEADER_WORDS + ((words[id + LENGTH]! + 3) >> 2);
    this.#liveWords -= count;
    if (count > REUSED_WORDS_MAX) return;
    words[id + REFERENCES] = this.#free[count]!;
    this.#free[count] = id;
  }

  /**
   * Acquires in `target` what is level `id` here, and returns the id that it has there. From then
   * on this table is good for more moves only: a moved level's references note where it went.
   */
  moveTo(target: LevelTable, id: number): number {
    const note = this.#words[id + REFERENCES]!;
    if (note < 0) {
      target.#words[REFERENCES - note]!++;
      return -note;
    }
    const at = (id + HEADER_WORDS) << 2;
    const moved = target.acquire(this.#bytes, at, at + this.#words[id + LENGTH]!);
    this.#words[id + REFERENCES] = -moved;
    return moved;
  }

  /** Tells whether a level begins with "$": such a first level is hidden from wildcards. */
  isReserved(id: number): boolean {
    return this.#words[id + LENGTH]! > 0 && this.#bytes[(id + HEADER_WORDS) << 2] === 0x24;
  }

  /** The level as a string. */
  text(id: number): string {
    const at = (id + HEADER_WORDS) << 2;
    // Levels come out of strings that were checked when they came in.
    return decodeUtf8(this.#bytes, at, at + this.#words[id + LENGTH]!)!;
  }

  #find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const index = this.#index;
    const entries = index.entries;
    for (let i = index.first(hash); entries[i] !== 0; i = index.next(i)) {
      if (entries[i + 1] !== hash) continue;
      const id = entries[i]!;
      if (this.#equals(id, bytes, start, end)) return id;
    }
    return 0;
  }

  #equals(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.#words[id + LENGTH] !== length) return false;
    const own = this.#bytes;
    const at = (id + HEADER_WORDS) << 2;
    for (let i = 0; i < length; i++) {
      if (own[at + i] !== bytes[start + i]) return false;
    }
    return true;
  }

  #allocate(count: number): number {
    this.#liveWords += count;
    if (count <= REUSED_WORDS_MAX && this.#free[count] !== 0) {
      const id = this.#free[count]!;
      this.#free[count] = this.#words[id + REFERENCES]!;
      return id;
    }
    const id = this.#top;
    this.#top += count;
    if (this.#top > this.#words.length) {
      const grown = new Int32Array(Math.max(this.#top, this.#words.length * 3 >> 1));
      grown.set(this.#words);
      this.#words = grown;
      this.#bytes = new Uint8Array(grown.buffer);
    }
    return id;
  }
}
