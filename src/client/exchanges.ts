/**
 * Requests that are answered by another client (section 4.10 of the standard): a response topic of
 * our own, and correlation data by which an answer finds who waits for it.
 *
 * @module
 */

import type { IncomingMessage } from "../core/client/incoming_message.ts";
import { ClientError } from "./client_error.ts";
import { type Message, messageOf } from "./message.ts";

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

export class Exchanges {
  /** By correlation data, as hexadecimal digits. */
  readonly #waiting: Map<string, Waiting> = new Map();
  #responseTopic: string | undefined;

  /** Answers come to this topic from now on. */
  listenAt(responseTopic: string): void {
    this.#responseTopic = responseTopic;
  }

  /** Begins to wait for the answer to a request of this correlation data. */
  wait(correlationData: Uint8Array, options: WaitOptions): Promise<Message> {
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

  /** Whether somebody still wants the answer. */
  isWaiting(correlationData: Uint8Array): boolean {
    return this.#waiting.has(keyOf(correlationData));
  }

  /** The request could not be made. */
  fail(correlationData: Uint8Array, error: unknown): void {
    this.#waiting.get(keyOf(correlationData))?.reject(error);
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
