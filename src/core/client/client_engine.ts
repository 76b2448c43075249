/**
 * The client's half of the protocol as a state machine: bytes arrived, time passed and the
 * application's wishes go in; bytes gathered in `outbox`, calls to a sink and one deadline come
 * out. Sockets, reconnecting, queues and promises belong to whoever drives it.
 *
 * One engine is one session, over as many Network Connections as it takes: `connect` begins each.
 * When the phase is "ended", the driver lets the outbox leave and closes the transport.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { AckView } from "../codec/ack.ts";
import { encodeAuth } from "../codec/auth.ts";
import { encodeConnect } from "../codec/connect.ts";
import { decodePacket } from "../codec/decode.ts";
import { MqttError, ProtocolError } from "../codec/error.ts";
import { Framer } from "../codec/framer.ts";
import type { ConnackPacket, ConnectPacket, Packet, SubscriptionRequest } from "../codec/packet.ts";
import { encodePingreq } from "../codec/ping.ts";
import { NO_PROPERTIES, type Properties } from "../codec/property.ts";
import { type AckType, PacketType, type ProtocolVersion, type QoS } from "../codec/protocol.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import { encodeSubscribe } from "../codec/subscribe.ts";
import { encodeUnsubscribe } from "../codec/unsubscribe.ts";
import { Writer } from "../codec/writer.ts";
import type { ClientSink } from "./client_sink.ts";
import { Inbound } from "./inbound.ts";
import { Outbound, PublishRefusal, type RestoredMessage } from "./outbound.ts";
import { limitsFor } from "./packet_limits.ts";
import type { PublishOptions } from "./publish_writer.ts";

/** Where the engine stands. */
export type ClientPhase = "idle" | "connecting" | "connected" | "ended";

export interface ClientEngineOptions {
  /** Our own bound on unacknowledged messages, beside the broker's. */
  readonly inflightMax?: number;
  /** Milliseconds that the broker may take to answer CONNECT or PINGREQ. */
  readonly answerTimeoutMs?: number;
  /**
   * Messages are acknowledged by `acknowledge`, not when `onMessage` returns: an application that
   * takes its time then slows the broker down, by its Receive Maximum.
   */
  readonly acknowledgesLater?: boolean;
  /** Topics that are sent as an alias after the first time, beside the broker's bound. */
  readonly topicAliasesMax?: number;
}

const OUTBOX_BYTES = 256;
const RECEIVE_MAXIMUM = 65_535;
const ANSWER_TIMEOUT_MS = 10_000;
/** The part of the Keep Alive after which a PINGREQ is sent, so that it is never late. */
const PING_AFTER = 0.75;

export class ClientEngine {
  /** Bytes for the broker; the driver takes them and says so by `sent`. */
  readonly outbox: Writer = new Writer(new Uint8Array(OUTBOX_BYTES));
  /** As sent in CONNECT, or as the broker assigned it. */
  clientId = "";
  /** The broker's answer on the present connection. */
  connack: ConnackPacket | undefined = undefined;
  #phase: ClientPhase = "idle";
  #version: ProtocolVersion = 5;
  #framer: Framer = new Framer();
  readonly #sink: ClientSink;
  readonly #inflightMax: number;
  readonly #answerTimeoutMs: number;
  readonly #acknowledgesLater: boolean;
  readonly #ack: AckView = new AckView();
  readonly #outbound: Outbound;
  readonly #inbound: Inbound;
  #isFresh = false; // its session began with the present connection
  #keepAliveMs = 0;
  #lastSentAt = 0;
  /** The application is being shown a message that is acknowledged when it returns. */
  #isShowing = false;
  /** When the broker must have answered CONNECT or PINGREQ. */
  #answerDueAt = Infinity;

  constructor(sink: ClientSink, options: ClientEngineOptions = {}) {
    this.#sink = sink;
    this.#inflightMax = options.inflightMax ?? RECEIVE_MAXIMUM;
    this.#answerTimeoutMs = options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS;
    this.#acknowledgesLater = options.acknowledgesLater ?? false;
    this.#outbound = new Outbound(this.outbox, sink);
    this.#outbound.aliasesMax = options.topicAliasesMax ?? 0;
    this.#inbound = new Inbound(this.outbox, sink);
  }

