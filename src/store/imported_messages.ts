/**
 * The messages of an import, by the identifiers that the file gives them, each made once however
 * many sessions and topics refer to it. They have bytes of their own, so the file can be let go.
 *
 * @module
 */

import { decodeUtf8 } from "../core/base/utf8.ts";
import type { QoS } from "../core/codec/protocol.ts";
import { makeMessage } from "../core/session/make_message.ts";
import type { Message } from "../core/session/message.ts";
import { isTopic } from "../core/topic/topic.ts";
import type { BaseMessageChunk } from "./mosquitto_chunk.ts";

export class ImportedMessages {
  readonly #messages: Map<bigint, Message> = new Map();
  readonly #now: number;
  /** The broker's instant at which the year 1970 began. */
  readonly #epochBegan: number;
  readonly #levelsMax: number;

  constructor(clock: { readonly now: number; readonly epochMs: number }, levelsMax: number) {
    this.#now = clock.now;
    this.#epochBegan = clock.now - clock.epochMs;
    this.#levelsMax = levelsMax;
  }

  /** Makes a message; one that nobody may publish does not exist. */
  add(chunk: BaseMessageChunk): void {
    const { topic, qos } = chunk;
    if (qos > 2 || !isTopic(topic, 0, topic.length, this.#levelsMax)) return;
    const message = makeMessage({
      topic: textOf(topic),
      payload: chunk.payload,
      qos: qos as QoS, // compared just above
      retain: chunk.retain !== 0,
      properties: chunk.properties,
      publisherId: textOf(chunk.sourceClientId),
      publisherUsername: textOf(chunk.sourceUsername) || undefined,
    });
    message.expiresAt = this.instantOf(chunk.expiryTime);
    this.#messages.set(chunk.storeId, message);
  }

  /** How many have not expired. */
  get lastingCount(): number {
    let count = 0;
    for (const { expiresAt } of this.#messages.values()) if (expiresAt > this.#now) count++;
    return count;
  }

  /** The message, also when it has expired: whoever has it in flight still acknowledges it. */
  get(storeId: bigint): Message | undefined {
    return this.#messages.get(storeId);
  }

  /** The broker's instant of a time in the file; `Infinity` for 0, which stands for none. */
  instantOf(seconds: number): number {
    return seconds === 0 ? Infinity : this.#epochBegan + seconds * 1000;
  }
}

function textOf(bytes: Uint8Array): string {
  return decodeUtf8(bytes, 0, bytes.length) ?? "";
}
