/**
 * Topics stored, filters looked up: which retained messages does a new subscription get? The mirror
 * image of `filter_trie.ts`, on the same tree; here the children of a node are linked, because a
 * wildcard has to walk through all of them. Everything is iterative: a topic may be as deep as it
 * is long.
 *
 * @module
 */

import { LEVEL, LevelTree, PARENT } from "./level_tree.ts";
import { TextBytes } from "./text_bytes.ts";

const FIRST_CHILD = 3;
const NEXT_SIBLING = 4;
const PREVIOUS_SIBLING = 5;
const RECORD_WORDS = 6;

const NUMBER_SIGN = 0x23;
const PLUS_SIGN = 0x2b;
const SLASH = 0x2f;

const REACHED_MIN = 256;
/** More memory than this is not kept after the look-up that needed it. */
const REACHED_MAX = 4096;

/** Settings of a {@linkcode TopicTrie}. */
export interface TopicTrieOptions {
  /** Chance, drawn by whoever assembles the broker, against names chosen to collide. */
  readonly seed?: number;
}

/** How large a trie is; `capacityBytes` is what it allocated, whether or not in use. */
export interface TopicTrieStats {
  readonly values: number;
  readonly nodes: number;
  readonly levels: number;
  readonly capacityBytes: number;
}

/** One value for each topic. */
export class TopicTrie<V extends object> {
  readonly #options: TopicTrieOptions;
  #tree: LevelTree;
  /** Values by number of their node, which is its id divided by the words of a record. */
  #values: (V | undefined)[] = [];
  #size = 0;
  readonly #text: TextBytes = new TextBytes();
  #reached: Int32Array = new Int32Array(REACHED_MIN);
  #reachedNext: Int32Array = new Int32Array(REACHED_MIN);

  constructor(options: TopicTrieOptions = {}) {
    this.#options = options;
    this.#tree = newTree(options);
  }

  /** How many topics have a value. */
  get size(): number {
    return this.#size;
  }

  stats(): TopicTrieStats {
    return {
      values: this.#size,
      nodes: this.#tree.count,
      levels: this.#tree.levels.size,
      capacityBytes: this.#tree.capacityBytes + this.#values.length * 8 +
        this.#text.bytes.byteLength + this.#reached.byteLength + this.#reachedNext.byteLength,
    };
  }

  /** Stores the value of a valid topic; what it replaced. */
  set(topic: string, value: V): V | undefined {
    const end = this.#text.encode(topic);
    return this.setBytes(this.#text.bytes, 0, end, value);
  }

  /** As `set`, for a topic that is there as bytes. */
  setBytes(bytes: Uint8Array, start: number, end: number, value: V): V | undefined {
    let node = this.#tree.root;
    for (let at = start;;) {
      const levelEnd = endOfLevel(bytes, at, end);
      node = this.#tree.childAt(node, bytes, at, levelEnd) ||
        this.#addChild(node, bytes, at, levelEnd);
      if (levelEnd === end) break;
      at = levelEnd + 1;
    }
    const number = node / RECORD_WORDS;
    const replaced = this.#values[number];
    this.#values[number] = value;
    if (replaced === undefined) this.#size++;
    return replaced;
  }

  /** The value of a topic. */
  get(topic: string): V | undefined {
    const node = this.#find(topic);
    return node === 0 ? undefined : this.#values[node / RECORD_WORDS];
  }

  /** Removes the value of a topic; what it was. */
  delete(topic: string): V | undefined {
    const node = this.#find(topic);
    const removed = node === 0 ? undefined : this.#values[node / RECORD_WORDS];
    if (removed === undefined) return undefined;
    this.#values[node / RECORD_WORDS] = undefined;
    this.#size--;
    this.#prune(node);
    return removed;
  }

  /**
   * Appends to `out` the values of the `count` nodes before a position; the position to go on from,
   * 0 at the end. It begins with `Infinity` and goes backwards: when others are deleted between two
   * steps, what has not been seen moves down and is seen all the same.
   */
  scan(before: number, count: number, out: V[]): number {
    const values = this.#values;
    const end = Math.min(values.length, before);
    const start = Math.max(0, end - count);
    for (let number = start; number < end; number++) {
      const value = values[number];
      if (value !== undefined) out.push(value);
    }
    return start;
  }

  clear(): void {
    this.#tree = newTree(this.#options);
    this.#values = [];
    this.#size = 0;
  }

  /** Appends to `out` the values of all topics that a valid filter matches. */
  match(filter: string, out: V[]): void {
    const end = this.#text.encode(filter);
    const bytes = this.#text.bytes;
    const tree = this.#tree;
    let reached = this.#reached;
    let reachedNext = this.#reachedNext;
    let count = 1;
    reached[0] = tree.root;
    for (let at = 0; count > 0;) {
      const levelEnd = endOfLevel(bytes, at, end);
      const wildcard = levelEnd - at === 1 ? bytes[at] : 0;
      if (wildcard === NUMBER_SIGN && levelEnd === end) {
        for (let i = 0; i < count; i++) this.#appendSubtree(reached[i]!, out);
        count = 0;
        break;
      }
      let countNext = 0;
      if (wildcard === PLUS_SIGN) {
        for (let i = 0; i < count; i++) {
          const nodes = tree.nodes;
          const parent = reached[i]!;
          for (let child = nodes[parent + FIRST_CHILD]!; child !== 0;) {
            if (!this.#isHidden(child)) {
              if (countNext === reachedNext.length) reachedNext = doubled(reachedNext);
              reachedNext[countNext++] = child;
            }
            child = nodes[child + NEXT_SIBLING]!;
          }
        }
      } else {
        const level = tree.levels.find(bytes, at, levelEnd);
        if (reachedNext.length < count) reachedNext = new Int32Array(reached.length);
        for (let i = 0; i < count && level !== 0; i++) {
          const child = tree.child(reached[i]!, level);
          if (child !== 0) reachedNext[countNext++] = child;
        }
      }
      const swapped = reached;
      reached = reachedNext;
      reachedNext = swapped;
      count = countNext;
      if (levelEnd === end) break;
      at = levelEnd + 1;
    }
    for (let i = 0; i < count; i++) this.#append(reached[i]!, out);
    this.#reached = reached.length > REACHED_MAX ? new Int32Array(REACHED_MIN) : reached;
    this.#reachedNext = reachedNext.length > REACHED_MAX
      ? new Int32Array(REACHED_MIN)
      : reachedNext;
  }

  /** Wildcards at the front do not see what belongs to the server [MQTT-4.7.2-1]. */
  #isHidden(node: number): boolean {
    const { nodes, root, levels } = this.#tree;
    return nodes[node + PARENT] === root && levels.isReserved(nodes[node + LEVEL]!);
  }

