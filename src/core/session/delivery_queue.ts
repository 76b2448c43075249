/**
 * Deliveries that wait for their turn, first in, first out, bounded by count and by bytes. What
 * does not fit is refused: the newest is lost, as Mosquitto's users expect, and never silently.
 *
 * @module
 */

import { RingQueue } from "../base/ring_queue.ts";
import type { Delivery } from "./delivery.ts";
import type { StoredMessages } from "./stored_messages.ts";

/** The waiting deliveries of one session. */
export class DeliveryQueue {
  readonly #queue = new RingQueue<Delivery>();
  readonly #stored: StoredMessages;
  #bytes = 0;
  #qos0Count = 0;

  constructor(stored: StoredMessages) {
    this.#stored = stored;
  }

  get length(): number {
    return this.#queue.length;
  }

  /** Topic, properties and payload bytes of all that waits. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many of those that wait have QoS 0; what follows them must not overtake them. */
  get qos0Count(): number {
    return this.#qos0Count;
  }

  /** Whether one more message fits. Limits of 0 do not limit. */
  hasRoom(messageBytes: number, countMax: number, bytesMax: number): boolean {
    return (countMax === 0 || this.#queue.length < countMax) &&
      (bytesMax === 0 || this.#bytes + messageBytes <= bytesMax);
  }

  push(delivery: Delivery): void {
    this.#bytes += delivery.message.keptBytes;
    this.#stored.hold(delivery.message);
    if (delivery.qos === 0) this.#qos0Count++;
    this.#queue.push(delivery);
  }

  shift(): Delivery | undefined {
    const delivery = this.#queue.shift();
    if (delivery !== undefined) this.#forget(delivery);
    return delivery;
  }

  peek(): Delivery | undefined {
    return this.#queue.peek();
  }

  /** Keeps the deliveries for which `keep` is true, in order. */
  retain(keep: (delivery: Delivery) => boolean): void {
    this.#queue.retain((delivery) => {
      const isKept = keep(delivery);
      if (!isKept) this.#forget(delivery);
      return isKept;
    });
  }

  #forget(delivery: Delivery): void {
    this.#bytes -= delivery.message.keptBytes;
    this.#stored.release(delivery.message);
    if (delivery.qos === 0) this.#qos0Count--;
  }

  /** Forgets all that waits. */
  clear(): void {
    while (this.shift() !== undefined);
  }

  /** All that waits, first in first. */
  *[Symbol.iterator](): IterableIterator<Delivery> {
    for (let i = 0; i < this.#queue.length; i++) yield this.#queue.at(i);
  }
}
