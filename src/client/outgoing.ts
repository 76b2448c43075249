/**
 * Messages on their way from the application to the engine: those that cannot be sent now wait in
 * one bounded queue, in order, and those that are in flight are kept until they are done, over as
 * many connections as it takes.
 *
 * @module
 */

import { RingQueue } from "../core/base/ring_queue.ts";
import { encodedLength } from "../core/base/utf8.ts";
import type { ClientEngine } from "../core/client/client_engine.ts";
import { PublishRefusal } from "../core/client/outbound.ts";
import type { PublishOptions as EnginePublishOptions } from "../core/client/publish_writer.ts";
import { NO_PROPERTIES, type Properties } from "../core/codec/property.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import { ClientError, hexOf } from "./client_error.ts";

/** How a message is published; what is left out is 0, `false` or nothing. */
export interface PublishOptions extends EnginePublishOptions {
  /**
   * Rejects the call with its reason. A message that has not been sent is not sent any more; the
   * exchange of one that has been goes on to its end, unobserved.
   */
  readonly signal?: AbortSignal;
}

/** What became of a message. */
export interface PublishResult {
  /** Of PUBACK or PUBCOMP, below 0x80; 0 for QoS 0 and before version 5. */
  readonly reasonCode: ReasonCode;
  readonly properties: Properties;
}

/** What the outgoing side needs of its client. */
export interface OutgoingOwner {
  now(): number;
  /** Whether the connection has room for more. */
  hasRoom(): boolean;
  /** Something has been handed to the engine. */
  wake(): void;
}

/** The bounds of what waits. */
export interface QueueLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

interface Entry {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly options: PublishOptions;
  readonly resolve: (result: PublishResult) => void;
  readonly reject: (error: unknown) => void;
  isSettled: boolean;
  /** The broker has it: what is left of the exchange only frees its identifier. */
  isReceived: boolean;
  onAbort: (() => void) | undefined;
}

const RESULT: PublishResult = Object.freeze({
  reasonCode: ReasonCode.SUCCESS,
  properties: NO_PROPERTIES,
});
const TOPIC_BYTES_MAX = 65_535;

export class Outgoing {
  readonly #engine: ClientEngine;
  readonly #owner: OutgoingOwner;
  readonly #limits: QueueLimits;
  /** What a lost session leaves to be sent anew, before everything else. */
  #again: RingQueue<Entry> = new RingQueue();
  readonly #queue: RingQueue<Entry> = new RingQueue();
  #queuedCount = 0;
  #queuedBytes = 0;
  readonly #inflight: Map<number, Entry> = new Map();
  /** What every QoS 0 message that was sent at once resolves to. */
  readonly #sent: Promise<PublishResult> = Promise.resolve(RESULT);
  /** The last one that was found to be a Topic Name. */
  #knownTopic: string | undefined;

  constructor(engine: ClientEngine, owner: OutgoingOwner, limits: QueueLimits) {
    this.#engine = engine;
    this.#owner = owner;
    this.#limits = limits;
  }

  /** Messages that wait to be sent. */
  get queuedCount(): number {
    return this.#queuedCount;
  }

