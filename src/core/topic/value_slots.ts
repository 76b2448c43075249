/**
 * Values in doubly linked lists, many lists in one store. A place for a value is a *slot*, a number
 * that its owner keeps and that never changes, because the value's remover comes with it.
 *
 * Slots live in pages: the store grows without copying, and a page whose values are all gone is
 * given back, whatever the order of removal. One empty page is kept, so that a subscriber who comes
 * and goes does not make and drop a page each time.
 *
 * @module
 */

/** Slots per page. */
const PAGE_SLOTS = 1024;
const PAGE_SHIFT = 10;
const PAGE_MASK = PAGE_SLOTS - 1;

/** Offsets in a page's words, of which a slot has two. */
const PREVIOUS = 0;
const OWNER = 1;

/** Neighbouring slots. */
interface SlotPage<T> {
  /**
   * Each slot's value, or `undefined`, and after it the next slot of its list: side by side,
   * because going through a list that is in no cache then waits once for each value. In a free
   * slot, the offset of the next free one, or -1.
   */
  readonly entries: (T | number | undefined)[];
  readonly words: Int32Array;
  used: number;
  /** Offset of the first free slot; -1 when the page is full. */
  free: number;
  isListed: boolean;
}

/** Slots for values. Slot 0 does not exist, so 0 means "none". */
export class ValueSlots<T extends object> {
  /** Pages by number, with holes for those that were given back. */
  readonly #pages: (SlotPage<T> | undefined)[] = [];
  size = 0;
  /** Numbers of pages that have room, the one to use next at the end; pages given back linger. */
  #roomy: number[] = [];
  readonly #holes: number[] = [];
  #pageCount = 0;

  /** Bytes allocated, for tests and statistics; an entry counts as one reference. */
  get capacityBytes(): number {
    return this.#pageCount * PAGE_SLOTS * (2 * 8 + 2 * 4);
  }

  // The casts below are true because even entries are values and odd ones are numbers.

  /** The value in a slot that is in use. */
  value(slot: number): T {
    return this.#pages[slot >> PAGE_SHIFT]!.entries[(slot & PAGE_MASK) << 1] as T;
  }

  next(slot: number): number {
    return this.#pages[slot >> PAGE_SHIFT]!.entries[((slot & PAGE_MASK) << 1) + 1] as number;
  }

  previous(slot: number): number {
    return this.#pages[slot >> PAGE_SHIFT]!.words[((slot & PAGE_MASK) << 1) + PREVIOUS]!;
  }

  owner(slot: number): number {
    return this.#pages[slot >> PAGE_SHIFT]!.words[((slot & PAGE_MASK) << 1) + OWNER]!;
  }

  setOwner(slot: number, owner: number): void {
    this.#pages[slot >> PAGE_SHIFT]!.words[((slot & PAGE_MASK) << 1) + OWNER] = owner;
  }

  /** Appends to `out` the values of the list that begins at `head`. */
  append(head: number, out: T[]): void {
    const pages = this.#pages;
    for (let slot = head; slot !== 0;) {
      const { entries } = pages[slot >> PAGE_SHIFT]!;
      const at = (slot & PAGE_MASK) << 1;
      out.push(entries[at] as T);
      slot = entries[at + 1] as number;
    }
  }

  /** Calls `visitor` with each slot in use. */
  visit(visitor: (slot: number, value: T) => void): void {
    for (let number = 0; number < this.#pages.length; number++) {
      const page = this.#pages[number];
      if (page === undefined) continue;
      for (let offset = 0; offset < PAGE_SLOTS; offset++) {
        const value = page.entries[offset << 1];
        if (value !== undefined) visitor((number << PAGE_SHIFT) | offset, value as T);
      }
    }
  }

  /** Puts a value in front of the list that begins at `head` (0: an empty one); the new head. */
  push(value: T, head: number, owner: number): number {
    const number = this.#pageWithRoom();
    const page = this.#pages[number]!;
    const offset = page.free;
    const at = offset << 1;
    const slot = (number << PAGE_SHIFT) | offset;
    page.free = page.entries[at + 1] as number;
    page.used++;
    page.entries[at] = value;
    page.entries[at + 1] = head;
    page.words[at + PREVIOUS] = 0;
    page.words[at + OWNER] = owner;
    if (head !== 0) this.#linkBack(head, slot);
    this.size++;
    return slot;
  }

  /** Takes a slot out of its list. A head's owner has to note the next one first. */
  remove(slot: number): void {
    const next = this.next(slot);
    const previous = this.previous(slot);
    if (next !== 0) this.#linkBack(next, previous);
    if (previous !== 0) {
      this.#pages[previous >> PAGE_SHIFT]!.entries[((previous & PAGE_MASK) << 1) + 1] = next;
    }
    const number = slot >> PAGE_SHIFT;
    const page = this.#pages[number]!;
    const offset = slot & PAGE_MASK;
    page.entries[offset << 1] = undefined;
    page.entries[(offset << 1) + 1] = page.free;
    page.free = offset;
    page.used--;
    this.size--;
    if (page.used === 0 && this.#pageCount * PAGE_SLOTS - this.size > 2 * PAGE_SLOTS) {
      this.#drop(number);
    } else if (!page.isListed) {
      page.isListed = true;
      this.#roomy.push(number);
    }
  }

  #linkBack(slot: number, to: number): void {
    this.#pages[slot >> PAGE_SHIFT]!.words[((slot & PAGE_MASK) << 1) + PREVIOUS] = to;
  }

  #pageWithRoom(): number {
    for (;;) {
      const number = this.#roomy[this.#roomy.length - 1];
      if (number === undefined) return this.#addPage();
      const page = this.#pages[number];
      if (page !== undefined && page.free >= 0) return number;
      if (page !== undefined) page.isListed = false;
      this.#roomy.pop();
    }
  }

  #addPage(): number {
    const number = this.#holes.pop() ?? this.#pages.length;
    const entries: (T | number | undefined)[] = new Array(PAGE_SLOTS * 2).fill(undefined);
    for (let offset = 0; offset < PAGE_SLOTS; offset++) {
      entries[(offset << 1) + 1] = offset + 1 < PAGE_SLOTS ? offset + 1 : -1;
    }
    const words = new Int32Array(PAGE_SLOTS * 2);
    // Slot 0 of page 0 is the one that does not exist.
    const free = number === 0 ? 1 : 0;
    this.#pages[number] = { entries, words, used: 0, free, isListed: true };
    this.#pageCount++;
    this.#roomy.push(number);
    return number;
  }

  #drop(number: number): void {
    this.#pages[number] = undefined;
    this.#pageCount--;
    this.#holes.push(number);
    if (this.#roomy.length <= 2 * this.#pageCount + 16) return;
    this.#roomy = [];
    for (let i = 0; i < this.#pages.length; i++) {
      if (this.#pages[i]?.isListed) this.#roomy.push(i);
    }
  }
}
