/**
 * Filters stored, topics looked up: which subscribers does a topic reach? A node stands for the
 * levels of a filter up to it. "+" is a child like any other, but linked directly; "#" is no child
 * at all, it is a second list of values at its parent, which is reached by the parent level itself
 * and everything below.
 *
 * A look-up walks level by level with the set of all nodes reached so far. So it is as long as the
 * topic, as wide as there are filters that still may match, needs no stack, and finds each level's
 * id from the topic's bytes at most once. It makes no string and allocates nothing.
 *
 * @module
 */

import { CHILDREN, LEVEL, LevelTree, PARENT } from "./level_tree.ts";
import { TextBytes } from "./text_bytes.ts";
import { ValueSlots } from "./value_slots.ts";

/** The child for "+", which is not in the tree's index. */
const PLUS = 3;
/** Head of the list of values whose filter ends here. */
const ENDING = 4;
/** Head of the list of values whose filter goes on with "#". */
const BELOW = 5;
const RECORD_WORDS = 6;

const NUMBER_SIGN = 0x23;
const DOLLAR_SIGN = 0x24;
const PLUS_SIGN = 0x2b;
const SLASH = 0x2f;

const REACHED_MIN = 256;
/** More memory than this is not kept after the look-up that needed it. */
const REACHED_MAX = 4096;

/** Settings of a {@linkcode FilterTrie}. */
export interface FilterTrieOptions {
  /** Chance, drawn by whoever assembles the broker, against names chosen to collide. */
  readonly seed?: number;
}

/** How large a trie is; `capacityBytes` is what it allocated, whether or not in use. */
export interface FilterTrieStats {
  readonly values: number;
  readonly nodes: number;
  readonly levels: number;
  readonly capacityBytes: number;
}

/** Values under filters; one filter may have many. */
export class FilterTrie<T extends object> {
  readonly #tree: LevelTree;
  readonly #slots: ValueSlots<T> = new ValueSlots();
  readonly #text: TextBytes = new TextBytes();
  #reached: Int32Array = new Int32Array(REACHED_MIN);
  #reachedNext: Int32Array = new Int32Array(REACHED_MIN);

  constructor(options: FilterTrieOptions = {}) {
    this.#tree = new LevelTree(RECORD_WORDS, [PLUS], options.seed ?? 0);
  }

  /** How many values are stored. */
  get size(): number {
    return this.#slots.size;
  }

  stats(): FilterTrieStats {
    return {
      values: this.#slots.size,
      nodes: this.#tree.count,
      levels: this.#tree.levels.size,
      capacityBytes: this.#tree.capacityBytes + this.#slots.capacityBytes +
        this.#text.bytes.byteLength + this.#reached.byteLength + this.#reachedNext.byteLength,
    };
  }

  /** Stores a value under a valid filter, once more if it is there already; its slot. */
  add(filter: string, value: T): number {
    const end = this.#text.encode(filter);
    const bytes = this.#text.bytes;
    const tree = this.#tree;
    let node = tree.root;
    let list = ENDING;
    for (let at = 0;;) {
      let levelEnd = at;
      while (levelEnd < end && bytes[levelEnd] !== SLASH) levelEnd++;
      const wildcard = levelEnd - at === 1 ? bytes[at] : 0;
      if (wildcard === NUMBER_SIGN && levelEnd === end) list = BELOW;
      else if (wildcard === PLUS_SIGN) node = this.#plusChild(node);
      else {node = tree.childAt(node, bytes, at, levelEnd) ||
          tree.addChild(node, bytes, at, levelEnd);}
      if (levelEnd === end) break;
      at = levelEnd + 1;
    }
    const slot = this.#slots.push(value, tree.nodes[node + list]!, node + list);
    tree.nodes[node + list] = slot;
    return slot;
  }

  /** Removes what {@linkcode add} stored in a slot. */
  remove(slot: number): void {
    const slots = this.#slots;
    const owner = slots.owner(slot);
    const next = slots.next(slot);
    const isHead = slots.previous(slot) === 0;
    slots.remove(slot);
    if (!isHead) return;
    this.#tree.nodes[owner] = next;
    if (next !== 0) return;
    this.#prune(owner - owner % RECORD_WORDS);
  }

  /** The value in a slot. */
  value(slot: number): T {
    return this.#slots.value(slot);
  }

