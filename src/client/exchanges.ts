/**
 * Requests that are answered by another client (section 4.10 of the standard): a response topic of
 * our own, and correlation data by which an answer finds who waits for it.
 *
 * @module
 */

import type { IncomingMessage } from "../core/client/incoming_message.ts";
import type { ProtocolVersion } from "../core/codec/protocol.ts";
import { NO_PROPERTIES } from "../core/codec/property.ts";
import { ClientError } from "./client_error.ts";
import { type Message, messageOf } from "./message.ts";
import type { PublishOptions, PublishResult } from "./outgoing_entry.ts";

/** How a request is made. */
export interface WaitOptions {
  /** Milliseconds; 10,000 unless given. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

interface Waiting {
  readonly resolve: (message: Message) => void;
  readonly reject: (error: unknown) => void;
}

const TIMEOUT_MS = 10_000;

/** What requests need of their client. */
export interface ExchangesOwner {
  readonly protocolVersion: ProtocolVersion;
  /** Where answers come; known when there is a connection. */
  responseTopic(): string;
  connected(): Promise<void>;
  subscribe(filter: string): Promise<unknown>;
  publish(topic: string, payload: Uint8Array, options: PublishOptions): Promise<PublishResult>;
}

export class Exchanges {
  readonly #owner: ExchangesOwner;
  /** By correlation data, as hexadecimal digits. */
  readonly #waiting: Map<string, Waiting> = new Map();
  #responseTopic: string | undefined;
  #listening: Promise<unknown> | undefined;

  constructor(owner: ExchangesOwner) {
    this.#owner = owner;
  }

  /** Sends a request; resolves to its answer. */
  async request(
    topic: string,
    payload: Uint8Array,
    options: PublishOptions & WaitOptions,
  ): Promise<Message> {
    if (this.#owner.protocolVersion !== 5) {
      throw new ClientError("not-supported", "Requests with a response need version 5");
    }
    if (options.signal?.aborted) throw options.signal.reason;
    const correlationData = crypto.getRandomValues(new Uint8Array(16));
    const response = this.#wait(correlationData, options);
    this.#listen().then((responseTopic) => {
      if (!this.#waiting.has(keyOf(correlationData))) return;
      const properties = { ...options.properties, responseTopic, correlationData };
      return this.#owner.publish(topic, payload, { ...options, properties });
    }).catch((error) => this.#waiting.get(keyOf(correlationData))?.reject(error));
    return await response;
  }

  /** Answers a request. */
  respond(request: Message, payload: Uint8Array, options: PublishOptions): Promise<PublishResult> {
    const { responseTopic, correlationData } = request.properties;
    if (responseTopic === undefined) {
      const message = "Cannot respond to a message without a response topic";
      return Promise.reject(new ClientError("invalid-argument", message));
    }
    const properties = correlationData === undefined
      ? options.properties ?? NO_PROPERTIES
      : { ...options.properties, correlationData };
    return this.#owner.publish(responseTopic, payload, {
      qos: request.qos,
      ...options,
      properties,
    });
  }

  /** Subscribes to where responses come, once. */
  async #listen(): Promise<string> {
    await this.#owner.connected();
    const responseTopic = this.#responseTopic = this.#owner.responseTopic();
    this.#listening ??= this.#owner.subscribe(responseTopic);
    try {
      await this.#listening;
    } catch (error) {
      this.#listening = undefined;
      throw error;
    }
    return responseTopic;
  }

  /** Begins to wait for the answer to a request of this correlation data. */
  #wait(correlationData: Uint8Array, options: WaitOptions): Promise<Message> {
    const { timeoutMs = TIMEOUT_MS, signal } = options;
    const key = keyOf(correlationData);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        this.#waiting.delete(key);
      };
      const onAbort = (): void => {
        end();
        reject(signal!.reason);
      };
      const timer = setTimeout(() => {
        end();
        reject(new ClientError("timed-out", `No response came within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiting.set(key, {
        resolve(message) {
          end();
          resolve(message);
        },
        reject(error) {
          end();
          reject(error);
        },
      });
      if (signal?.aborted) onAbort();
      else signal?.addEventListener("abort", onAbort);
    });
  }

  /** `true` when the message came to the response topic, whether or not anybody still waits. */
  take(view: IncomingMessage): boolean {
    if (this.#responseTopic === undefined || view.topic !== this.#responseTopic) return false;
    const { correlationData } = view.properties;
    if (correlationData !== undefined) {
      this.#waiting.get(keyOf(correlationData))?.resolve(messageOf(view));
    }
    return true;
  }

  /** There will be no answers any more. */
  end(error: unknown): void {
    for (const waiting of [...this.#waiting.values()]) waiting.reject(error);
  }
}

function keyOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
