/**
 * What plugins publish, until the broker can take it. A hook runs in the middle of a turn of the
 * broker, which must not be entered a second time; so messages wait for the end of the turn, and
 * only so many of them.
 *
 * @module
 */

import type { HostMessage } from "../core/broker/broker_core.ts";
import { NO_PROPERTIES } from "../core/codec/property.ts";
import { isMessageContents } from "../core/session/message_contents.ts";

const MESSAGES_MAX = 10_000;
const BYTES_MAX = 64 * 1024 * 1024;

/** What the outbox needs of its surroundings. */
export interface OutboxOptions {
  publish(message: HostMessage): void;
  /** Told of a message that could not be published. */
  onError(error: unknown): void;
}

export class PluginOutbox {
  readonly #options: OutboxOptions;
  #waiting: HostMessage[] = [];
  #bytes = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /**
   * Keeps a copy to be published soon; `false` when there is no room for it.
   *
   * @throws {TypeError} when it is no message.
   */
  add(message: HostMessage): boolean {
    const { topic, payload, qos = 0, retain = false, properties = NO_PROPERTIES } = message;
    const contents = { topic, payload, qos, retain, properties };
    if (typeof topic !== "string" || !isMessageContents(contents)) {
      throw new TypeError("Cannot publish what is no message");
    }
    const bytes = this.#bytes + payload.length;
    if (this.#waiting.length >= MESSAGES_MAX || bytes > BYTES_MAX) return false;
    this.#bytes = bytes;
    this.#waiting.push({ ...contents, payload: payload.slice() });
    if (this.#waiting.length === 1) queueMicrotask(() => this.#flush());
    return true;
  }

  #flush(): void {
    const messages = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    for (const message of messages) {
      try {
        this.#options.publish(message);
      } catch (error) {
        this.#options.onError(error);
      }
    }
  }
}
