/**
 * The messages of an import, by the identifiers that the file gives them. Each is made once, when
 * first asked for, however many sessions and topics refer to it.
 *
 * @module
 */

import type { QoS } from "../core/codec/protocol.ts";
import { decodeUtf8 } from "../core/base/utf8.ts";
import { makeMessage } from "../core/session/make_message.ts";
import type { Message } from "../core/session/message.ts";
import { isTopic } from "../core/topic/topic.ts";
import type { BaseMessageChunk } from "./mosquitto_chunk.ts";

export class ImportedMessages {
  readonly #chunks: Map<bigint, BaseMessageChunk> = new Map();
  readonly #made: Map<bigint, Message> = new Map();
  readonly #now: number;
  /** The broker's instant at which the year 1970 began. */
  readonly #epochBegan: number;
  readonly #levelsMax: number;

  constructor(clock: { readonly now: number; readonly epochMs: number }, levelsMax: number) {
    this.#now = clock.now;
    this.#epochBegan = clock.now - clock.epochMs;
    this.#levelsMax = levelsMax;
  }

  /** Takes a message into account; one that nobody may publish does not exist. */
  add(chunk: BaseMessageChunk): void {
    const { topic, qos, storeId } = chunk;
    if (qos <= 2 && isTopic(topic, 0, topic.length, this.#levelsMax)) {
      this.#chunks.set(storeId, chunk);
    }
  }

  /** How many have not expired. */
  get lastingCount(): number {
    let count = 0;
    for (const { expiryTime } of this.#chunks.values()) {
      if (this.instantOf(expiryTime) > this.#now) count++;
    }
    return count;
  }

  /** The message, also when it has expired: whoever has it in flight still acknowledges it. */
  get(storeId: bigint): Message | undefined {
    const made = this.#made.get(storeId);
    if (made !== undefined) return made;
    const chunk = this.#chunks.get(storeId);
    if (chunk === undefined) return undefined;
    const message = makeMessage({
      topic: textOf(chunk.topic),
      payload: chunk.payload,
      qos: chunk.qos as QoS, // compared when it was added
      retain: chunk.retain !== 0,
      properties: chunk.properties,
      publisherId: textOf(chunk.sourceClientId),
      publisherUsername: textOf(chunk.sourceUsername) || undefined,
    });
    message.expiresAt = this.instantOf(chunk.expiryTime);
    this.#made.set(storeId, message);
    return message;
  }

  /** The broker's instant of a time in the file; `Infinity` for 0, which stands for none. */
  instantOf(seconds: number): number {
    return seconds === 0 ? Infinity : this.#epochBegan + seconds * 1000;
  }
}

function textOf(bytes: Uint8Array): string {
  return decodeUtf8(bytes, 0, bytes.length) ?? "";
}
