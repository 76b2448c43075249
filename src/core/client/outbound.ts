/**
 * What a client sends: messages under the broker's limits, requests, and whatever has to be sent
 * again when a session is resumed. Requests (SUBSCRIBE and UNSUBSCRIBE) take their identifiers from
 * the same numbers as messages, but belong to one connection and do not count against its window.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { decodeUtf8 } from "../base/utf8.ts";
import { type AckView, encodeAck } from "../codec/ack.ts";
import { encodeDisconnect } from "../codec/disconnect.ts";
import { ProtocolError } from "../codec/error.ts";
import { NO_PROPERTIES, type Properties } from "../codec/property.ts";
import { type AckType, PacketType, type ProtocolVersion, type QoS } from "../codec/protocol.ts";
import { mayCarry, ReasonCode } from "../codec/reason_code.ts";
import type { Writer } from "../codec/writer.ts";
import type { Delivery } from "../session/delivery.ts";
import { makeMessage } from "../session/make_message.ts";
import { AwaitedPacket, type InflightEntry, Sender } from "../session/sender.ts";
import { OutboundAliases } from "../session/topic_aliases.ts";
import type { ClientSink } from "./client_sink.ts";
import { type PublishOptions, PublishWriter } from "./publish_writer.ts";

/** What `publish` returns, in place of a Packet Identifier, when nothing was sent. */
export const PublishRefusal = Object.freeze(
  {
    NOT_CONNECTED: -1,
    /** The send quota is used up; `onPublished` frees some of it. */
    MUST_WAIT: -2,
    PACKET_TOO_LARGE: -3,
    QOS_NOT_SUPPORTED: -4,
    RETAIN_NOT_SUPPORTED: -5,
  } as const,
);

/** What has to be known of QoS 2 by whoever wants to survive the process. */
export type OutboundSink = Pick<ClientSink, "onReceived">;

/** A message that was in flight when the process ended. */
export interface RestoredMessage {
  readonly packetId: number;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly options: PublishOptions;
  /** The broker has it: only the identifier is left to be released. */
  readonly isReceived: boolean;
  /** How long ago it was sent, in milliseconds. */
  readonly ageMs: number;
}

const PACKET_ID_MAX = 65_535;
/** Identifiers that messages leave to requests, so that one is always free. */
export const REQUESTS_MAX = 1024;

export class Outbound {
  version: ProtocolVersion = 5;
  /** Whether what is in flight is kept for a later connection. */
  isResumable = false;
  /** Our own bound on the topics that are sent as aliases. */
  aliasesMax = 0;
  readonly #outbox: Writer;
  readonly #sink: OutboundSink;
  readonly #writer: PublishWriter = new PublishWriter();
  #sender: Sender = new Sender();
  #sequence = 0;
  /** What the broker can take, from its CONNACK. */
  #packetSizeMax = Infinity;
  #qosMax: QoS = 2;
  #takesRetain = true;
  #aliases: OutboundAliases | undefined;
  /** Identifiers of the requests that wait for their answer. */
  readonly #requests: Set<number> = new Set();
  #lastRequestId = 0;

  constructor(outbox: Writer, sink: OutboundSink = {}) {
    this.#outbox = outbox;
    this.#sink = sink;
  }

  get sendQuota(): number {
    return this.#sender.sendQuota;
  }

  get inflightCount(): number {
    return this.#sender.inflightCount;
  }

  /** Whether PUBREC came for a message that is in flight. */
  isReceived(packetId: number): boolean {
    return this.#sender.find(packetId)?.awaits === AwaitedPacket.PUBCOMP;
  }

  /** The connection was accepted: applies the broker's limits and sends again what must be. */
  start(properties: Properties, inflightMax: number, now: number): void {
    this.#packetSizeMax = properties.maximumPacketSize ?? Infinity;
    // The property is a bit; its absence means 2.
    this.#qosMax = (properties.maximumQos ?? 2) as QoS;
    this.#takesRetain = properties.retainAvailable !== false;
    // [MQTT-3.2.2-17] [MQTT-3.2.2-18]
    const aliasesMax = Math.min(properties.topicAliasMaximum ?? 0, this.aliasesMax);
    this.#aliases = aliasesMax > 0 ? new OutboundAliases(aliasesMax) : undefined;
    const window = PACKET_ID_MAX - REQUESTS_MAX;
    this.#sender.start(Math.min(properties.receiveMaximum ?? window, inflightMax, window));
    this.#sendAgain(now); // [MQTT-4.4.0-1]
  }

