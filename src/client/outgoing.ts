/**
 * Messages on their way from the application to the engine: those that cannot be sent now wait in
 * one bounded queue, in order, and those that are in flight are kept until they are done, over as
 * many connections as it takes.
 *
 * @module
 */

import { RingQueue } from "../core/base/ring_queue.ts";
import type { ClientEngine } from "../core/client/client_engine.ts";
import { PublishRefusal, type RestoredMessage } from "../core/client/outbound.ts";
import { NO_PROPERTIES, type Properties } from "../core/codec/property.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import { ClientError, hexOf } from "./client_error.ts";
import type { ClientOptions } from "./client_options.ts";
import type { Journal } from "./journal.ts";
import {
  checkProperties,
  checkTopic,
  type Entry,
  fail,
  type PublishOptions,
  type PublishResult,
  RESULT,
  settle,
} from "./outgoing_entry.ts";
import { Waiters } from "./waiters.ts";
import type { StoredMessage, StoredSession } from "./session_store.ts";

/** What the outgoing side needs of its client. */
export interface OutgoingOwner {
  now(): number;
  /** Whether the connection has room for more. */
  hasRoom(): boolean;
  /** Something has been handed to the engine. */
  wake(): void;
  /** A message of an earlier process will not be delivered. */
  abandoned(message: StoredMessage, error: unknown): void;
  /** What has to be told what becomes of messages, if anything. */
  readonly journal: Journal | undefined;
}

/** The bounds of what waits. */
export type QueueLimits = Pick<ClientOptions, "queueMessagesMax" | "queueBytesMax">;

