/**
 * Which messages have rows of their own: those that several rows of other tables need, and large
 * ones; a message that one row alone needs stands in that. While changes are written all that they
 * need is pinned, so that a row is there before it is named and goes only when nobody names it.
 *
 * @module
 */

import type { Message } from "../core/session/message.ts";
import type { Statements } from "./change_statements.ts";
import type { MessageRows } from "./log_codec.ts";
import type { MessageEncoder } from "./record_codec.ts";

/** A larger message stands in a row of its own, however few hold on to it. */
const INLINE_BYTES_MAX = 1024;

/** Where a message stands: in `messages`, or in the row itself. */
type Place = readonly [message: number, body: null] | readonly [message: null, body: Uint8Array];

export class MessageTable implements MessageRows {
  readonly #statements: Statements;
  readonly #encoder: MessageEncoder;
  readonly #ids: WeakMap<Message, number> = new WeakMap();
  /** In how many queues each of them has been put by what is being written. */
  readonly #queuedBy: Map<Message, number> = new Map();
  #last: number;

  constructor(statements: Statements, encoder: MessageEncoder, last: number) {
    this.#statements = statements;
    this.#encoder = encoder;
    this.#last = last;
  }

  noteRow(message: Message, id: number): void {
    this.#ids.set(message, id);
    this.#last = Math.max(this.#last, id);
  }

  rowOf(message: Message): number | undefined {
    return this.#ids.get(message);
  }

  /** The bytes, if any, are valid until the next call. */
  place(message: Message): Place {
    const id = this.#ids.get(message);
    return id === undefined ? [null, this.#encoder.encode(message)] : [id, null];
  }

  countQueued(message: Message): void {
    this.#queuedBy.set(message, (this.#queuedBy.get(message) ?? 0) + 1);
  }

  /**
   * Sees that messages have rows that need them, each named once for each row that is going to
   * need it, and keeps these even if all who hold them let go.
   */
  pin(messages: readonly Message[]): ReadonlySet<Message> {
    const once: Set<Message> = new Set();
    const shared: Set<Message> = new Set();
    for (const message of messages) {
      const isShared = once.has(message) || message.keptBytes > INLINE_BYTES_MAX ||
        this.#ids.has(message);
      (isShared ? shared : once).add(message);
    }
    this.#queuedBy.clear();
    for (const message of shared) this.#pin(message);
    return shared;
  }

  unpin(messages: ReadonlySet<Message>): void {
    const { holdBy, removeUnheld, removeHolders } = this.#statements;
    for (const message of messages) {
      const id = this.#ids.get(message)!;
      const count = this.#queuedBy.get(message) ?? 0;
      if (count !== 1) holdBy.run(count - 1, id);
      if (count > 0) continue;
      removeUnheld.run(id);
      removeHolders.run(id);
    }
  }

  #pin(message: Message): void {
    const { holdBy, addMessage, addHolders } = this.#statements;
    let id = this.#ids.get(message);
    if (id === undefined) {
      id = ++this.#last;
      this.#ids.set(message, id);
    } else if (holdBy.run(1, id) > 0) {
      return;
    }
    addMessage.run(id, this.#encoder.encode(message));
    addHolders.run(id, message.payloadLength);
  }
}
