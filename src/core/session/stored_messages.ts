/**
 * How many messages are kept, and how many bytes of payload they have: retained, queued, or in
 * flight to a session that can resume. A message counts once, however many hold on to it; one that
 * merely passes through is not counted and costs nothing here. Deliveries that wait are counted
 * beside them, over all queues.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import type { Delivery } from "./delivery.ts";
import type { Message } from "./message.ts";

export class StoredMessages {
  count = 0;
  /** Payload bytes. */
  bytes = 0;
  /** Deliveries that wait in queues, also those that only a store has. */
  queuedCount = 0;
  /** Their topic, properties and payload bytes, a message counted for each queue. */
  queuedBytes = 0;
  /** Bytes of deliveries that wait in memory, with what each of them takes up itself. */
  loadedBytes = 0;

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
    this.count++;
    this.bytes += message.payloadLength;
  }

  /** One of those lets go. */
  release(message: Message): void {
    assert(message.holders > 0, "A message was let go more often than it was held");
    if (--message.holders > 0) return;
    this.count--;
    this.bytes -= message.payloadLength;
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
}