  publish(topic: string, payload: Uint8Array, options: PublishOptions): Promise<PublishResult> {
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    try {
      this.#checkTopic(topic);
      let packetId: number = PublishRefusal.MUST_WAIT;
      if (this.#isQueueEmpty && this.#owner.hasRoom()) {
        packetId = this.#give(topic, payload, options);
      }
      if (packetId === 0) return this.#sent;
      const mustWait = packetId < 0;
      if (mustWait && !this.#hasPlace(payload)) {
        const message = "Cannot queue the message: too much waits to be sent";
        throw new ClientError("queue-full", message);
      }
      return new Promise((resolve, reject) => {
        const entry: Entry = {
          topic,
          payload,
          options,
          resolve,
          reject,
          isSettled: false,
          isReceived: false,
          onAbort: undefined,
        };
        if (options.signal !== undefined) this.#listen(entry, options.signal);
        if (mustWait) this.#enqueue(entry);
        else this.#inflight.set(packetId, entry);
      });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends what waits, as far as that can be; `true` if more can be when there is room again. */
  pump(): boolean {
    for (;;) {
      const queue = this.#again.length > 0 ? this.#again : this.#queue;
      const entry = queue.peek();
      if (entry === undefined) return false;
      if (!this.#owner.hasRoom()) return true;
      let packetId = 0;
      let fault: unknown;
      try {
        packetId = this.#give(entry.topic, entry.payload, entry.options);
      } catch (error) {
        fault = error;
      }
      if (packetId < 0) return false;
      queue.shift();
      if (queue === this.#queue) this.#leaveQueue(entry);
      if (packetId > 0) this.#inflight.set(packetId, entry);
      else if (fault === undefined) settle(entry, RESULT);
      else fail(entry, fault);
    }
  }

  /** The exchange of a message is over. */
  published(packetId: number, reasonCode: ReasonCode, properties: Properties): void {
    const entry = this.#inflight.get(packetId);
    if (entry === undefined) return;
    this.#inflight.delete(packetId);
    if (reasonCode >= ReasonCode.UNSPECIFIED_ERROR) {
      const message = `The broker refused the message: ${hexOf(reasonCode)}`;
      fail(entry, new ClientError("refused", message, { reasonCode }));
    } else settle(entry, { reasonCode, properties });
  }

  /** The connection is about to be forgotten: notes how far each exchange has come. */
  connectionLost(): void {
    for (const [packetId, entry] of this.#inflight) {
      entry.isReceived ||= this.#engine.isReceived(packetId);
    }
  }

  /**
   * The engine has begun a session. If it has forgotten what was in flight, QoS 1 is published
   * anew, and QoS 2 is not: nobody knows whether it arrived, and it must not arrive twice.
   */
  sessionBegun(): void {
    if (this.#engine.inflightCount > 0 || this.#inflight.size === 0) return;
    const again = new RingQueue<Entry>();
    for (const entry of this.#inflight.values()) {
      if (entry.isSettled) continue;
      if (entry.isReceived) settle(entry, RESULT);
      else if (entry.options.qos === 1) again.push(entry);
      else {
        const message = "The session ended before the broker acknowledged the message";
        fail(entry, new ClientError("session-lost", message));
      }
    }
    this.#inflight.clear();
    for (let left = this.#again.shift(); left !== undefined; left = this.#again.shift()) {
      again.push(left);
    }
    this.#again = again;
  }

  /** Nothing will be sent any more. */
  end(error: unknown): void {
    for (const entry of this.#inflight.values()) fail(entry, error);
    this.#inflight.clear();
    for (const queue of [this.#again, this.#queue]) {
      for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
        fail(entry, error);
      }
    }
    this.#queuedCount = this.#queuedBytes = 0;
  }

  get #isQueueEmpty(): boolean {
    return this.#queue.length === 0 && this.#again.length === 0;
  }

  /** Hands a message to the engine: its identifier, 0 for QoS 0, or negative when it must wait. */
  #give(topic: string, payload: Uint8Array, options: PublishOptions): number {
    const packetId = publishOn(this.#engine, topic, payload, options, this.#owner.now());
    switch (packetId) {
      case PublishRefusal.PACKET_TOO_LARGE:
        throw new ClientError(
          "too-large",
          "Cannot send the message: the broker takes no such size",
        );
      case PublishRefusal.QOS_NOT_SUPPORTED:
        throw new ClientError(
          "not-supported",
          "Cannot send the message: the broker has no such QoS",
        );
      case PublishRefusal.RETAIN_NOT_SUPPORTED:
        throw new ClientError("not-supported", "Cannot send the message: the broker retains none");
    }
    if (packetId >= 0) this.#owner.wake();
    return packetId;
  }

  #hasPlace(payload: Uint8Array): boolean {
    const { messagesMax, bytesMax } = this.#limits;
    return this.#queuedCount < messagesMax && this.#queuedBytes + payload.length <= bytesMax;
  }

  #enqueue(entry: Entry): void {
    this.#queue.push(entry);
    this.#queuedCount++;
    this.#queuedBytes += entry.payload.length;
  }

  #leaveQueue(entry: Entry): void {
    this.#queuedCount--;
    this.#queuedBytes -= entry.payload.length;
  }

  #listen(entry: Entry, signal: AbortSignal): void {
    entry.onAbort = () => {
      const isOther = (other: Entry): boolean => other !== entry;
      const { length } = this.#queue;
      this.#queue.retain(isOther);
      if (this.#queue.length < length) this.#leaveQueue(entry);
      else this.#again.retain(isOther);
      fail(entry, signal.reason);
    };
    signal.addEventListener("abort", entry.onAbort);
  }

  #checkTopic(topic: string): void {
    if (topic === this.#knownTopic) return;
    const length = encodedLength(topic);
    if (length <= 0 || length > TOPIC_BYTES_MAX || /[+#\0]/.test(topic)) {
      throw new ClientError("invalid-argument", `Cannot publish to the topic "${topic}"`);
    }
    this.#knownTopic = topic;
  }
}

/** What the codec cannot write is the caller's fault here; nothing has been written then. */
function publishOn(
  engine: ClientEngine,
  topic: string,
  payload: Uint8Array,
  options: PublishOptions,
  now: number,
): number {
  try {
    return engine.publish(topic, payload, options, now);
  } catch (cause) {
    throw new ClientError("invalid-argument", "Cannot encode the message", { cause });
  }
}

function settle(entry: Entry, result: PublishResult): void {
  finish(entry);
  entry.resolve(result);
}

function fail(entry: Entry, error: unknown): void {
  finish(entry);
  entry.reject(error);
}

function finish(entry: Entry): void {
  entry.isSettled = true;
  const { onAbort } = entry;
  if (onAbort !== undefined) entry.options.signal?.removeEventListener("abort", onAbort);
}