  /** Appends to `out` the values of all filters that match the topic from `start` to `end`. */
  match(bytes: Uint8Array, start: number, end: number, out: T[]): void {
    const tree = this.#tree;
    const nodes = tree.nodes;
    const slots = this.#slots;
    // Wildcards at the front do not see what belongs to the server [MQTT-4.7.2-1].
    let isHidden = bytes[start] === DOLLAR_SIGN;
    let reached = this.#reached;
    let reachedNext = this.#reachedNext;
    let count = 1;
    reached[0] = tree.root;
    if (!isHidden && nodes[tree.root + BELOW] !== 0) slots.append(nodes[tree.root + BELOW]!, out);
    for (let at = start;;) {
      let levelEnd = at;
      while (levelEnd < end && bytes[levelEnd] !== SLASH) levelEnd++;
      if (reachedNext.length < count * 2) reachedNext = new Int32Array(count * 4);
      let level = -1;
      let countNext = 0;
      for (let i = 0; i < count; i++) {
        const node = reached[i]!;
        if (nodes[node + CHILDREN] !== 0) {
          if (level < 0) level = tree.levels.find(bytes, at, levelEnd);
          const child = level === 0 ? 0 : tree.child(node, level);
          if (child !== 0) {
            reachedNext[countNext++] = child;
            // "#" includes the parent level, so it matches as soon as the parent is reached.
            if (nodes[child + BELOW] !== 0) slots.append(nodes[child + BELOW]!, out);
          }
        }
        const plus = nodes[node + PLUS]!;
        if (plus !== 0 && !isHidden) {
          reachedNext[countNext++] = plus;
          if (nodes[plus + BELOW] !== 0) slots.append(nodes[plus + BELOW]!, out);
        }
      }
      const swapped = reached;
      reached = reachedNext;
      reachedNext = swapped;
      count = countNext;
      if (levelEnd === end || count === 0) break;
      at = levelEnd + 1;
      isHidden = false;
    }
    for (let i = 0; i < count; i++) {
      const head = nodes[reached[i]! + ENDING]!;
      if (head !== 0) slots.append(head, out);
    }
    this.#reached = reached.length > REACHED_MAX ? new Int32Array(REACHED_MIN) : reached;
    this.#reachedNext = reachedNext.length > REACHED_MAX
      ? new Int32Array(REACHED_MIN)
      : reachedNext;
  }

  /**
   * Tells whether any filter could match a topic that begins with these levels and goes on; a slash
   * at the end is not a level of its own.
   */
  reaches(prefix: string): boolean {
    const { nodes, root } = this.#tree;
    const tree = this.#tree;
    let reached = [root];
    let isHidden = prefix.startsWith("$");
    if (!isHidden && nodes[root + BELOW] !== 0) return true;
    for (const level of (prefix.endsWith("/") ? prefix.slice(0, -1) : prefix).split("/")) {
      const end = this.#text.encode(level);
      const next: number[] = [];
      for (const node of reached) {
        const child = tree.childAt(node, this.#text.bytes, 0, end);
        const plus = isHidden ? 0 : nodes[node + PLUS]!;
        if (child !== 0) next.push(child);
        if (plus !== 0) next.push(plus);
      }
      if (next.some((node) => nodes[node + BELOW] !== 0)) return true;
      reached = next;
      isHidden = false;
    }
    return reached.some((node) => nodes[node + CHILDREN] !== 0 || nodes[node + PLUS] !== 0);
  }

  /** Calls `visitor` with every filter and value, in no particular order. */
  visit(visitor: (filter: string, value: T) => void): void {
    this.#slots.visit((slot, value) => visitor(this.filter(slot), value));
  }

  /** Spells the filter of a slot. */
  filter(slot: number): string {
    const { nodes, root, levels } = this.#tree;
    const owner = this.#slots.owner(slot);
    const last = owner - owner % RECORD_WORDS;
    const spelled: string[] = owner - last === BELOW ? ["#"] : [];
    for (let node = last; node !== root; node = nodes[node + PARENT]!) {
      spelled.push(nodes[node + LEVEL] === 0 ? "+" : levels.text(nodes[node + LEVEL]!));
    }
    return spelled.reverse().join("/");
  }

  #plusChild(parent: number): number {
    const tree = this.#tree;
    const plus = tree.nodes[parent + PLUS]!;
    if (plus !== 0) return plus;
    const node = tree.allocate(parent, 0);
    tree.nodes[parent + PLUS] = node;
    return node;
  }

  /** Releases a node that nothing hangs on, then its parent if that was all it was there for. */
  #prune(from: number): void {
    const tree = this.#tree;
    const nodes = tree.nodes;
    for (let node = from; node !== tree.root;) {
      if (nodes[node + ENDING] !== 0 || nodes[node + BELOW] !== 0) break;
      if (nodes[node + PLUS] !== 0 || nodes[node + CHILDREN] !== 0) break;
      const parent = nodes[node + PARENT]!;
      if (nodes[node + LEVEL] === 0) nodes[parent + PLUS] = 0;
      tree.release(node);
      node = parent;
    }
    if (tree.isSparse) this.#compact();
  }

  #compact(): void {
    const tree = this.#tree;
    tree.compact();
    for (let node = tree.root; node <= tree.count * RECORD_WORDS; node += RECORD_WORDS) {
      this.#renumber(node + ENDING);
      this.#renumber(node + BELOW);
    }
  }

  #renumber(owner: number): void {
    const slots = this.#slots;
    for (let slot = this.#tree.nodes[owner]!; slot !== 0; slot = slots.next(slot)) {
      slots.setOwner(slot, owner);
    }
  }
}
