/**
 * A binary min-heap of deadlines. A deadline knows its place in the heap, so moving or removing it
 * costs a logarithm and no search.
 *
 * The idea for cheap timeouts: whoever is active does not touch the heap; the deadline fires, its
 * owner looks at when it was last active, and sets it anew. An idle heap is never walked.
 *
 * @module
 */

/** Something that is due at an instant. Owners extend the idea with what to do then. */
export interface Deadline {
  /** Milliseconds on the caller's clock. Change it only through {@linkcode DeadlineHeap.set}. */
  at: number;
  /** The place in the heap, -1 when not in it. Belongs to the heap. */
  heapIndex: number;
}

/** Deadlines ordered by instant; equal instants in no particular order. */
export class DeadlineHeap<T extends Deadline> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The earliest instant, `Infinity` when nothing is due ever. */
  get next(): number {
    return this.#items.length === 0 ? Infinity : this.#items[0]!.at;
  }

  /** Adds the deadline, or moves it if it is there already. */
  set(item: T, at: number): void {
    item.at = at;
    if (item.heapIndex === -1) {
      item.heapIndex = this.#items.length;
      this.#items.push(item);
    }
    this.#sink(this.#rise(item.heapIndex));
  }

  /** Removes the deadline; nothing happens when it is not there. */
  delete(item: T): void {
    const index = item.heapIndex;
    if (index === -1) return;
    const last = this.#items.pop()!;
    item.heapIndex = -1;
    if (last === item) return;
    this.#items[index] = last;
    last.heapIndex = index;
    this.#sink(this.#rise(index));
  }

  /** Takes out the earliest deadline that is due, `undefined` when none is. */
  takeDue(now: number): T | undefined {
    const first = this.#items[0];
    if (first === undefined || first.at > now) return undefined;
    this.delete(first);
    return first;
  }

  #rise(start: number): number {
    const items = this.#items;
    const item = items[start]!;
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (items[parent]!.at <= item.at) break;
      items[index] = items[parent]!;
      items[index]!.heapIndex = index;
      index = parent;
    }
    items[index] = item;
    item.heapIndex = index;
    return index;
  }

  #sink(start: number): void {
    const items = this.#items;
    const item = items[start]!;
    let index = start;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]!.at < items[child]!.at) child++;
      if (items[child]!.at >= item.at) break;
      items[index] = items[child]!;
      items[index]!.heapIndex = index;
      index = child;
    }
    items[index] = item;
    item.heapIndex = index;
  }
}
