/**
 * The receiving half of QoS 2: the Packet Identifiers that have been received and not yet released.
 * The message itself goes on its way when its PUBLISH arrives (method B of the standard, section
 * 4.3.3), so an identifier is all there is to remember.
 *
 * @module
 */

import { LazyMap } from "../base/lazy_map.ts";

/** What became of a QoS 2 PUBLISH. */
export type Reception = "new" | "duplicate" | "too many duplicates" | "window exceeded";

/** A peer that repeats a packet more often than this without a PUBREL is not going to stop. */
const DUPLICATES_MAX = 2;

/** The identifiers of unfinished inbound QoS 2 exchanges. */
export class Receiver {
  /** Packet Identifier to the number of repetitions on the present connection. */
  readonly #held = new LazyMap<number, number>();

  get heldCount(): number {
    return this.#held.size;
  }

  /** All identifiers that are held. */
  heldIds(): Iterable<number> {
    return this.#held.keys();
  }

  /** A connection begins: repetitions are counted anew. */
  start(): void {
    for (const packetId of this.#held.keys()) this.#held.set(packetId, 0);
  }

  /** Notes a QoS 2 PUBLISH. Only a `"new"` one is to be delivered. [MQTT-4.3.3-10] */
  receive(packetId: number, receiveMaximum: number): Reception {
    const repetitions = this.#held.get(packetId);
    if (repetitions !== undefined) {
      this.#held.set(packetId, repetitions + 1);
      return repetitions + 1 > DUPLICATES_MAX ? "too many duplicates" : "duplicate";
    }
    if (this.#held.size >= receiveMaximum) return "window exceeded";
    this.#held.set(packetId, 0);
    return "new";
  }

  /** Identifiers that came again on the present connection, and how often. */
  *repetitions(): Iterable<readonly [packetId: number, count: number]> {
    for (const packetId of this.#held.keys()) {
      const count = this.#held.get(packetId)!;
      if (count > 0) yield [packetId, count];
    }
  }

  /** Forgets an identifier; `false` when it was not held. */
  release(packetId: number): boolean {
    return this.#held.delete(packetId);
  }

  /** Puts back an identifier that was held when the broker stopped. */
  restore(packetId: number, repetitions: number = 0): void {
    this.#held.set(packetId, repetitions);
  }
}
