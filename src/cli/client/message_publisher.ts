/**
 * One message, published once or several times in a row; then the work is done.
 *
 * @module
 */

import type { ConnackPacket } from "../../core/codec/packet.ts";
import type { Properties } from "../../core/codec/property.ts";
import type { ReasonCode } from "../../core/codec/reason_code.ts";
import { failureOf } from "./client_failure.ts";
import type { PubSettings } from "./client_settings.ts";
import { isTooLarge, publishFailure, refusalWarning } from "./publish_failure.ts";
import type { ToolClient, ToolWork } from "./tool_client.ts";
import { aliasFailure, topicToSend } from "./topic_alias.ts";

export class MessagePublisher implements ToolWork {
  readonly reconnects = false;
  /** Set before the client runs. */
  client!: ToolClient;
  readonly #settings: PubSettings;
  readonly #payload: Uint8Array;
  readonly #now: () => number;
  #left: number;
  /** The one before is done, and so is the pause after it. */
  #isDue = false;
  #isAliasKnown = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(settings: PubSettings, payload: Uint8Array, now: () => number) {
    this.#settings = settings;
    this.#payload = payload;
    this.#now = now;
    this.#left = settings.repetitions;
  }

  onConnected(connack: ConnackPacket): void {
    const failure = aliasFailure(this.#settings.properties, connack);
    if (failure !== undefined) return this.client.fail(failure);
    this.#isDue = true;
  }

  pump(): boolean {
    while (this.#isDue) {
      if (!this.client.hasRoom) return true;
      this.#isDue = false;
      this.#publish();
    }
    return false;
  }

  onPublished(packetId: number, reasonCode: ReasonCode, properties: Properties): void {
    this.client.warn(...refusalWarning(packetId, reasonCode, properties));
    this.#finished();
  }

  /** No timer is left behind. */
  onLost(): void {
    clearTimeout(this.#timer);
  }

  onMessage(): void {}
  onSuback(): void {}
  onUnsuback(): void {}

  #publish(): void {
    const { topic, qos, retain, properties } = this.#settings;
    const payload = this.#payload;
    if (isTooLarge(topic, payload)) return this.client.fail(failureOf("payloadSize"));
    const name = topicToSend(topic, properties, this.#isAliasKnown);
    const options = { qos, retain, properties };
    const packetId = this.client.engine.publish(name, payload, options, this.#now());
    if (packetId < 0) return this.client.fail(publishFailure(packetId));
    this.#isAliasKnown = true;
    if (packetId === 0) this.#finished();
  }

  /** A message is done: the next one is due, at once or after a while. */
  #finished(): void {
    this.#left--;
    if (this.#left === 0) return this.client.finish(0);
    const { repeatDelayMs } = this.#settings;
    if (repeatDelayMs === 0) return this.#beDue();
    this.#timer = setTimeout(() => this.#beDue(), repeatDelayMs);
  }

  #beDue(): void {
    this.#isDue = true;
    this.client.wake();
  }
}
