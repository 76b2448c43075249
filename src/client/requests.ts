/**
 * SUBSCRIBE and UNSUBSCRIBE: sent when there is a connection, sent again on the next one if the
 * answer was lost with it, and the memory of what is subscribed, for when the broker has forgotten.
 *
 * @module
 */

import type { ClientEngine } from "../core/client/client_engine.ts";
import { REQUESTS_MAX } from "../core/client/outbound.ts";
import { encodeSubscribe } from "../core/codec/subscribe.ts";
import { encodeUnsubscribe } from "../core/codec/unsubscribe.ts";
import type { SubackPacket, SubscriptionRequest, UnsubackPacket } from "../core/codec/packet.ts";
import { NO_PROPERTIES, type Properties } from "../core/codec/property.ts";
import type { QoS } from "../core/codec/protocol.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import { parseFilter } from "../core/topic/filter.ts";
import { ClientError, hexOf } from "./client_error.ts";
import { batchesOf, requestSize } from "./request_size.ts";
import { Waiters } from "./waiters.ts";

/** Options of one subscription (section 3.8.3.1 of the standard); else QoS 0 and `false`. */
export interface SubscribeOptions {
  readonly qos?: QoS;
  /** Version 5: without what this client publishes itself. */
  readonly noLocal?: boolean;
  /** Version 5: messages keep the retain flag that they were published with. */
  readonly retainAsPublished?: boolean;
  /** Version 5: retained messages come always (0), if the subscription is new (1), or never (2). */
  readonly retainHandling?: 0 | 1 | 2;
  /** Version 5: a subscription identifier, user properties. */
  readonly properties?: Properties;
  readonly signal?: AbortSignal;
}

/** A filter with options of its own. */
export type FilterRequest = Pick<SubscriptionRequest, "filter"> & Partial<SubscriptionRequest>;

/** What the broker answered; a code for each filter, in their order. */
export interface SubscribeResult {
  /** The QoS that was granted, or 0x80 and above for a filter that was refused. */
  readonly reasonCodes: readonly ReasonCode[];
  readonly properties: Properties;
}

/** What requests need of their client. */
export interface RequestsOwner {
  /** Resolves when there is a connection; rejects when there will be none. */
  connected(signal: AbortSignal | undefined): Promise<void>;
  wake(): void;
  /** A subscription could not be had again. */
  unsubscribed(filter: string, reasonCode: ReasonCode): void;
}

/** Identifiers that are left for subscribing again. */
const REQUESTS_KEPT = 64;

type Answer = SubackPacket | UnsubackPacket;

/** Who waits for an answer; without one the connection was lost. */
interface Waiter {
  readonly answer: (packet: Answer | undefined) => void;
  readonly reject: (error: unknown) => void;
}

interface Remembered {
  readonly request: SubscriptionRequest;
  readonly properties: Properties;
}

export class Requests {
  readonly #engine: ClientEngine;
  readonly #owner: RequestsOwner;
  readonly #waiters: Map<number, Waiter> = new Map();
  /** Those who wait until fewer requests are under way. */
  readonly #room: Waiters = new Waiters();
  /** By filter, as the broker has them. */
  readonly #subscribed: Map<string, Remembered> = new Map();

  constructor(engine: ClientEngine, owner: RequestsOwner) {
    this.#engine = engine;
    this.#owner = owner;
  }

  async subscribe(
    filters: readonly (string | FilterRequest)[],
    options: SubscribeOptions,
  ): Promise<SubscribeResult> {
    const requests = filters.map((filter) => requestOf(filter, options));
    const { properties = NO_PROPERTIES, signal } = options;
    const size = requestSize(requests.length, (writer) =>
      encodeSubscribe(
        writer,
        { type: "subscribe", packetId: 1, subscriptions: requests, properties },
        5,
      ));
    const send = (): number => this.#engine.subscribe(requests, properties);
    const answer = await this.#ask(send, size, signal);
    const { reasonCodes } = answer;
    requests.forEach((request, index) => {
      const isGranted = (reasonCodes[index] ?? 0x80) < ReasonCode.UNSPECIFIED_ERROR;
      if (isGranted) this.#subscribed.set(request.filter, { request, properties });
    });
    if (reasonCodes.every((code) => code >= ReasonCode.UNSPECIFIED_ERROR)) {
      const [reasonCode = ReasonCode.UNSPECIFIED_ERROR] = reasonCodes;
      const message = `The broker refused the subscription: ${hexOf(reasonCode)}`;
      throw new ClientError("refused", message, { reasonCode, properties: answer.properties });
    }
    return { reasonCodes, properties: answer.properties };
  }

