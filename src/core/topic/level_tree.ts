/**
 * The tree under both tries: nodes are records in one array of words, a node's id is where its
 * record lies, and one hash index for the whole tree leads from (parent, level) to the child. Words
 * 0 to 2 of a record are kept here; the rest belongs to the trie that owns the tree, and is 0 in a
 * new node.
 *
 * Nodes are released one by one into a free list. When most of the memory is free, `isSparse` tells
 * the owner, who calls `compact` and renumbers whatever ids it keeps outside the tree.
 *
 * @module
 */

import { HashIndex, hashPair } from "./hash_index.ts";
import { LevelTable } from "./level_table.ts";

/** Offsets in a node's record. */
export const PARENT = 0;
/** Id of the level that leads here from the parent; 0 when the owner linked the node itself. */
export const LEVEL = 1;
/** How many children the index leads to. */
export const CHILDREN = 2;

const FREE = -1;
const NODES_MIN = 64;

/** Nodes joined by levels. Node 0 does not exist, so 0 means "none" everywhere. */
export class LevelTree {
  readonly root: number;
  levels: LevelTable;
  /** All records; read freely, replaced whenever the tree grows or is compacted. */
  nodes: Int32Array;
  #index: HashIndex = new HashIndex();
  readonly #recordWords: number;
  readonly #linkOffsets: readonly number[];
  #count = 0;
  #top: number;
  #free = 0;

  /** Records take `recordWords`; `linkOffsets` names the owner's words that hold ids of nodes. */
  constructor(recordWords: number, linkOffsets: readonly number[], seed: number) {
    this.#recordWords = recordWords;
    this.#linkOffsets = linkOffsets;
    this.levels = new LevelTable(seed);
    this.nodes = new Int32Array(NODES_MIN * recordWords);
    this.root = recordWords;
    this.#top = recordWords;
    this.allocate(0, 0);
  }

  /** Nodes in use, the root among them. */
  get count(): number {
    return this.#count;
  }

  /** True when so much is free that the owner should compact. */
  get isSparse(): boolean {
    const capacity = this.nodes.length / this.#recordWords;
    return (capacity > NODES_MIN && this.#count * 4 < capacity) || this.levels.isSparse;
  }

  /** Bytes allocated, for tests and statistics. */
  get capacityBytes(): number {
    return this.nodes.byteLength + this.#index.entries.byteLength + this.levels.capacityBytes;
  }

  /** Finds the child of `parent` at a level; 0 when there is none. */
  child(parent: number, level: number): number {
    const hash = hashPair(parent, level);
    const index = this.#index;
    const entries = index.entries;
    const nodes = this.nodes;
    for (let i = index.first(hash); entries[i] !== 0; i = index.next(i)) {
      if (entries[i + 1] !== hash) continue;
      const node = entries[i]!;
      if (nodes[node] === parent && nodes[node + LEVEL] === level) return node;
    }
    return 0;
  }

  /** Finds the child of `parent` at the level spelled by `bytes`; 0 when there is none. */
  childAt(parent: number, bytes: Uint8Array, start: number, end: number): number {
    if (this.nodes[parent + CHILDREN] === 0) return 0;
    const level = this.levels.find(bytes, start, end);
    return level === 0 ? 0 : this.child(parent, level);
  }

  /** Adds a child that is not there yet. */
  addChild(parent: number, bytes: Uint8Array, start: number, end: number): number {
    const level = this.levels.acquire(bytes, start, end);
    const node = this.allocate(parent, level);
    this.nodes[parent + CHILDREN]!++;
    this.#index.insert(node, hashPair(parent, level));
    return node;
  }

  /** Makes a node that the index does not lead to, unless the caller sees to it. */
  allocate(parent: number, level: number): number {
    this.#count++;
    let node = this.#free;
    if (node !== 0) {
      this.#free = this.nodes[node]!;
      this.nodes.fill(0, node, node + this.#recordWords);
    } else {
      node = this.#top;
      this.#top += this.#recordWords;
      if (this.#top > this.nodes.length) this.#grow();
    }
    this.nodes[node] = parent;
    this.nodes[node + LEVEL] = level;
    return node;
  }

  /** Releases a node without children; whatever the owner linked to it is unlinked already. */
  release(node: number): void {
    const nodes = this.nodes;
    const parent = nodes[node]!;
    const level = nodes[node + LEVEL]!;
    if (level !== 0) {
      this.#index.delete(node, hashPair(parent, level));
      this.levels.release(level);
      nodes[parent + CHILDREN]!--;
    }
    nodes[node] = this.#free;
    nodes[node + LEVEL] = FREE;
    this.#free = node;
    this.#count--;
  }

  /**
   * Moves all nodes and levels into arrays of the size that they need. Returns the new id of each
   * node at the index of its old id divided by the words of a record.
   */
  compact(): Int32Array {
    const old = this.nodes;
    const words = this.#recordWords;
    const moved = new Int32Array(this.#top / words);
    let top = words;
    for (let node = words; node < this.#top; node += words) {
      if (old[node + LEVEL] === FREE) continue;
      moved[node / words] = top;
      top += words;
    }
    const nodes = new Int32Array(Math.max(NODES_MIN * words, withSlack(top / words) * words));
    const levels = new LevelTable(
      this.levels.seed,
      withSlack(this.levels.liveWords),
      this.levels.size,
    );
    const index = new HashIndex(this.#index.size);
    for (let from = words; from < this.#top; from += words) {
      const node = moved[from / words]!;
      if (node === 0) continue;
      for (let i = 0; i < words; i++) nodes[node + i] = old[from + i]!;
      for (const offset of this.#linkOffsets) {
        nodes[node + offset] = moved[old[from + offset]! / words]!;
      }
      const parent = moved[old[from]! / words]!;
      nodes[node] = parent;
      if (old[from + LEVEL] === 0) continue;
      const level = this.levels.moveTo(levels, old[from + LEVEL]!);
      nodes[node + LEVEL] = level;
      index.insert(node, hashPair(parent, level));
    }
    this.nodes = nodes;
    this.levels = levels;
    this.#index = index;
    this.#top = top;
    this.#free = 0;
    return moved;
  }

  #grow(): void {
    const words = this.#recordWords;
    const grown = new Int32Array(withSlack(this.#top / words) * words);
    grown.set(this.nodes);
    this.nodes = grown;
  }
}

/** Half as much again while small; a quarter when that is already a lot. */
function withSlack(count: number): number {
  return count + (count >> (count < 0x10000 ? 1 : 2));
}
