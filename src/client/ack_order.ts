/**
 * Acknowledges messages when nobody holds them any more, in the order in which they came
 * [MQTT-4.6.0-2] [MQTT-4.6.0-3], however differently fast those are who read them.
 *
 * @module
 */

import { RingQueue } from "../core/base/ring_queue.ts";

/** A message that has to be acknowledged, and how many still hold it. */
export interface AckRecord {
  readonly packetId: number;
  holders: number;
}

/** The messages of one connection that are not acknowledged yet. */
export class AckOrder {
  readonly #records: RingQueue<AckRecord> = new RingQueue();
  readonly #acknowledge: (packetId: number) => void;
  #isLive = true;

  constructor(acknowledge: (packetId: number) => void) {
    this.#acknowledge = acknowledge;
  }

  /** Notes a message; its first holder is whoever called. */
  add(packetId: number): AckRecord {
    const record = { packetId, holders: 1 };
    this.#records.push(record);
    return record;
  }

  /** One holder is done. */
  release(record: AckRecord): void {
    record.holders--;
    if (!this.#isLive) return;
    for (let first = this.#records.peek(); first?.holders === 0; first = this.#records.peek()) {
      this.#records.shift();
      this.#acknowledge(first.packetId);
    }
  }

  /** The connection is gone: the broker will send anew what it has not heard of. */
  end(): void {
    this.#isLive = false;
    this.#records.clear();
  }
}
