/**
 * How many messages are kept, and how many bytes of payload they have: retained, queued, or in
 * flight to a session that can resume. A message counts once, however many hold on to it; one that
 * merely passes through is not counted and costs nothing here. Deliveries that wait are counted
 * beside them, over all queues.
 *
 * Nobody here knows the messages that only a store has. They are counted when they are left there,
 * and for each delivery that is over as many go as there are for one: near enough while queues that
 * share messages are on their way back, and none when no delivery is left.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import type { Delivery } from "./delivery.ts";
import type { Message } from "./message.ts";

export class StoredMessages {
  #count = 0;
  #bytes = 0;
  /** Of those that only a store has, and how many deliveries of them there are. */
  #leftCount = 0;
  #leftBytes = 0;
  #leftDeliveries = 0;
  /** Deliveries that wait in queues, also those that only a store has. */
  queuedCount = 0;
  /** Their topic, properties and payload bytes, a message counted for each queue. */
  queuedBytes = 0;
  /** Bytes of deliveries that wait in memory, with what each of them takes up itself. */
  loadedBytes = 0;

  get count(): number {
    return this.#count + Math.round(this.#leftCount);
  }

  /** Payload bytes. */
  get bytes(): number {
    return this.#bytes + Math.round(this.#leftBytes);
  }

  /** Deliveries wait from now on. */
  enterQueue(bytes: number, count: number = 1): void {
    this.queuedCount += count;
    this.queuedBytes += bytes;
  }

  /** They do not wait any more. */
  leaveQueue(bytes: number, count: number = 1): void {
    this.queuedCount -= count;
    this.queuedBytes -= bytes;
  }

  /** One more holds on to a kept message. */
  hold(message: Message): void {
    if (message.holders++ > 0) return;
    this.#count++;
    this.#bytes += message.payloadLength;
    if (message.isLeft) this.#addLeft(-1, -message.payloadLength);
  }

  /** One of those lets go. */
  release(message: Message): void {
    assert(message.holders > 0, "A message was let go more often than it was held");
    if (--message.holders > 0) return;
    this.#count--;
    this.#bytes -= message.payloadLength;
    if (message.isLeft && this.#leftDeliveries > 0) this.#addLeft(1, message.payloadLength);
  }

  /** A delivery of the message is left in a store. */
  leave(message: Message): void {
    this.#leftDeliveries++;
    if (message.isLeft) return;
    message.isLeft = true;
    if (message.holders === 0) this.#addLeft(1, message.payloadLength);
  }

  /** Deliveries are left in a store, of messages that `countAll` is going to count. */
  leaveMany(deliveries: number): void {
    this.#leftDeliveries += deliveries;
  }

  /** All that a store has, each once; what is held here is among them. */
  countAll(count: number, bytes: number): void {
    this.#leftCount = Math.max(0, count - this.#count);
    this.#leftBytes = Math.max(0, bytes - this.#bytes);
  }

  /** Deliveries that were left are here again, or over. */
  takeLeft(deliveries: number): void {
    const part = deliveries / this.#leftDeliveries;
    this.#leftDeliveries -= deliveries;
    this.#addLeft(-part * this.#leftCount, -part * this.#leftBytes);
  }

  /** Gives a delivery that is held a message with memory of its own. */
  settle(delivery: Delivery): void {
    const { message } = delivery;
    const kept = message.keep();
    if (kept === message) return;
    this.hold(kept);
    this.release(message);
    delivery.message = kept;
  }

  #addLeft(count: number, bytes: number): void {
    this.#leftCount = Math.max(0, this.#leftCount + count);
    this.#leftBytes = Math.max(0, this.#leftBytes + bytes);
  }
}