  /** The connection is gone, and with it the requests and the aliases. */
  stop(): void {
    this.#aliases = undefined; // [MQTT-3.3.2-7]
    this.#requests.clear();
  }

  /** Forgets what is in flight; returns what had not been acknowledged, in order. */
  forget(): Delivery[] {
    const unacknowledged = this.#sender.entriesInOrder().flatMap(({ delivery }) =>
      delivery === undefined ? [] : [delivery]
    );
    this.#sender = new Sender();
    return unacknowledged;
  }

  /** Puts back what was in flight; in the order of first sending. */
  restore(
    { packetId, topic, payload, options, isReceived, ageMs }: RestoredMessage,
    now: number,
  ): void {
    if (isReceived) return this.#sender.restore(packetId, AwaitedPacket.PUBCOMP, undefined);
    const awaits = options.qos === 2 ? AwaitedPacket.PUBREC : AwaitedPacket.PUBACK;
    this.#sender.restore(packetId, awaits, this.#keep(topic, payload, options, now - ageMs));
  }

  /** Sends a message; returns its identifier or a refusal. */
  publish(
    topic: string | Uint8Array,
    payload: Uint8Array,
    options: PublishOptions,
    now: number,
  ): number {
    const { qos = 0 } = options;
    if (qos > this.#qosMax) return PublishRefusal.QOS_NOT_SUPPORTED; // [MQTT-3.2.2-11]
    if (options.retain === true && !this.#takesRetain) {
      return PublishRefusal.RETAIN_NOT_SUPPORTED; // [MQTT-3.2.2-14]
    }
    const aliases = this.#aliasesFor(topic, options);
    const known = aliases?.get(topic as string) ?? 0; // only text has them
    let alias = known > 0 ? known : aliases?.next ?? 0;
    const sent = known > 0 ? "" : topic;
    let size = this.#writer.measure(sent, payload, options, this.version, alias);
    if (size > this.#packetSizeMax && alias !== known) {
      // A new alias makes the packet larger: it goes without.
      alias = 0;
      size = this.#writer.measure(topic, payload, options, this.version);
    }
    if (size > this.#packetSizeMax) return PublishRefusal.PACKET_TOO_LARGE; // [MQTT-3.2.2-15]
    let packetId = 0;
    if (qos > 0) {
      if (this.#sender.sendQuota <= 0) return PublishRefusal.MUST_WAIT; // [MQTT-3.3.4-7]
      packetId = this.#begin(qos, this.#keep(topic, payload, options, now));
    }
    this.#writer.write(this.#outbox, sent, payload, options, packetId);
    if (alias !== known) aliases?.assign(topic as string);
    return packetId;
  }

  /** The aliases of this connection, unless the application gives them out itself. */
  #aliasesFor(topic: string | Uint8Array, options: PublishOptions): OutboundAliases | undefined {
    if (this.#aliases === undefined || typeof topic !== "string") return undefined;
    return options.properties?.topicAlias === undefined ? this.#aliases : undefined;
  }

  /** Says good-bye, without what is only for people to read where that makes it too large. */
  disconnect(reason: ReasonCode, properties: Properties = NO_PROPERTIES): void {
    const outbox = this.#outbox;
    const start = outbox.length;
    // What is wrong with a packet that no broker sends is not for a DISCONNECT to say.
    const isSayable = mayCarry(PacketType.DISCONNECT, reason);
    const reasonCode = isSayable ? reason : ReasonCode.PROTOCOL_ERROR;
    encodeDisconnect(outbox, reasonCode, this.version, properties);
    if (outbox.length - start <= this.#packetSizeMax) return;
    // [MQTT-3.14.2-3] [MQTT-3.14.2-4]
    const { reasonString: _reason, userProperties: _pairs, ...others } = properties;
    outbox.length = start;
    encodeDisconnect(outbox, reasonCode, this.version, others);
  }

  /** Requests that wait for their answer. */
  get requestCount(): number {
    return this.#requests.size;
  }

  /** An identifier for a request; there must be fewer than `REQUESTS_MAX`. [MQTT-3.3.4-8] */
  request(): number {
    assert(this.#requests.size < REQUESTS_MAX, "Too many requests were made at once");
    let packetId = this.#lastRequestId;
    do {
      packetId = packetId === PACKET_ID_MAX ? 1 : packetId + 1;
    } while (this.#requests.has(packetId) || this.#sender.find(packetId) !== undefined);
    this.#lastRequestId = packetId;
    this.#requests.add(packetId);
    return packetId;
  }

  /** A request was answered; `false` when none of that identifier was made. */
  answered(packetId: number): boolean {
    return this.#requests.delete(packetId);
  }

  /** PUBACK, PUBREC or PUBCOMP came; `true` when a message of ours is done by it. */
  acknowledged(type: AckType, ack: AckView, now: number): boolean {
    const entry = this.#sender.find(ack.packetId);
    if (type === PacketType.PUBREC) return this.#received(entry, ack, now);
    // One that is not known any more was done on an earlier connection.
    if (entry === undefined) return false;
    expect(entry, type === PacketType.PUBACK ? AwaitedPacket.PUBACK : AwaitedPacket.PUBCOMP);
    this.#finish(entry, now);
    return true;
  }

  #received(entry: InflightEntry | undefined, ack: AckView, now: number): boolean {
    if (entry !== undefined && entry.awaits !== AwaitedPacket.PUBCOMP) {
      expect(entry, AwaitedPacket.PUBREC);
      if (ack.reasonCode >= ReasonCode.UNSPECIFIED_ERROR) {
        // Refused: the exchange is over, and the identifier free [MQTT-4.3.3-4].
        this.#finish(entry, now);
        return true;
      }
      entry.awaits = AwaitedPacket.PUBCOMP;
      entry.delivery = undefined;
      this.#sink.onReceived?.(ack.packetId);
    }
    // [MQTT-4.6.0-4]
    const isKnown = entry !== undefined;
    const code = isKnown ? ReasonCode.SUCCESS : ReasonCode.PACKET_IDENTIFIER_NOT_FOUND;
    this.#sendPubrel(ack.packetId, code);
    return false;
  }

  #finish(entry: InflightEntry, now: number): void {
    this.#sender.release(entry);
    if (this.#sender.hasUnsent) this.#sendAgain(now);
  }

  /** Sends what an earlier connection left unfinished, as far as the window allows. */
  #sendAgain(now: number): void {
    const sender = this.#sender;
    for (let entry = sender.nextUnsent(); entry !== undefined; entry = sender.nextUnsent()) {
      const { packetId, delivery } = entry;
      if (entry.awaits === AwaitedPacket.PUBCOMP) this.#sendPubrel(packetId, ReasonCode.SUCCESS);
      else if (delivery !== undefined) {
        const header = { version: this.version, packetId };
        this.#writer.writeAgain(this.#outbox, delivery.message, header, now);
      }
    }
  }

  #sendPubrel(packetId: number, reasonCode: ReasonCode): void {
    encodeAck(this.#outbox, PacketType.PUBREL, packetId, reasonCode, this.version);
  }

  #begin(qos: QoS, delivery: Delivery | undefined): number {
    const awaits = qos === 1 ? AwaitedPacket.PUBACK : AwaitedPacket.PUBREC;
    let packetId = this.#sender.begin(awaits, delivery);
    // A request has that number: it is put back, and the next one comes [MQTT-2.2.1-3].
    while (this.#requests.has(packetId)) {
      const entry = this.#sender.find(packetId);
      assert(entry !== undefined, "A packet that was just begun is not in flight");
      this.#sender.release(entry);
      packetId = this.#sender.begin(awaits, delivery);
    }
    return packetId;
  }

  /** A copy, if the session can outlive the connection. */
  #keep(
    topic: string | Uint8Array,
    payload: Uint8Array,
    options: PublishOptions,
    now: number,
  ): Delivery | undefined {
    if (!this.isResumable) return undefined;
    const { qos = 0, retain = false, properties = NO_PROPERTIES } = options;
    const name = typeof topic === "string" ? topic : decodeUtf8(topic, 0, topic.length);
    assert(name !== null, "A topic name is not well-formed");
    const parts = { topic: name, payload, qos, retain, properties, publisherId: "" };
    const message = makeMessage(parts);
    const { messageExpiryInterval } = properties;
    if (messageExpiryInterval !== undefined) message.expiresAt = now + messageExpiryInterval * 1000;
    const sequence = ++this.#sequence;
    return { message, qos, retain, subscriptionId: 0, sequence, recordedAt: 0 };
  }
}

function expect(entry: InflightEntry, awaited: AwaitedPacket): void {
  if (entry.awaits === awaited) return;
  throw new ProtocolError(
    "4.3",
    `Packet "${entry.packetId}" was acknowledged in a way that its QoS does not have`,
  );
}