const MESSAGES_MAX = 1000;
const BYTES_MAX = 16_777_216;

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
  readonly #waiters: Waiters = new Waiters();
  /** Whether what the store holds is here, so that new messages can follow it. */
  #isLoaded: boolean;
  #lastSequence = 0;
  /** What every QoS 0 message that was sent at once resolves to. */
  readonly #sent: Promise<PublishResult> = Promise.resolve(RESULT);
  /** The last one that was found to be a Topic Name. */
  #knownTopic: string | undefined;

  constructor(engine: ClientEngine, owner: OutgoingOwner, limits: QueueLimits) {
    this.#engine = engine;
    this.#owner = owner;
    this.#limits = limits;
    this.#isLoaded = owner.journal === undefined;
  }

  /** Messages that wait to be sent. */
  get queuedCount(): number {
    return this.#queuedCount;
  }

  /** Whether a message of QoS 0 would leave at once. */
  get hasRoom(): boolean {
    return this.#isQueueEmpty && this.#engine.phase === "connected" && this.#owner.hasRoom();
  }

  /** Resolves when there is room. */
  ready(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.hasRoom) return Promise.resolve();
    return this.#waiters.wait(signal);
  }

  publish(topic: string, payload: Uint8Array, options: PublishOptions): Promise<PublishResult> {
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    try {
      this.#checkTopic(topic);
      // One that waited would mean something else on a later connection.
      if (options.properties?.topicAlias !== undefined) {
        const message = "Topic aliases are given out by the client: see topicAliasesMax";
        throw new ClientError("invalid-argument", message);
      }
      let packetId: number = PublishRefusal.MUST_WAIT;
      if (this.#isQueueEmpty && this.#owner.hasRoom()) {
        packetId = this.#give(topic, payload, options);
      }
      if (packetId === 0) return this.#sent;
      const mustWait = packetId < 0;
      if (mustWait && options.properties !== undefined) checkProperties(options.properties);
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
          sequence: 0,
          isRestored: false,
        };
        if (this.#isLoaded) this.#store(entry);
        if (options.signal !== undefined) this.#listen(entry, options.signal);
        if (mustWait) this.#enqueue(entry);
        else this.#begin(packetId, entry);
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
      if (entry === undefined) {
        if (this.#waiters.size > 0 && this.hasRoom) this.#waiters.resolve();
        return false;
      }
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
      if (packetId > 0) this.#begin(packetId, entry);
      else if (fault === undefined) settle(entry, RESULT);
      else {
        this.#forget(entry);
        fail(entry, fault);
      }
    }
  }

  /** Takes over what an earlier process has left, before the first connection. */
  restore({ outgoing, heldIds }: StoredSession): void {
    const inflight: RestoredMessage[] = [];
    const queue: Entry[] = [];
    const now = Date.now();
    for (const { sequence, packetId, sentAt, isReceived, message } of outgoing) {
      const entry = this.#restored(message, sequence);
      this.#lastSequence = Math.max(this.#lastSequence, sequence);
      if (packetId === undefined) queue.push(entry);
      else {
        entry.isReceived = isReceived;
        this.#inflight.set(packetId, entry);
        const { topic, payload, options } = entry;
        // Clocks are set back as well.
        const ageMs = Math.max(0, now - sentAt);
        inflight.push({ packetId, topic, payload, options, isReceived, ageMs });
      }
    }
    this.#engine.restore(inflight, heldIds, this.#owner.now());
    // What was published meanwhile comes after it.
    for (let left = this.#queue.shift(); left !== undefined; left = this.#queue.shift()) {
      this.#store(left);
      queue.push(left);
    }
    this.#queuedCount = this.#queuedBytes = 0;
    for (const entry of queue) this.#enqueue(entry);
    this.#isLoaded = true;
  }

  /** The exchange of a message is over. */
  published(packetId: number, reasonCode: ReasonCode, properties: Properties): void {
    const entry = this.#inflight.get(packetId);
    if (entry === undefined) return;
    this.#inflight.delete(packetId);
    // A crash before it is stored repeats what QoS 1 may repeat, and of QoS 2 no more than PUBREL.
    const { sequence } = entry;
    if (sequence > 0) this.#owner.journal?.addLater({ kind: "removed", sequence });
    const isRefused = reasonCode >= ReasonCode.UNSPECIFIED_ERROR;
    // It has it, and has only forgotten the identifier since it said so.
    if (isRefused && entry.isReceived) settle(entry, RESULT);
    else if (isRefused) {
      const message = `The broker refused the message: ${hexOf(reasonCode)}`;
      fail(entry, new ClientError("refused", message, { reasonCode, properties }));
    } else settle(entry, { reasonCode, properties });
  }

  /** The broker has a message, and will not be sent it again. */
  received(packetId: number): void {
    const entry = this.#inflight.get(packetId);
    if (entry === undefined) return;
    entry.isReceived = true;
    const { sequence } = entry;
    if (sequence > 0) this.#owner.journal?.add({ kind: "received", sequence });
  }

  /**
   * The engine has begun a session. If it has forgotten what was in flight, QoS 1 is published
   * anew, and QoS 2 is not: nobody knows whether it arrived, and it must not arrive twice.
   */
  sessionBegun(): void {
    if (this.#engine.inflightCount > 0 || this.#inflight.size === 0) return;
    const again = new RingQueue<Entry>();
    for (const entry of this.#inflight.values()) {
      if (!entry.isSettled && !entry.isReceived && entry.options.qos === 1) {
        again.push(entry);
        continue;
      }
      this.#forget(entry);
      if (entry.isSettled) continue;
      if (entry.isReceived) settle(entry, RESULT);
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

  /** Nothing will be sent any more; what is in the store stays there. */
  end(error: unknown): void {
    for (const entry of this.#inflight.values()) if (!entry.isRestored) fail(entry, error);
    this.#inflight.clear();
    for (const queue of [this.#again, this.#queue]) {
      for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
        if (!entry.isRestored) fail(entry, error);
      }
    }
    this.#queuedCount = this.#queuedBytes = 0;
    this.#waiters.reject(error);
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

  /** A message is in flight. */
  #begin(packetId: number, entry: Entry): void {
    this.#inflight.set(packetId, entry);
    const { sequence } = entry;
    if (sequence === 0) return;
    this.#owner.journal?.add({ kind: "sent", sequence, packetId, sentAt: Date.now() });
  }

  /** Notes a message for the store, if it is of those that go there. */
  #store(entry: Entry): void {
    const { journal } = this.#owner;
    const { qos = 0, retain = false, properties = NO_PROPERTIES } = entry.options;
    if (journal === undefined || qos === 0) return;
    const { topic, payload } = entry;
    entry.sequence = ++this.#lastSequence;
    const message = { topic, payload, qos, retain, properties };
    journal.add({ kind: "queued", sequence: entry.sequence, message });
  }

  #forget({ sequence }: Entry): void {
    if (sequence > 0) this.#owner.journal?.add({ kind: "removed", sequence });
  }

  #restored(message: StoredMessage, sequence: number): Entry {
    const { topic, payload, qos, retain, properties } = message;
    return {
      ...{ topic, payload, sequence },
      options: { qos, retain, properties },
      resolve() {},
      reject: (error) => this.#owner.abandoned(message, error),
      isSettled: false,
      isReceived: false,
      onAbort: undefined,
      isRestored: true,
    };
  }

  #hasPlace(payload: Uint8Array): boolean {
    const { queueMessagesMax = MESSAGES_MAX, queueBytesMax = BYTES_MAX } = this.#limits;
    return this.#queuedCount < queueMessagesMax &&
      this.#queuedBytes + payload.length <= queueBytesMax;
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
      if (this.#queue.length < length) {
        this.#leaveQueue(entry);
        this.#forget(entry);
      } else {
        const { length: again } = this.#again;
        this.#again.retain(isOther);
        if (this.#again.length < again) this.#forget(entry);
      }
      fail(entry, signal.reason);
    };
    signal.addEventListener("abort", entry.onAbort);
  }

  #checkTopic(topic: string): void {
    if (topic === this.#knownTopic) return;
    checkTopic(topic);
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
