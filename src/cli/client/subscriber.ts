/**
 * The work of `sub`: subscribes, chooses among the messages that come, and knows when it is done.
 *
 * @module
 */

import type { IncomingMessage } from "../../core/client/incoming_message.ts";
import type { SubackPacket } from "../../core/codec/packet.ts";
import type { Properties } from "../../core/codec/property.ts";
import { ReasonCode } from "../../core/codec/reason_code.ts";
import { matches, parseFilter } from "../../core/topic/filter.ts";
import type { SubSettings } from "./client_settings.ts";
import type { Display } from "./display.ts";
import { refusalWarning } from "./publish_failure.ts";
import { type ReceiverWork, subscriptionsOf } from "./receiving.ts";
import { RetainedRemover } from "./retained_remover.ts";
import type { ToolClient } from "./tool_client.ts";

/** What a subscriber works with. */
export interface SubscriberParts {
  readonly display: Display;
  /** Prints to standard output. */
  readonly print: (text: string) => void;
  /** At least 0 and below 1. */
  readonly chance: () => number;
  readonly now: () => number;
}

const PERCENT = 100;

export class Subscriber implements ReceiverWork {
  readonly reconnects = true;
  client!: ToolClient;
  readonly #settings: SubSettings;
  readonly #display: Display;
  readonly #print: (text: string) => void;
  readonly #chance: () => number;
  readonly #now: () => number;
  readonly #filteredOut: readonly string[];
  readonly #remover: RetainedRemover = new RetainedRemover();
  #count = 0;
  #unsubscriptionsLeft = 0;
  /** Nothing more is shown. */
  #isDone = false;
  #hasWarned = false;

  constructor(settings: SubSettings, { display, print, chance, now }: SubscriberParts) {
    this.#settings = settings;
    this.#display = display;
    this.#print = print;
    this.#chance = chance;
    this.#now = now;
    this.#filteredOut = settings.filteredOut.map((text) => {
      const parsed = parseFilter(text);
      return typeof parsed === "string" ? text : parsed.filter;
    });
  }

  onConnected(): void {
    const { filters, unsubscriptions, subscribeProperties, unsubscribeProperties } = this.#settings;
    const { engine } = this.client;
    this.#remover.forget();
    if (filters.length > 0) {
      engine.subscribe(subscriptionsOf(filters, this.#settings), subscribeProperties);
    }
    this.#unsubscriptionsLeft = unsubscriptions.length;
    for (const filter of unsubscriptions) engine.unsubscribe([filter], unsubscribeProperties);
  }

  onSuback({ packetId, reasonCodes }: SubackPacket): void {
    if (this.#settings.isDebugging) {
      this.#print(`Subscribed (mid: ${packetId}): ${reasonCodes.join(", ")}\n`);
    }
    if (reasonCodes.every((code) => code >= ReasonCode.UNSPECIFIED_ERROR)) {
      this.client.warn("All subscription requests were denied.");
      this.#finish();
    } else if (this.#settings.exitsWhenSubscribed) {
      this.#finish();
    }
  }

  onUnsuback(): void {
    this.#unsubscriptionsLeft--;
    const { exitsWhenSubscribed, filters } = this.#settings;
    // Without a subscription there is no other acknowledgement to wait for.
    if (exitsWhenSubscribed && filters.length === 0 && this.#unsubscriptionsLeft === 0) {
      this.#finish();
    }
  }

  onMessage(message: IncomingMessage): void {
    if (this.#isDone) return;
    const { ignoresRetained, onlyRetained, removesRetained, countMax } = this.#settings;
    if (message.retain) {
      if (ignoresRetained) return;
    } else if (onlyRetained) {
      return this.#finish();
    }
    if (this.#filteredOut.length > 0 && this.#isFilteredOut(message.topic)) return;
    if (message.retain && removesRetained) this.#remove(message.topic);
    if (!this.#isChosen()) return;
    this.#display.show(message);
    if (countMax !== undefined && ++this.#count === countMax) this.#finish();
  }

  onPublished(packetId: number, reasonCode: ReasonCode, properties: Properties): void {
    this.client.warn(...refusalWarning(packetId, reasonCode, properties));
    this.#endIfDone();
  }

  pump(): boolean {
    const hasMore = this.#remover.pump(this.client, this.#now());
    this.#endIfDone();
    return hasMore;
  }

  #remove(topic: string): void {
    if (this.#remover.add(topic) || this.#hasWarned) return;
    this.#hasWarned = true;
    this.client.warn("Warning: Too many retained messages at once, run again to remove the rest.");
  }

  #isFilteredOut(topic: string): boolean {
    return this.#filteredOut.some((filter) => matches(filter, topic));
  }

  #isChosen(): boolean {
    const { randomShare } = this.#settings;
    return randomShare === undefined || this.#chance() * PERCENT < randomShare;
  }

  /** The work is done, but for what is still to be removed. */
  #finish(): void {
    this.#isDone = true;
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#isDone && this.#remover.isEmpty && this.client.engine.inflightCount === 0) {
      this.client.finish(0);
    }
  }
}
