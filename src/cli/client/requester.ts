/**
 * The work of `rr`: subscribes to where the response comes, publishes the request, and is done with
 * the first message.
 *
 * @module
 */

import type { IncomingMessage } from "../../core/client/incoming_message.ts";
import type { ConnackPacket, SubackPacket } from "../../core/codec/packet.ts";
import type { Properties } from "../../core/codec/property.ts";
import { ReasonCode } from "../../core/codec/reason_code.ts";
import { failureOf } from "./client_failure.ts";
import type { RrSettings } from "./client_settings.ts";
import { latencyText } from "./latency.ts";
import type { PrintMessage } from "./print_message.ts";
import { isTooLarge, publishFailure, refusalWarning } from "./publish_failure.ts";
import { reasonText } from "./reason_text.ts";
import { type ReceiverWork, subscriptionsOf } from "./receiving.ts";
import type { StandardOutput } from "./standard_output.ts";
import type { ToolClient } from "./tool_client.ts";
import { aliasFailure } from "./topic_alias.ts";

/** What a requester works with. */
export interface RequesterParts {
  readonly payload: Uint8Array;
  readonly print: PrintMessage;
  readonly output: StandardOutput;
  readonly now: () => number;
}

const NS_PER_MS = 1_000_000;

export class Requester implements ReceiverWork {
  readonly reconnects = false;
  client!: ToolClient;
  readonly #settings: RrSettings;
  readonly #parts: RequesterParts;
  /** `undefined` until the request is on its way. */
  #publishedAt: number | undefined;
  #isDone = false;

  constructor(settings: RrSettings, parts: RequesterParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  onConnected(connack: ConnackPacket): void {
    const { properties, responseTopic, subscribeProperties } = this.#settings;
    const failure = aliasFailure(properties, connack);
    if (failure !== undefined) return this.client.fail(failure);
    const subscriptions = subscriptionsOf([responseTopic], this.#settings);
    this.client.engine.subscribe(subscriptions, subscribeProperties);
  }

  onSuback({ reasonCodes: [code = ReasonCode.UNSPECIFIED_ERROR] }: SubackPacket): void {
    if (code >= ReasonCode.UNSPECIFIED_ERROR) {
      this.client.warn(reasonText(code));
      return this.client.finish(0);
    }
    this.#publish();
  }

  onMessage(message: IncomingMessage): void {
    if (this.#isDone || message.retain && this.#settings.ignoresRetained) return;
    this.#isDone = true;
    const { print, output, now } = this.#parts;
    print(output.writer, message);
    output.wake();
    if (this.#settings.printsLatency && this.#publishedAt !== undefined) {
      const nanoseconds = Math.round((now() - this.#publishedAt) * NS_PER_MS);
      output.print(`${latencyText(nanoseconds)}\n`);
    }
    this.client.finish(0);
  }

  onPublished(packetId: number, reasonCode: ReasonCode, properties: Properties): void {
    this.client.warn(...refusalWarning(packetId, reasonCode, properties));
  }

  onUnsuback(): void {}

  pump(): boolean {
    return false;
  }

  #publish(): void {
    const { topic, qos, properties } = this.#settings;
    const { payload, now } = this.#parts;
    if (isTooLarge(topic, payload)) return this.client.fail(failureOf("payloadSize"));
    this.#publishedAt = now();
    const packetId = this.client.engine.publish(topic, payload, { qos, properties }, now());
    if (packetId < 0) this.client.fail(publishFailure(packetId));
  }
}
