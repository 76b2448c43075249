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
  /** A retained message that another one has replaced. */
  isSuperseded = false;
  /** Counts what was retained before it, 0 for what a store brought back. */
  retainedSequence = 0;
  /**
   * Where the packet that brought it stands in `payloadBytes`, and its version, when a QoS 0
   * subscriber of that version may be sent the very same bytes. Version 0: it may not.
   */
  verbatimVersion: ProtocolVersion | 0 = 0;
  verbatimStart = 0;
  verbatimEnd = 0;

  #topic: string | undefined;
  #kept: Message | undefined;

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
    return this;
  }

  /** A copy that owns its bytes; the same one each time it is asked for. */
  keep(): Message {
    if (this.#kept !== undefined) return this.#kept;
    const topicLength = this.topicEnd - this.topicStart;
    const propertiesLength = this.propertiesEnd - this.propertiesStart;
    const bytes = new Uint8Array(this.keptBytes);
    copyBytes(bytes, 0, this.topicBytes, this.topicStart, this.topicEnd);
    copyBytes(bytes, topicLength, this.propertyBytes, this.propertiesStart, this.propertiesEnd);
    const payloadStart = topicLength + propertiesLength;
    copyBytes(bytes, payloadStart, this.payloadBytes, this.payloadStart, this.payloadEnd);

    const kept = new Message();
    kept.topicBytes = kept.propertyBytes = kept.payloadBytes = bytes;
    kept.topicEnd = kept.propertiesStart = topicLength;
    kept.propertiesEnd = kept.payloadStart = payloadStart;
    kept.payloadEnd = bytes.length;
    kept.qos = this.qos;
    kept.retain = this.retain;
    kept.expiresAt = this.expiresAt;
    kept.publisherId = this.publisherId;
    kept.#topic = this.#topic;
    this.#kept = kept.own();
    return kept;
  }
}
