/**
 * An open-addressing index of things that are numbers themselves: each entry is a pair of an id
 * (never 0) and its hash, side by side in one typed array, so that a probe is one cache line. What
 * an id means, and whether two things with one hash are equal, is known to the owner only:
 *
 *     for (let i = index.first(hash); entries[i] !== 0; i = index.next(i)) …
 *
 * Probing is linear; a removed entry is closed up by shifting, so there are no tombstones and the
 * index shrinks with its contents.
 *
 * @module
 */

const BUCKETS_MIN = 16;

/** Ids by hash; several ids may have one hash. */
export class HashIndex {
  /** Pairs of id and hash; read by the owner's probe, written here only, replaced on resizing. */
  entries: Int32Array;
  size = 0;
  /** Clears the lowest bit, and what is beyond the end, of a position in `entries`. */
  #mask: number;

  /** Makes an index with room for so many entries. */
  constructor(count: number = 0) {
    let buckets = BUCKETS_MIN;
    while (count * 3 >= buckets * 2) buckets *= 2;
    this.entries = new Int32Array(buckets * 2);
    this.#mask = buckets * 2 - 2;
  }

  /** The position at which a probe for `hash` begins. */
  first(hash: number): number {
    return (hash << 1) & this.#mask;
  }

  /** The position that a probe visits after `position`. */
  next(position: number): number {
    return (position + 2) & this.#mask;
  }

  insert(id: number, hash: number): void {
    // At most two thirds full, at least a sixth: see delete().
    if (this.size * 3 >= this.entries.length) this.#resize(this.entries.length * 2);
    this.size++;
    this.#place(id, hash);
  }

  /** Removes an entry that is there. */
  delete(id: number, hash: number): void {
    const entries = this.entries;
    let hole = this.first(hash);
    while (entries[hole] !== id) hole = this.next(hole);
    for (let i = this.next(hole); entries[i] !== 0; i = this.next(i)) {
      const home = this.first(entries[i + 1]!);
      // An entry may move back into the hole unless its home lies behind the hole.
      if (((i - home) & this.#mask) < ((i - hole) & this.#mask)) continue;
      entries[hole] = entries[i]!;
      entries[hole + 1] = entries[i + 1]!;
      hole = i;
    }
    entries[hole] = 0;
    this.size--;
    if (this.size * 12 < entries.length && entries.length > BUCKETS_MIN * 2) {
      this.#resize(entries.length >> 1);
    }
  }

  #resize(length: number): void {
    const old = this.entries;
    this.entries = new Int32Array(length);
    this.#mask = length - 2;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i] !== 0) this.#place(old[i]!, old[i + 1]!);
    }
  }

  #place(id: number, hash: number): void {
    const entries = this.entries;
    let i = this.first(hash);
    while (entries[i] !== 0) i = this.next(i);
    entries[i] = id;
    entries[i + 1] = hash;
  }
}

/**
 * Hashes the bytes from `start` up to `end`. The seed makes it hard for a stranger to choose names
 * that collide; whoever assembles the broker draws it.
 */
export function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed ^ (end - start);
  let i = start;
  for (const last = end - 4; i <= last; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  if (i < end) {
    let word = bytes[i]!;
    if (i + 1 < end) word |= bytes[i + 1]! << 8;
    if (i + 2 < end) word |= bytes[i + 2]! << 16;
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash, 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

/** Hashes a pair of numbers. */
export function hashPair(left: number, right: number): number {
  let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 13);
}
