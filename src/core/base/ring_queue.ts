/**
 * A first-in, first-out queue in one array that wraps around. It grows by doubling, shrinks when it
 * has become mostly empty, and one that was never used holds no array at all. Its owner enforces
 * the bound.
 *
 * @module
 */

import { assert } from "./assert.ts";

const CAPACITY_MIN = 8;
/** What every empty queue has; nothing is ever put into it. */
const EMPTY: never[] = [];

/** A queue whose `push` and `shift` cost the same at any length. */
export class RingQueue<T> {
  #items: (T | undefined)[] = EMPTY;
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Appends at the end. */
  push(item: T): void {
    if (this.#length === this.#items.length) {
      this.#resize(Math.max(CAPACITY_MIN, this.#length * 2));
    }
    this.#items[(this.#head + this.#length) & (this.#items.length - 1)] = item;
    this.#length++;
  }

  /** The item at the front, `undefined` when empty. */
  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#items[this.#head];
  }

  /** The item at a distance from the front. */
  at(index: number): T {
    assert(index >= 0 && index < this.#length, "RingQueue index out of range");
    return this.#items[(this.#head + index) & (this.#items.length - 1)]!;
  }

  /** Takes the item at the front, `undefined` when empty. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.#length--;
    if (this.#length === 0) {
      if (this.#items.length > CAPACITY_MIN) this.#items = EMPTY;
      this.#head = 0;
    } else if (this.#items.length > CAPACITY_MIN && this.#length <= this.#items.length >> 3) {
      this.#resize(this.#items.length >> 1);
    }
    return item;
  }

  /** Keeps the items for which `keep` is true, in order. */
  retain(keep: (item: T) => boolean): void {
    for (let left = this.#length; left > 0; left--) {
      const item = this.shift()!;
      if (keep(item)) this.push(item);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#items = EMPTY;
    this.#head = 0;
    this.#length = 0;
  }

  #resize(capacity: number): void {
    const items = new Array<T | undefined>(capacity);
    for (let i = 0; i < this.#length; i++) {
      items[i] = this.#items[(this.#head + i) & (this.#items.length - 1)];
    }
    this.#items = items;
    this.#head = 0;
  }
}