  get phase(): ClientPhase {
    return this.#phase;
  }

  /** How many more QoS 1 and 2 messages may be sent now. */
  get sendQuota(): number {
    return this.#phase === "connected" ? this.#outbound.sendQuota : 0;
  }

  /** QoS 1 and 2 messages that were sent and are not done. */
  get inflightCount(): number {
    return this.#outbound.inflightCount;
  }

  /** Requests that wait for their answer; `REQUESTS_MAX` is the most. */
  get requestCount(): number {
    return this.#outbound.requestCount;
  }

  /** The instant at which `advance` has something to do; `Infinity` when it never will. */
  get nextDeadline(): number {
    if (this.#phase === "idle" || this.#phase === "ended") return Infinity;
    const pings = this.#phase === "connected" && this.#keepAliveMs > 0;
    const pingAt = pings ? this.#lastSentAt + this.#keepAliveMs * PING_AFTER : Infinity;
    return Math.min(pingAt, this.#answerDueAt);
  }

  /**
   * Puts a session back that was in use when the process ended, before the first connection; what
   * was in flight in the order of first sending. CONNECT has to ask for that session.
   */
  restore(inflight: readonly RestoredMessage[], heldIds: readonly number[], now: number): void {
    assert(this.#phase === "idle", "A session was restored too late");
    this.#outbound.isResumable = true;
    for (const message of inflight) this.#outbound.restore(message, now);
    for (const packetId of heldIds) this.#inbound.restore(packetId);
  }

  /** A Network Connection has been opened: CONNECT is gathered. */
  connect(packet: ConnectPacket, now: number): void {
    assert(this.#phase === "idle" || this.#phase === "ended", "A connection is under way");
    const { protocolVersion, cleanStart } = packet;
    this.#isFresh = cleanStart;
    // Older versions have none, and so the broker will not know of any.
    const properties = protocolVersion === 5 ? packet.properties : NO_PROPERTIES;
    this.#forgetConnection();
    // The session begins anew, or ended with its last connection [MQTT-3.1.2-4].
    if (cleanStart || !this.#outbound.isResumable) this.#forgetSession();
    this.#outbound.isResumable = protocolVersion === 5
      ? (properties.sessionExpiryInterval ?? 0) > 0
      : !cleanStart;
    this.#version = this.#outbound.version = this.#inbound.version = protocolVersion;
    this.#inbound.receiveMaximum = properties.receiveMaximum ?? RECEIVE_MAXIMUM;
    this.#inbound.topicAliasMaximum = properties.topicAliasMaximum ?? 0;
    this.clientId = packet.clientId;
    this.#keepAliveMs = packet.keepAlive * 1000;
    this.#framer = new Framer(limitsFor(properties.maximumPacketSize));
    this.#phase = "connecting";
    this.#answerDueAt = now + this.#answerTimeoutMs;
    encodeConnect(this.outbox, packet); // [MQTT-3.1.0-1]
  }

  /** Bytes arrived. The chunk is borrowed until this returns. */
  receive(chunk: Uint8Array, now: number): void {
    if (!this.#isOpen) return;
    const framer = this.#framer;
    framer.feed(chunk);
    try {
      while (framer.next()) {
        this.#dispatch(framer, now);
        if (!this.#isOpen || framer !== this.#framer) return;
      }
      framer.keepRest();
    } catch (error) {
      if (!(error instanceof MqttError)) throw error;
      this.#giveUp(error);
    }
  }

  /**
   * The driver has handed over what the outbox held. Where the transport keeps that buffer for a
   * while, the driver gives another in its place.
   */
  sent(now: number, replacement?: Uint8Array): void {
    if (this.outbox.length > 0) this.#lastSentAt = now;
    this.outbox.length = 0;
    if (replacement !== undefined) this.outbox.bytes = replacement;
  }

  /** Time passed. */
  advance(now: number): void {
    if (now < this.nextDeadline) return;
    if (now >= this.#answerDueAt) {
      const cause = this.#phase === "connecting" ? "no CONNACK" : "no PINGRESP";
      this.#phase = "ended";
      this.#sink.onSilence(cause);
      return;
    }
    encodePingreq(this.outbox); // [MQTT-3.1.2-20]
    if (this.#answerDueAt === Infinity) this.#answerDueAt = now + this.#answerTimeoutMs;
    this.#lastSentAt = now;
  }

  /**
   * The driver did not read for a while, of its own will: the broker gets its whole time anew to be
   * heard.
   */
  excuseSilence(now: number): void {
    if (this.#phase !== "connected" || this.#answerDueAt === Infinity) return;
    this.#answerDueAt = now + this.#answerTimeoutMs;
  }

  /** Whether the broker has said that it has a QoS 2 message of ours, which is not done yet. */
  isReceived(packetId: number): boolean {
    return this.#outbound.isReceived(packetId);
  }

  /** The Network Connection is gone; what is in flight waits for the next one. */
  connectionLost(): void {
    this.#phase = "idle";
    this.#forgetConnection();
  }

  /**
   * Publishes a message. Returns its Packet Identifier, 0 for QoS 0, or why nothing was sent, as a
   * negative number of {@linkcode PublishRefusal}. The topic must be a Topic Name; topic and
   * payload are not referred to any more when this returns.
   */
  publish(
    topic: string | Uint8Array,
    payload: Uint8Array,
    options: PublishOptions,
    now: number,
  ): number {
    if (this.#phase !== "connected") return PublishRefusal.NOT_CONNECTED; // [MQTT-3.1.2-30]
    return this.#outbound.publish(topic, payload, options, now);
  }

  /** Sends SUBSCRIBE and returns its Packet Identifier, which the SUBACK will have. */
  subscribe(subscriptions: SubscriptionRequest[], properties: Properties = NO_PROPERTIES): number {
    assert(this.#phase === "connected", "A request was made without a connection");
    const packetId = this.#outbound.request();
    const packet = { type: "subscribe", packetId, subscriptions, properties } as const;
    encodeSubscribe(this.outbox, packet, this.#version);
    return packetId;
  }

  /** Sends UNSUBSCRIBE and returns its Packet Identifier, which the UNSUBACK will have. */
  unsubscribe(filters: string[], properties: Properties = NO_PROPERTIES): number {
    assert(this.#phase === "connected", "A request was made without a connection");
    const packetId = this.#outbound.request();
    const packet = { type: "unsubscribe", packetId, filters, properties } as const;
    encodeUnsubscribe(this.outbox, packet, this.#version);
    return packetId;
  }

  /** Acknowledges a message; `false` when it came on an earlier connection, or is done. */
  acknowledge(packetId: number, reasonCode: ReasonCode = ReasonCode.SUCCESS): boolean {
    return this.#phase === "connected" && this.#inbound.acknowledge(packetId, reasonCode);
  }

  /** Sends a step of an enhanced authentication; version 5 only. */
  authenticate(reasonCode: ReasonCode, properties: Properties): void {
    assert(this.#isOpen && this.#version === 5, "AUTH needs a connection of version 5");
    encodeAuth(this.outbox, reasonCode, properties);
  }

  /** Says good-bye; the driver closes the transport when the outbox has left. [MQTT-3.14.4-1] */
  disconnect(
    reasonCode: ReasonCode = ReasonCode.NORMAL_DISCONNECTION,
    properties: Properties = NO_PROPERTIES,
  ): void {
    if (this.#phase === "connected") {
      // Whoever leaves with a message has had it, and must not be sent it again.
      const { qos, packetId } = this.#inbound.message;
      this.#finishShowing(qos, packetId);
      const { sessionExpiryInterval } = properties;
      if (sessionExpiryInterval === 0) this.#outbound.isResumable = false;
      this.#outbound.disconnect(reasonCode, properties);
    }
    this.#phase = "ended"; // [MQTT-3.14.4-2]
  }

  get #isOpen(): boolean {
    return this.#phase === "connected" || this.#phase === "connecting";
  }

  #dispatch(framer: Framer, now: number): void {
    const { firstByte, bytes, bodyStart, end } = framer;
    if (this.#phase === "connected") {
      const type = firstByte >> 4;
      switch (type) {
        case PacketType.PUBLISH:
          return this.#handlePublish(framer);
        case PacketType.PUBACK:
        case PacketType.PUBREC:
        case PacketType.PUBREL:
        case PacketType.PUBCOMP:
          this.#ack.read(firstByte, bytes, bodyStart, end, this.#version);
          return this.#handleAck(type, now);
      }
    }
    this.#handle(decodePacket(firstByte, bytes, bodyStart, end, this.#version), now);
  }

  #handlePublish(framer: Framer): void {
    const inbound = this.#inbound;
    if (!inbound.receive(framer)) return;
    const { message } = inbound;
    const { qos, packetId } = message;
    if (qos === 0 || this.#acknowledgesLater) {
      if (qos > 0) inbound.wait();
      return this.#sink.onMessage(message);
    }
    this.#isShowing = true;
    this.#sink.onMessage(message);
    this.#finishShowing(qos, packetId);
  }

  /** Acknowledges the message at hand, unless that has been done or cannot be any more. */
  #finishShowing(qos: QoS, packetId: number): void {
    if (!this.#isShowing) return;
    this.#isShowing = false;
    if (this.#phase === "connected") this.#inbound.finish(qos, packetId, ReasonCode.SUCCESS);
  }

  #handleAck(type: AckType, now: number): void {
    const ack = this.#ack;
    if (type === PacketType.PUBREL) return this.#inbound.release(ack.packetId);
    if (!this.#outbound.acknowledged(type, ack, now)) return;
    this.#sink.onPublished(ack.packetId, ack.reasonCode, ack.properties);
  }

  /** All that is rare. */
  #handle(packet: Packet, now: number): void {
    if (this.#phase === "connecting") {
      if (packet.type === "connack") return this.#handleConnack(packet, now);
      if (packet.type === "auth") return this.#sink.onAuth(packet);
      throw new ProtocolError("MQTT-3.2.0-1", "The first packet must be a CONNACK");
    }
    switch (packet.type) {
      case "suback":
        if (this.#outbound.answered(packet.packetId)) this.#sink.onSuback(packet);
        return;
      case "unsuback":
        if (this.#outbound.answered(packet.packetId)) this.#sink.onUnsuback(packet);
        return;
      case "pingresp":
        this.#answerDueAt = Infinity;
        return;
      case "auth":
        return this.#sink.onAuth(packet);
      case "disconnect":
        if (this.#version !== 5) break;
        this.#phase = "ended";
        return this.#sink.onDisconnect(packet);
    }
    throw new ProtocolError("2.1.2", `A broker must not send ${packet.type.toUpperCase()} now`);
  }

  #handleConnack(packet: ConnackPacket, now: number): void {
    this.#answerDueAt = Infinity;
    this.connack = packet;
    if (packet.reasonCode >= ReasonCode.UNSPECIFIED_ERROR) {
      this.#phase = "ended";
      return this.#sink.onConnack(packet);
    }
    if (packet.sessionPresent && this.#isFresh) {
      throw new ProtocolError("MQTT-3.2.2-4", "There is a session where none was to be");
    }
    this.#phase = "connected";
    const { properties } = packet;
    this.clientId = properties.assignedClientId ?? this.clientId;
    // [MQTT-3.2.2-21] [MQTT-3.1.2-21]
    if (properties.serverKeepAlive !== undefined) {
      this.#keepAliveMs = properties.serverKeepAlive * 1000;
    }
    this.#lastSentAt = now;
    // Version 3.1 does not tell; otherwise what the broker does not have is gone [MQTT-3.2.2-5].
    const isResumed = packet.sessionPresent || this.#version === 3;
    const lost = isResumed ? [] : this.#forgetSession();
    if (lost.length > 0) this.#sink.onSessionLost(lost);
    this.#inbound.start();
    this.#outbound.start(properties, this.#inflightMax, now);
    this.#sink.onConnack(packet);
  }

  /** The broker broke the protocol: say so where that is possible, and end. */
  #giveUp(error: MqttError): void {
    if (this.#phase === "connected" && this.#version === 5) {
      this.#outbound.disconnect(error.reasonCode);
    }
    this.#phase = "ended";
    this.#sink.onError(error);
  }

  #forgetConnection(): void {
    this.#isShowing = false;
    this.outbox.length = 0;
    this.connack = undefined;
    this.#answerDueAt = Infinity;
    this.#inbound.stop();
    this.#outbound.stop();
  }

  #forgetSession(): ReturnType<Outbound["forget"]> {
    this.#inbound.forget();
    return this.#outbound.forget();
  }
}
