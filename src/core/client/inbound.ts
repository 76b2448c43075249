/**
 * What a client receives: messages, each shown once, and their acknowledgements, sent when the
 * application has returned or when it says so.
 *
 * The broker's Receive Maximum is ours to give: an application that acknowledges late is sent no
 * more than that, and a broker which sends more breaks the protocol.
 *
 * @module
 */

import { encodeAck } from "../codec/ack.ts";
import { ProtocolError } from "../codec/error.ts";
import type { Framer } from "../codec/framer.ts";
import { PacketType, type ProtocolVersion, type QoS } from "../codec/protocol.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import type { Writer } from "../codec/writer.ts";
import { Receiver } from "../session/receiver.ts";
import { InboundAliases } from "../session/topic_aliases.ts";
import type { ClientSink } from "./client_sink.ts";
import { IncomingMessage, type ReadingContext } from "./incoming_message.ts";

/** What has to be known of QoS 2 by whoever wants to survive the process. */
export type InboundSink = Pick<ClientSink, "onHeld" | "onReleased">;

export class Inbound implements ReadingContext {
  version: ProtocolVersion = 5;
  receiveMaximum = 0;
  topicAliasMaximum = 0;
  aliases: InboundAliases<Uint8Array> = new InboundAliases();
  /** The message that `receive` found, valid until the next. */
  readonly message: IncomingMessage = new IncomingMessage();
  readonly #outbox: Writer;
  readonly #sink: InboundSink;
  #receiver: Receiver = new Receiver();
  /** Messages that the application has yet to acknowledge, with their QoS. */
  readonly #waiting: Map<number, QoS> = new Map();
  /** How many of them are of QoS 1; the others are held by the receiver as well. */
  #waitingOfQos1 = 0;
  /** Identifiers from earlier connections: the window of each begins anew. */
  readonly #heldBefore: Set<number> = new Set();

  constructor(outbox: Writer, sink: InboundSink = {}) {
    this.#outbox = outbox;
    this.#sink = sink;
  }

  /** Puts back an identifier that was held when the process ended. */
  restore(packetId: number): void {
    this.#receiver.restore(packetId);
  }

  /** The connection was accepted. */
  start(): void {
    this.#receiver.start();
    this.#heldBefore.clear();
    for (const packetId of this.#receiver.heldIds()) this.#heldBefore.add(packetId);
  }

  /** The connection is gone: what was not acknowledged comes again. */
  stop(): void {
    this.aliases = new InboundAliases(); // [MQTT-3.3.2-7]
    this.#waiting.clear();
    this.#waitingOfQos1 = 0;
  }

  /** The session is gone. */
  forget(): void {
    this.#receiver = new Receiver();
  }

  /** Reads the PUBLISH that the framer stands on; `false` when it is not to be shown again. */
  receive(framer: Framer): boolean {
    const { message } = this;
    message.read(framer.firstByte, framer.bytes, framer.bodyStart, framer.end, this);
    const { qos, packetId } = message;
    if (qos === 0) return true;
    const window = this.receiveMaximum - this.#waitingOfQos1 + this.#heldBefore.size;
    if (qos === 1) {
      if (this.#waiting.has(packetId)) return false;
      if (this.#receiver.heldCount >= window) throw exceeded();
      return true;
    }
    switch (this.#receiver.receive(packetId, window)) {
      case "new":
        return true;
      case "duplicate":
        this.#heldBefore.delete(packetId);
        // One that waits for the application is acknowledged by it.
        if (!this.#waiting.has(packetId)) this.finish(2, packetId, ReasonCode.SUCCESS);
        return false;
      case "too many duplicates":
        throw new ProtocolError("4.3.3", `Packet "${packetId}" is repeated without an end`);
      case "window exceeded":
        throw exceeded();
    }
  }

  /** Leaves the acknowledgement of the message at hand to the application. */
  wait(): void {
    const { qos, packetId } = this.message;
    this.#waiting.set(packetId, qos);
    if (qos === 1) this.#waitingOfQos1++;
  }

  /** The application is done with a message; `false` when nobody waits for that. */
  acknowledge(packetId: number, reasonCode: ReasonCode): boolean {
    const qos = this.#waiting.get(packetId);
    if (qos === undefined) return false;
    this.#waiting.delete(packetId);
    if (qos === 1) this.#waitingOfQos1--;
    this.finish(qos, packetId, reasonCode);
    return true;
  }

  /** Sends PUBACK [MQTT-4.3.2-4] or PUBREC [MQTT-4.3.3-8]. [MQTT-4.5.0-2] */
  finish(qos: QoS, packetId: number, reasonCode: ReasonCode): void {
    if (qos === 1) return this.#sendAck(PacketType.PUBACK, packetId, reasonCode);
    if (reasonCode >= ReasonCode.UNSPECIFIED_ERROR) this.#receiver.release(packetId);
    else this.#sink.onHeld?.(packetId);
    this.#sendAck(PacketType.PUBREC, packetId, reasonCode);
  }

  /** PUBREL came. [MQTT-4.3.3-11] */
  release(packetId: number): void {
    const isKnown = this.#receiver.release(packetId);
    this.#heldBefore.delete(packetId);
    if (isKnown) this.#sink.onReleased?.(packetId);
    const code = isKnown ? ReasonCode.SUCCESS : ReasonCode.PACKET_IDENTIFIER_NOT_FOUND;
    this.#sendAck(PacketType.PUBCOMP, packetId, code);
  }

  #sendAck(
    type: 4 | 5 | 7,
    packetId: number,
    reasonCode: ReasonCode = ReasonCode.SUCCESS,
  ): void {
    encodeAck(this.#outbox, type, packetId, reasonCode, this.version);
  }
}

function exceeded(): ProtocolError {
  const code = ReasonCode.RECEIVE_MAXIMUM_EXCEEDED;
  return new ProtocolError("MQTT-3.3.4-9", "The broker exceeded the Receive Maximum", code);
}
