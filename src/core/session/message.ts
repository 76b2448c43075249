/**
 * An Application Message as the broker carries it: byte ranges of a topic, of the properties that
 * are forwarded, and of a payload. A *live* message points into the bytes that just arrived and is
 * valid during that packet only; `keep()` gives the copy that queues and stores hold on to, made
 * once however many of them want it.
 *
 * @module
 */

import { copyBytes } from "../base/bytes.ts";
import { decodeUtf8 } from "../base/utf8.ts";
import type { ProtocolVersion, QoS } from "../codec/protocol.ts";
import type { MessageArena } from "./message_arena.ts";

const NO_BYTES = new Uint8Array(0);

/** A message; see the module for what may be kept. */
export class Message {
  topicBytes: Uint8Array = NO_BYTES;
  topicStart = 0;
  topicEnd = 0;
  /** Property bytes without Message Expiry Interval, Topic Alias and Subscription Identifier. */
  propertyBytes: Uint8Array = NO_BYTES;
  propertiesStart = 0;
  propertiesEnd = 0;
  payloadBytes: Uint8Array = NO_BYTES;
  payloadStart = 0;
  payloadEnd = 0;
  qos: QoS = 0;
  retain = false;
  /** The instant after which it is not delivered any more; `Infinity` when it does not expire. */
  expiresAt = Infinity;
  /** The client that published it; `""` for the broker itself. */
  publisherId = "";
  /** The user who that client was then. */
  publisherUsername: string | undefined = undefined;
  /** How many hold on to it; belongs to `StoredMessages`. */
  holders = 0;
  /** Somebody it waits for has it in the store alone; belongs to `StoredMessages`. */
  isLeft = false;
  /** A retained message that another one has replaced. */
  isSuperseded = false;
  /** Its place in the order in which messages were retained; 0 until it has one. */
  retainedSequence = 0;
  /** The number of the change that recorded it as retained, 0 for what a store gave. */
  recordedAt = 0;
  /**
   * Where the packet that brought it stands in `payloadBytes`, and its version, when a QoS 0
   * subscriber of that version may be sent the very same bytes. Version 0: it may not.
   */
  verbatimVersion: ProtocolVersion | 0 = 0;
  verbatimStart = 0;
  verbatimEnd = 0;

  #topic: string | undefined;
  /** The copy that others hold on to; itself for a copy. */
  #kept: Message | undefined;
  /** A copy whose bytes are nobody else's. */
  #ownsBytes = false;

  /** The Topic Name as text, decoded when first asked for. */
  get topic(): string {
    this.#topic ??= decodeUtf8(this.topicBytes, this.topicStart, this.topicEnd) ?? "";
    return this.#topic;
  }

  get payloadLength(): number {
    return this.payloadEnd - this.payloadStart;
  }

  /** Forgets what was derived from the previous contents; called when a live message is reused. */
  reset(): void {
    this.#topic = undefined;
    this.#kept = undefined;
  }

  /** Bytes that a kept copy holds, the measure of queue limits. */
  get keptBytes(): number {
    return (this.topicEnd - this.topicStart) + (this.propertiesEnd - this.propertiesStart) +
      this.payloadLength;
  }

  /** Declares that the message owns its bytes already. */
  own(): this {
    this.#kept = this;
    this.#ownsBytes = true;
    return this;
  }

  /**
   * A copy that others may hold on to; the same one each time it is asked for. With an arena it may
   * share its memory with other messages, see there.
   */
  keep(arena?: MessageArena): Message {
    const kept = this.#kept;
    if (kept !== undefined && (arena !== undefined || kept.#ownsBytes)) return kept;
    const size = this.keptBytes;
    const start = arena === undefined ? -1 : arena.place(size);
    const copy = arena === undefined || start < 0
      ? this.#copyTo(new Uint8Array(size), 0)
      : this.#copyTo(arena.bytes, start);
    copy.#ownsBytes = start < 0;
    copy.#kept = copy;
    this.#kept = copy;
    return copy;
  }

  #copyTo(bytes: Uint8Array, start: number): Message {
    const propertiesStart = start + this.topicEnd - this.topicStart;
    const payloadStart = propertiesStart + this.propertiesEnd - this.propertiesStart;
    copyBytes(bytes, start, this.topicBytes, this.topicStart, this.topicEnd);
    copyBytes(
      bytes,
      propertiesStart,
      this.propertyBytes,
      this.propertiesStart,
      this.propertiesEnd,
    );
    copyBytes(bytes, payloadStart, this.payloadBytes, this.payloadStart, this.payloadEnd);

    const copy = new Message();
    copy.topicBytes = copy.propertyBytes = copy.payloadBytes = bytes;
    copy.topicStart = start;
    copy.topicEnd = copy.propertiesStart = propertiesStart;
    copy.propertiesEnd = copy.payloadStart = payloadStart;
    copy.payloadEnd = payloadStart + this.payloadLength;
    copy.qos = this.qos;
    copy.retain = this.retain;
    copy.expiresAt = this.expiresAt;
    copy.publisherId = this.publisherId;
    copy.publisherUsername = this.publisherUsername;
    copy.#topic = this.#topic;
    return copy;
  }
}
