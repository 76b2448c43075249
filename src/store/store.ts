/**
 * The contract of a store: a log of the broker's changes, and a way to read back what they have led
 * to. Memory is the truth while the broker runs; a store decides nothing, least of all who receives
 * a message.
 *
 * A store may answer at once or later. Whoever drives it makes one call of `commit` at a time, in
 * the order of the changes, and asks for deliveries only once the changes that queued them are
 * committed.
 *
 * @module
 */

import type { Change, StoredRecord } from "../core/broker/change.ts";
import type { Delivery } from "../core/session/delivery.ts";

export interface Store {
  /**
   * Everything that a broker needs to go on: sessions, then what belongs to them, then retained
   * messages in the order in which they were retained. Of a session's queue it gives the first few
   * deliveries or none, and says what is left by a record of its own.
   */
  load(): Iterable<StoredRecord>;

  /**
   * Makes all of the changes durable, or none of them and throws. What it has thrown for is tried
   * again later, the same changes first.
   */
  commit(changes: readonly Change[]): void | Promise<void>;

  /**
   * Queued deliveries of a session in their order: those behind `afterSequence`, at most so many,
   * and no more once the messages have so many bytes; one at least if there is one.
   */
  loadDeliveries(
    clientId: string,
    afterSequence: number,
    limits: LoadLimits,
  ): readonly Delivery[] | Promise<readonly Delivery[]>;

  /** Lets go of what it holds; nothing may be asked of it any more. */
  close(): void | Promise<void>;
}

/** How much is to be loaded of a queue. */
export interface LoadLimits {
  readonly countMax: number;
  readonly bytesMax: number;
}
