/**
 * Each line of standard input as a message, until its end has been acknowledged. What a lost
 * connection leaves unacknowledged is sent again on the next one.
 *
 * The idea: input is read in large pieces into one buffer, and a line of QoS 0 goes from there into
 * the client's outbox in one copy. Nothing is read while the broker cannot take what is there.
 *
 * @module
 */

import { PublishRefusal } from "../../core/client/outbound.ts";
import { PublishTemplate } from "../../core/client/publish_template.ts";
import type { ConnackPacket } from "../../core/codec/packet.ts";
import type { Properties } from "../../core/codec/property.ts";
import { VARINT_MAX } from "../../core/codec/protocol.ts";
import type { ReasonCode } from "../../core/codec/reason_code.ts";
import { ClientFailure, failureOf } from "./client_failure.ts";
import type { PubSettings } from "./client_settings.ts";
import { LineBuffer } from "./line_buffer.ts";
import { isTooLarge, publishFailure, refusalWarning } from "./publish_failure.ts";
import type { ToolClient, ToolWork } from "./tool_client.ts";
import { aliasFailure, topicToSend } from "./topic_alias.ts";

/** Where the lines come from, and the time. */
export interface LineSurroundings {
  /** See `Runtime.readInput`; rejects with a `ClientFailure`. */
  read(buffer: Uint8Array): Promise<number | undefined>;
  now(): number;
}

export class LinePublisher implements ToolWork {
  readonly reconnects = true;
  /** Set before the client runs. */
  client!: ToolClient;
  readonly #settings: PubSettings;
  readonly #surroundings: LineSurroundings;
  readonly #lines: LineBuffer = new LineBuffer();
  /** Sent and not acknowledged, by their identifiers. */
  readonly #unacknowledged: Map<number, Uint8Array> = new Map();
  /** What comes before everything that is still to be read. */
  #again: Uint8Array[] = [];
  #template: PublishTemplate | undefined;
  #packetBytesMax = Infinity;
  #isAliasKnown = false;
  #isReading = false;

  constructor(settings: PubSettings, surroundings: LineSurroundings) {
    this.#settings = settings;
    this.#surroundings = surroundings;
  }

  /** Begins to read; whatever comes before the broker has answered waits. */
  start(): void {
    this.#read();
  }

  onConnected(connack: ConnackPacket): void {
    const failure = aliasFailure(this.#settings.properties, connack);
    if (failure !== undefined) return this.client.fail(failure);
    this.#isAliasKnown = false;
    this.#packetBytesMax = connack.properties.maximumPacketSize ?? Infinity;
    if (connack.properties.retainAvailable === false && this.#settings.retain) {
      return this.client.fail(publishFailure(PublishRefusal.RETAIN_NOT_SUPPORTED));
    }
    this.#template = this.#settings.qos === 0 ? this.#makeTemplate() : undefined;
    // Otherwise the session was resumed, and the engine has sent them again.
    if (this.client.engine.inflightCount > 0) return;
    this.#again = [...this.#unacknowledged.values(), ...this.#again];
    this.#unacknowledged.clear();
  }

  pump(): boolean {
    const { client } = this;
    while (this.#again.length > 0) {
      if (!client.hasRoom) return true;
      if (!this.#publish(this.#again[0]!)) return false;
      this.#again.shift();
    }
    const lines = this.#lines;
    while (lines.find()) {
      if (!client.hasRoom) return true;
      if (this.#template !== undefined) this.#append(this.#template);
      else if (!this.#publish(lines.bytes.slice(lines.start, lines.end))) return false;
      lines.take();
      if (client.engine.phase !== "connected") return false;
    }
    // However much of the line is still to come, it is no payload.
    if (lines.waitingBytes > VARINT_MAX) client.fail(failureOf("payloadSize"));
    else if (!lines.isAtEnd) this.#read();
    else if (this.#unacknowledged.size === 0) client.finish(0);
    return false;
  }

  onPublished(packetId: number, reasonCode: ReasonCode, properties: Properties): void {
    this.#unacknowledged.delete(packetId);
    this.client.warn(...refusalWarning(packetId, reasonCode, properties));
  }

  /** What the broker has said that it has is not sent again. */
  onLost(): void {
    for (const packetId of this.#unacknowledged.keys()) {
      if (this.client.engine.isReceived(packetId)) this.#unacknowledged.delete(packetId);
    }
  }

  onMessage(): void {}
  onSuback(): void {}
  onUnsuback(): void {}

  /** Sends the line that was found, at QoS 0. */
  #append(template: PublishTemplate): void {
    const { bytes, start, end } = this.#lines;
    const { client } = this;
    const size = template.sizeOf(end - start);
    if (size > this.#packetBytesMax) {
      return client.fail(failureOf(size === Infinity ? "payloadSize" : "packetSize"));
    }
    template.append(client.engine.outbox, bytes, start, end);
    if (this.#isAliasKnown || this.#settings.properties.topicAlias === undefined) return;
    this.#isAliasKnown = true;
    this.#template = this.#makeTemplate();
  }

  /** Sends a line at QoS 1 or 2; `false` when it has to wait. */
  #publish(payload: Uint8Array): boolean {
    const { topic, qos, retain, properties } = this.#settings;
    const { client } = this;
    if (isTooLarge(topic, payload)) {
      client.fail(failureOf("payloadSize"));
      return false;
    }
    const name = topicToSend(topic, properties, this.#isAliasKnown);
    const options = { qos, retain, properties };
    const packetId = client.engine.publish(name, payload, options, this.#surroundings.now());
    if (packetId === PublishRefusal.MUST_WAIT) return false;
    if (packetId < 0) {
      client.fail(publishFailure(packetId));
      return false;
    }
    this.#isAliasKnown = true;
    this.#unacknowledged.set(packetId, payload);
    return true;
  }

  #makeTemplate(): PublishTemplate {
    const { topic: whole, retain, properties, connect } = this.#settings;
    const topic = topicToSend(whole, properties, this.#isAliasKnown);
    return new PublishTemplate({ topic, retain, properties, version: connect.protocolVersion });
  }

  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      this.#lines.add(await this.#surroundings.read(this.#lines.room()));
      this.#isReading = false;
      this.client.wake();
    } catch (error) {
      if (!(error instanceof ClientFailure)) throw error;
      this.client.fail(error);
    }
  }
}
