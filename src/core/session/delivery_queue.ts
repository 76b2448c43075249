/**
 * Deliveries that wait for their turn, first in, first out, bounded by count and by bytes. What
 * does not fit is refused: the newest is lost, as Mosquitto's users expect, and never silently.
 *
 * Of a session that a store keeps only the first few may be here; the others are left in the store
 * and count all the same. What is here always stands before what is left, so whoever comes new goes
 * behind both.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import type { QoS } from "../codec/protocol.ts";
import { RingQueue } from "../base/ring_queue.ts";
import type { Delivery } from "./delivery.ts";
import type { StoredMessages } from "./stored_messages.ts";

/** What a delivery takes up beside its message, roughly. */
const DELIVERY_BYTES = 100;

/** Deliveries that are counted and not here. */
export interface LeftDeliveries {
  count: number;
  bytes: number;
  qos0Count: number;
}

/** What all queues share that are here as a whole. */
const NONE_LEFT: LeftDeliveries = Object.freeze({ count: 0, bytes: 0, qos0Count: 0 });

/** The waiting deliveries of one session. */
export class DeliveryQueue {
  readonly #queue = new RingQueue<Delivery>();
  readonly #stored: StoredMessages;
  #bytes = 0;
  #qos0Count = 0;
  #left: LeftDeliveries = NONE_LEFT;
  #leftAfter = 0;
  /** Some of those that are left are on their way back. */
  isLoading = false;

  constructor(stored: StoredMessages) {
    this.#stored = stored;
  }

  /** How many wait, here and in the store. */
  get length(): number {
    return this.#queue.length + this.#left.count;
  }

  /** How many of them are here. */
  get loadedCount(): number {
    return this.#queue.length;
  }

  /** Topic, properties and payload bytes of all that waits. */
  get bytes(): number {
    return this.#bytes + this.#left.bytes;
  }

  /** Those of what is here. */
  get loadedBytes(): number {
    return this.#bytes;
  }

  /** How many of those that wait have QoS 0; what follows them must not overtake them. */
  get qos0Count(): number {
    return this.#qos0Count + this.#left.qos0Count;
  }

  /** Those that are left follow the one of this sequence number. */
  get leftAfter(): number {
    return this.#leftAfter;
  }

  get leftCount(): number {
    return this.#left.count;
  }

  /** Whether one more message fits. Limits of 0 do not limit. */
  hasRoom(messageBytes: number, countMax: number, bytesMax: number): boolean {
    return (countMax === 0 || this.length < countMax) &&
      (bytesMax === 0 || this.bytes + messageBytes <= bytesMax);
  }

  /** Whether one more message may be here, and not only in the store. */
  hasWindow(messageBytes: number, countMax: number, bytesMax: number): boolean {
    return this.#left.count === 0 && this.#queue.length < countMax &&
      this.#bytes + messageBytes <= bytesMax;
  }

  push(delivery: Delivery): void {
    assert(this.#left.count === 0, "A delivery overtook those that are left in the store");
    this.#stored.enterQueue(delivery.message.keptBytes);
    this.#hold(delivery);
  }

  /** Counts a delivery that is in the store and goes behind all others. */
  leave({ message, qos }: Delivery): void {
    this.#stored.leave(message);
    this.#countLeft(1, message.keptBytes, qos === 0 ? 1 : 0);
  }

  /** Counts deliveries that are in the store and go behind all that are here. */
  leaveMany({ count, bytes, qos0Count }: Readonly<LeftDeliveries>): void {
    this.#stored.leaveMany(count);
    this.#countLeft(count, bytes, qos0Count);
  }

  /**
   * Takes in what was left, as the store gives it back; how many were lost, which is what remains
   * counted when it has no more to give.
   */
  load(deliveries: readonly Delivery[]): number {
    for (const delivery of deliveries) {
      const { message, qos, sequence } = delivery;
      this.#takeLeft(sequence, message.keptBytes, qos);
      this.#stored.enterQueue(delivery.message.keptBytes);
      this.#hold(delivery);
    }
    if (deliveries.length > 0) return 0;
    const { count } = this.#left;
    this.#forgetLeft();
    return count;
  }

  /** What stands first is over, here or in the store, as a journal says that is replayed. */
  pass(sequence: number): void {
    if (this.#queue.peek()?.sequence === sequence) {
      this.shift();
    } else if (this.#queue.length === 0 && this.#left.count > 0) {
      // Nobody has seen it, so it counts as one of the average.
      this.#takeLeft(sequence, Math.floor(this.#left.bytes / this.#left.count), 1);
    }
  }

  /** Leaves in the store all that is here; for a session whose every delivery is recorded. */
  unload(): void {
    const first = this.#queue.peek();
    if (first === undefined) return;
    const here = { count: this.#queue.length, bytes: this.#bytes, qos0Count: this.#qos0Count };
    for (const { message } of this) this.#stored.leave(message);
    while (this.shift() !== undefined);
    this.#leftAfter = first.sequence - 1;
    this.#countLeft(here.count, here.bytes, here.qos0Count);
  }

  shift(): Delivery | undefined {
    const delivery = this.#queue.shift();
    if (delivery !== undefined) this.#letGo(delivery);
    return delivery;
  }

  /** The first of those that are here, `undefined` when none is. */
  peek(): Delivery | undefined {
    return this.#queue.peek();
  }

  /** Forgets all that waits. */
  clear(): void {
    while (this.shift() !== undefined);
    this.#forgetLeft();
  }

  /** All that is here, first in first. */
  *[Symbol.iterator](): IterableIterator<Delivery> {
    for (let i = 0; i < this.#queue.length; i++) yield this.#queue.at(i);
  }

  #hold(delivery: Delivery): void {
    const { message, qos, sequence } = delivery;
    this.#bytes += message.keptBytes;
    this.#stored.loadedBytes += message.keptBytes + DELIVERY_BYTES;
    this.#stored.hold(message);
    if (qos === 0) this.#qos0Count++;
    this.#leftAfter = sequence;
    this.#queue.push(delivery);
  }

  #letGo({ message, qos }: Delivery): void {
    this.#bytes -= message.keptBytes;
    this.#stored.loadedBytes -= message.keptBytes + DELIVERY_BYTES;
    this.#stored.leaveQueue(message.keptBytes);
    this.#stored.release(message);
    if (qos === 0) this.#qos0Count--;
  }

  #countLeft(count: number, bytes: number, qos0Count: number): void {
    if (this.#left === NONE_LEFT) this.#left = { ...NONE_LEFT };
    const left = this.#left;
    left.count += count;
    left.bytes += bytes;
    left.qos0Count += qos0Count;
    this.#stored.enterQueue(bytes, count);
  }

  #takeLeft(sequence: number, messageBytes: number, qos: QoS): void {
    this.#leftAfter = sequence;
    if (this.#left === NONE_LEFT) return;
    const left = this.#left;
    const bytes = left.count === 1 ? left.bytes : Math.min(left.bytes, messageBytes);
    left.count--;
    left.bytes -= bytes;
    if (qos === 0 && left.qos0Count > 0) left.qos0Count--;
    this.#stored.leaveQueue(bytes);
    this.#stored.takeLeft(1);
    if (left.count === 0) this.#left = NONE_LEFT;
  }

  #forgetLeft(): void {
    const { count, bytes } = this.#left;
    if (count > 0) {
      this.#stored.leaveQueue(bytes, count);
      this.#stored.takeLeft(count);
    }
    this.#left = NONE_LEFT;
  }
}