  async unsubscribe(
    filters: readonly string[],
    { properties = NO_PROPERTIES, signal }: Pick<SubscribeOptions, "properties" | "signal">,
  ): Promise<SubscribeResult> {
    for (const filter of filters) checkFilter(filter);
    const size = requestSize(filters.length, (writer) =>
      encodeUnsubscribe(
        writer,
        { type: "unsubscribe", packetId: 1, filters: [...filters], properties },
        5,
      ));
    const send = (): number => this.#engine.unsubscribe([...filters], properties);
    const answer = await this.#ask(send, size, signal);
    for (const filter of filters) this.#subscribed.delete(filter);
    return { reasonCodes: answer.reasonCodes, properties: answer.properties };
  }

  /** An answer came. */
  answered(packet: Answer): void {
    const waiter = this.#waiters.get(packet.packetId);
    this.#waiters.delete(packet.packetId);
    waiter?.answer(packet);
    this.#room.resolve();
  }

  /** The broker does not know this client: tells it again what the application reads. */
  subscribeAgain(): void {
    const byProperties = new Map<Properties, SubscriptionRequest[]>();
    for (const { request, properties } of this.#subscribed.values()) {
      const requests = byProperties.get(properties);
      if (requests === undefined) byProperties.set(properties, [request]);
      else requests.push(request);
    }
    const packetSizeMax = this.#engine.connack?.properties.maximumPacketSize ?? Infinity;
    for (const [properties, requests] of byProperties) {
      for (const batch of batchesOf(requests, properties, packetSizeMax)) {
        this.#repeat(batch, properties);
      }
    }
    this.#owner.wake();
  }

  /** Subscribes once more; nobody waits for the answer but whoever wants to know what was lost. */
  #repeat(requests: SubscriptionRequest[], properties: Properties): void {
    const packetId = this.#engine.subscribe(requests, properties);
    this.#waiters.set(packetId, {
      answer: (packet) => {
        requests.forEach(({ filter }, index) => {
          const reasonCode = packet?.reasonCodes[index] ?? ReasonCode.SUCCESS;
          if (reasonCode < ReasonCode.UNSPECIFIED_ERROR) return;
          this.#subscribed.delete(filter);
          this.#owner.unsubscribed(filter, reasonCode);
        });
      },
      reject() {},
    });
  }

  /** The connection is gone; who waits asks again on the next. */
  connectionLost(): void {
    for (const waiter of this.#waiters.values()) waiter.answer(undefined);
    this.#waiters.clear();
    this.#room.resolve();
  }

  /** There will be no connection any more. */
  end(error: unknown): void {
    for (const waiter of this.#waiters.values()) waiter.reject(error);
    this.#waiters.clear();
    this.#room.reject(error);
  }

  async #ask(
    send: () => number,
    size: number,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    for (;;) {
      await this.#owner.connected(signal);
      if (this.#engine.requestCount >= REQUESTS_MAX - REQUESTS_KEPT) {
        await this.#room.wait(signal);
        continue;
      }
      // The connection may be gone again before it is this one's turn.
      if (this.#engine.phase !== "connected") continue;
      // [MQTT-3.2.2-15]
      if (size > (this.#engine.connack?.properties.maximumPacketSize ?? Infinity)) {
        throw new ClientError("too-large", "Cannot ask for so much: the broker takes no such size");
      }
      const answer = await this.#askOnce(send, signal);
      if (answer !== undefined) return answer;
    }
  }

  #askOnce(send: () => number, signal: AbortSignal | undefined): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      const packetId = send();
      const end = (): void => signal?.removeEventListener("abort", onAbort);
      const onAbort = (): void => {
        this.#waiters.delete(packetId);
        end();
        reject(signal!.reason);
      };
      signal?.addEventListener("abort", onAbort);
      this.#waiters.set(packetId, {
        answer(packet) {
          end();
          resolve(packet);
        },
        reject(error) {
          end();
          reject(error);
        },
      });
      this.#owner.wake();
    });
  }
}

function requestOf(filter: string | FilterRequest, options: SubscribeOptions): SubscriptionRequest {
  const own: FilterRequest = typeof filter === "string" ? { filter } : filter;
  checkFilter(own.filter);
  return {
    filter: own.filter,
    qos: own.qos ?? options.qos ?? 0,
    noLocal: own.noLocal ?? options.noLocal ?? false,
    retainAsPublished: own.retainAsPublished ?? options.retainAsPublished ?? false,
    retainHandling: own.retainHandling ?? options.retainHandling ?? 0,
  };
}

function checkFilter(filter: string): void {
  if (typeof parseFilter(filter) !== "string") return;
  throw new ClientError("invalid-argument", `Cannot use the topic filter "${filter}"`);
}
