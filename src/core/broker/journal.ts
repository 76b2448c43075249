/**
 * The changes that have been recorded and are not in the store yet. Each has a number, counted from
 * the first one on, so "is it durable?" is a comparison: what must not leave before a change is
 * committed notes the number of that change, and nothing else.
 *
 * What has not been taken by the store can still be withdrawn: a delivery that begins and ends
 * between two commits, or a retained message that another one replaces, leaves no record at all.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import type { Change } from "./change.ts";

/** What a change takes up beside its message, roughly. */
const CHANGE_BYTES = 128;

/** What a store is to commit at once. */
export interface Batch {
  readonly changes: readonly Change[];
  /** The number of the last change that is durable then. */
  readonly upTo: number;
}

export class Journal {
  /** The number of the last change. */
  recorded = 0;
  /** The number of the last change that the store was given. */
  taken = 0;
  /** The number of the last change that is durable. */
  committed = 0;
  /** How many changes were recorded or withdrawn: as long as it grows, more is on its way. */
  activity = 0;
  /** So much is recorded and not durable that nobody should add to it. */
  isFull = false;
  #pending: (Change | undefined)[] = [];
  #withdrawn = 0;
  /** The last change for whose commit somebody waits. */
  #due = 0;
  #pendingBytes = 0;
  #takenBytes = 0;
  #bytesMax: number;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  set bytesMax(bytes: number) {
    this.#bytesMax = bytes;
    this.#measure();
  }

  /** Whether there is something to commit, and reason to do so now. */
  get isDue(): boolean {
    return this.#due > this.taken || (this.isFull && this.hasPending);
  }

  /** Whether there is something that the store was not given. */
  get hasPending(): boolean {
    return this.recorded > this.taken;
  }

  /** Notes a change, which may come to the store together with later ones; its number. */
  record(change: Change): number {
    this.#pending.push(change);
    this.#pendingBytes += bytesOf(change);
    this.#measure();
    this.activity++;
    return ++this.recorded;
  }

  /** Somebody waits for all that is recorded by now, so it is due; gives the last number. */
  urge(): number {
    this.#due = this.recorded;
    return this.#due;
  }

  /** Takes a change back that the store was not given; `undefined` when it is too late. */
  withdraw(number: number): Change | undefined {
    if (number <= this.taken) return undefined;
    const index = number - this.taken - 1;
    const change = this.#pending[index];
    assert(change !== undefined, "A change was withdrawn twice");
    this.#pending[index] = undefined;
    this.#withdrawn++;
    this.activity++;
    this.#pendingBytes -= bytesOf(change);
    this.#measure();
    return change;
  }

  /** Gives all that is pending to the store; not before what it was given last is durable. */
  take(): Batch {
    assert(this.taken === this.committed, "A store was given a batch before it was done with one");
    const pending = this.#pending;
    const changes = this.#withdrawn === 0
      ? pending
      : pending.filter((change) => change !== undefined);
    this.#pending = [];
    this.#withdrawn = 0;
    this.taken = this.recorded;
    this.#takenBytes = this.#pendingBytes;
    this.#pendingBytes = 0;
    // Without those that were withdrawn there are none but changes.
    return { changes: changes as Change[], upTo: this.taken };
  }

  /** What the store was given is durable. */
  settle(): void {
    this.committed = this.taken;
    this.#takenBytes = 0;
    this.#measure();
  }

  #measure(): void {
    this.isFull = this.#pendingBytes + this.#takenBytes > this.#bytesMax;
  }
}

function bytesOf(change: Change): number {
  switch (change.kind) {
    case "delivery-queued":
      return CHANGE_BYTES + change.delivery.message.keptBytes;
    case "delivery-sent":
      return change.wasQueued ? CHANGE_BYTES : CHANGE_BYTES + change.delivery.message.keptBytes;
    case "retained-set":
    case "undecided-will-set":
      return CHANGE_BYTES + change.message.keptBytes;
    case "will-set":
      return CHANGE_BYTES + change.will.message.keptBytes;
    default:
      return CHANGE_BYTES;
  }
}
