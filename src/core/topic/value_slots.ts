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
export const PAGE_SLOTS = 256;
const PAGE_SHIFT = 8;
const PAGE_MASK = PAGE_SLOTS - 1;

/** A slot's links and its owner, in a page's words. */
export const NEXT = 0;
export const PREVIOUS = 1;
export const OWNER = 2;
export const SLOT_WORDS = 3;

/** The words and the values of neighbouring slots. */
export interface SlotPage<T> {
  readonly words: Int32Array;
  readonly values: (T | undefined)[];
  used: number;
  /** Offset of the first free slot, linked by NEXT; -1 when the page is full. */
  free: number;
  isListed: boolean;
}

/** Slots for values. Slot 0 does not exist, so 0 means "none". */
export class ValueSlots<T> {
  /** Pages by number, with holes for those that were given back. */
  readonly pages: (SlotPage<T> | undefined)[] = [];
  size = 0;
  /** Numbers of pages that have room, the one to use next at the end; pages given back linger. */
  #roomy: number[] = [];
  readonly #holes: number[] = [];
  #pageCount = 0;

  /** Bytes allocated, for tests and statistics; a value counts as one reference. */
  get capacityBytes(): number {
    return this.#pageCount * PAGE_SLOTS * (SLOT_WORDS * 4 + 8);
  }

  value(slot: number): T | undefined {
    return this.pages[slot >> PAGE_SHIFT]!.values[slot & PAGE_MASK];
  }

  next(slot: number): number {
    return this.pages[slot >> PAGE_SHIFT]!.words[(slot & PAGE_MASK) * SLOT_WORDS]!;
  }

  previous(slot: number): number {
    return this.pages[slot >> PAGE_SHIFT]!.words[(slot & PAGE_MASK) * SLOT_WORDS + PREVIOUS]!;
  }

  owner(slot: number): number {
    return this.pages[slot >> PAGE_SHIFT]!.words[(slot & PAGE_MASK) * SLOT_WORDS + OWNER]!;
  }

  setOwner(slot: number, owner: number): void {
    this.pages[slot >> PAGE_SHIFT]!.words[(slot & PAGE_MASK) * SLOT_WORDS + OWNER] = owner;
  }

  /** Puts a value in front of the list that begins at `head` (0: an empty one); the new head. */
  push(value: T, head: number, owner: number): number {
    const number = this.#pageWithRoom();
    const page = this.pages[number]!;
    const offset = page.free;
    const at = offset * SLOT_WORDS;
    const slot = (number << PAGE_SHIFT) | offset;
    page.free = page.words[at]!;
    page.used++;
    page.values[offset] = value;
    page.words[at] = head;
    page.words[at + PREVIOUS] = 0;
    page.words[at + OWNER] = owner;
    if (head !== 0) this.#link(head, PREVIOUS, slot);
    this.size++;
    return slot;
  }

  /** Takes a slot out of its list. A head's owner has to note the next one first. */
  remove(slot: number): void {
    const next = this.next(slot);
    const previous = this.previous(slot);
    if (next !== 0) this.#link(next, PREVIOUS, previous);
    if (previous !== 0) this.#link(previous, NEXT, next);
    const number = slot >> PAGE_SHIFT;
    const page = this.pages[number]!;
    const offset = slot & PAGE_MASK;
    page.values[offset] = undefined;
    page.words[offset * SLOT_WORDS] = page.free;
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

  #link(slot: number, offset: number, to: number): void {
    this.pages[slot >> PAGE_SHIFT]!.words[(slot & PAGE_MASK) * SLOT_WORDS + offset] = to;
  }

  #pageWithRoom(): number {
    for (;;) {
      const number = this.#roomy[this.#roomy.length - 1];
      if (number === undefined) return this.#addPage();
      const page = this.pages[number];
      if (page !== undefined && page.free >= 0) return number;
      if (page !== undefined) page.isListed = false;
      this.#roomy.pop();
    }
  }

  #addPage(): number {
    const number = this.#holes.pop() ?? this.pages.length;
    const words = new Int32Array(PAGE_SLOTS * SLOT_WORDS);
    // Slot 0 of page 0 is the one that does not exist.
    const first = number === 0 ? 1 : 0;
    for (let i = first; i < PAGE_SLOTS; i++) {
      words[i * SLOT_WORDS] = i + 1 < PAGE_SLOTS ? i + 1 : -1;
    }
    const values: (T | undefined)[] = new Array(PAGE_SLOTS).fill(undefined);
    this.pages[number] = { words, values, used: 0, free: first, isListed: true };
    this.#pageCount++;
    this.#roomy.push(number);
    return number;
  }

  #drop(number: number): void {
    this.pages[number] = undefined;
    this.#pageCount--;
    this.#holes.push(number);
    if (this.#roomy.length <= 2 * this.#pageCount + 16) return;
    this.#roomy = [];
    for (let i = 0; i < this.pages.length; i++) {
      if (this.pages[i]?.isListed) this.#roomy.push(i);
    }
  }
}