  /** Appends the values at a node and below: "#" includes the parent level. */
  #appendSubtree(top: number, out: V[]): void {
    const nodes = this.#tree.nodes;
    this.#append(top, out);
    let node = nodes[top + FIRST_CHILD]!;
    while (node !== 0) {
      const isHidden = this.#isHidden(node);
      if (!isHidden) this.#append(node, out);
      let next = isHidden ? 0 : nodes[node + FIRST_CHILD]!;
      while (next === 0) {
        next = nodes[node + NEXT_SIBLING]!;
        if (next !== 0) break;
        node = nodes[node + PARENT]!;
        if (node === top) return;
      }
      node = next;
    }
  }

  #append(node: number, out: V[]): void {
    const value = this.#values[node / RECORD_WORDS];
    if (value !== undefined) out.push(value);
  }

  #find(topic: string): number {
    const end = this.#text.encode(topic);
    const bytes = this.#text.bytes;
    let node = this.#tree.root;
    for (let at = 0;;) {
      const levelEnd = endOfLevel(bytes, at, end);
      node = this.#tree.childAt(node, bytes, at, levelEnd);
      if (node === 0 || levelEnd === end) return node;
      at = levelEnd + 1;
    }
  }

  #addChild(parent: number, bytes: Uint8Array, start: number, end: number): number {
    const tree = this.#tree;
    const node = tree.addChild(parent, bytes, start, end);
    const nodes = tree.nodes;
    const sibling = nodes[parent + FIRST_CHILD]!;
    nodes[parent + FIRST_CHILD] = node;
    nodes[node + NEXT_SIBLING] = sibling;
    if (sibling !== 0) nodes[sibling + PREVIOUS_SIBLING] = node;
    // The array of values stays without holes: ids are given out in order.
    while (this.#values.length <= node / RECORD_WORDS) this.#values.push(undefined);
    return node;
  }

  /** Releases a node that nothing hangs on, then its parent if that was all it was there for. */
  #prune(from: number): void {
    const tree = this.#tree;
    const nodes = tree.nodes;
    for (let node = from; node !== tree.root;) {
      if (this.#values[node / RECORD_WORDS] !== undefined) break;
      if (nodes[node + FIRST_CHILD] !== 0) break;
      const parent = nodes[node + PARENT]!;
      const next = nodes[node + NEXT_SIBLING]!;
      const previous = nodes[node + PREVIOUS_SIBLING]!;
      if (next !== 0) nodes[next + PREVIOUS_SIBLING] = previous;
      if (previous !== 0) nodes[previous + NEXT_SIBLING] = next;
      else nodes[parent + FIRST_CHILD] = next;
      tree.release(node);
      node = parent;
    }
    if (tree.isSparse) this.#compact();
  }

  #compact(): void {
    const moved = this.#tree.compact();
    const values: (V | undefined)[] = [];
    // Moved nodes keep their order, so the values only close up.
    for (let number = 0; number < moved.length; number++) {
      if (number === 0 || moved[number] !== 0) values.push(this.#values[number]);
    }
    this.#values = values;
  }
}

function newTree(options: TopicTrieOptions): LevelTree {
  return new LevelTree(
    RECORD_WORDS,
    [FIRST_CHILD, NEXT_SIBLING, PREVIOUS_SIBLING],
    options.seed ?? 0,
  );
}

function endOfLevel(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== SLASH) at++;
  return at;
}

function doubled(array: Int32Array): Int32Array {
  const grown = new Int32Array(array.length * 2);
  grown.set(array);
  return grown;
}
