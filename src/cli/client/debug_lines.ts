/**
 * What `-d` prints: a line for each packet that is sent or received, read from the bytes on their
 * way. Whoever moves them is in debug_tap.ts.
 *
 * @module
 */

import { decodePacket } from "../../core/codec/decode.ts";
import { MqttError } from "../../core/codec/error.ts";
import type { Packet, PublishPacket, SubscribePacket } from "../../core/codec/packet.ts";
import type { ProtocolVersion } from "../../core/codec/protocol.ts";
import { type ReasonCode, toReturnCode } from "../../core/codec/reason_code.ts";

/** Where a packet lies, as a framer shows it. */
export interface PacketBytes {
  readonly bytes: Uint8Array;
  readonly firstByte: number;
  readonly bodyStart: number;
  readonly end: number;
}

const NOTHING = "(null)";
const PACKET_ID_MAX = 65_535;

/** Puts packets into words; knows the client by what it has sent and been told. */
export class DebugLines {
  readonly #print: (text: string) => void;
  readonly #version: ProtocolVersion;
  #clientId = NOTHING;
  /** Messages of QoS 0 have no identifier of their own and are counted along with the others. */
  #lastPacketId = 0;

  constructor(version: ProtocolVersion, print: (text: string) => void) {
    this.#version = version;
    this.#print = print;
  }

  /** A packet is sent. */
  sent(packet: PacketBytes): void {
    for (const text of this.#sending(this.#decode(packet))) {
      this.#print(`Client ${this.#clientId} sending ${text}\n`);
    }
  }

  /** A packet has come; one that is malformed has no line, and is the engine's to find. */
  received(bytes: PacketBytes): void {
    let packet: Packet;
    try {
      packet = this.#decode(bytes);
    } catch (error) {
      if (error instanceof MqttError) return;
      throw error;
    }
    if (packet.type === "disconnect") {
      return this.#print(`Received DISCONNECT (${packet.reasonCode})\n`);
    }
    if (packet.type === "connack") {
      this.#clientId = idOf(packet.properties.assignedClientId, this.#clientId);
    }
    this.#print(`Client ${this.#clientId} received ${this.#receiving(packet)}\n`);
  }

  #decode({ firstByte, bytes, bodyStart, end }: PacketBytes): Packet {
    return decodePacket(firstByte, bytes, bodyStart, end, this.#version);
  }

  #sending(packet: Packet): string[] {
    const name = packet.type.toUpperCase();
    switch (packet.type) {
      case "connect":
        this.#clientId = idOf(packet.clientId, NOTHING);
        this.#lastPacketId = 0;
        return [name];
      case "publish":
        return [`${name} ${publishText(packet, this.#identify(packet.packetId))}`];
      case "puback":
        return [`${name} (m${packet.packetId}, rc${packet.reasonCode})`];
      case "pubrec":
        return [`${name} (m${packet.packetId}, rc${packet.reasonCode})`];
      case "pubrel":
      case "pubcomp":
        return [`${name} (m${packet.packetId})`];
      case "subscribe":
        return this.#subscribing(packet);
      case "unsubscribe":
        this.#identify(packet.packetId);
        return packet.filters.map((filter) =>
          `${name} (Mid: ${packet.packetId}, Topic: ${filter})`
        );
      default:
        return [name];
    }
  }

  #subscribing({ packetId, subscriptions }: SubscribePacket): string[] {
    this.#identify(packetId);
    return subscriptions.map(({ filter, qos, noLocal, retainAsPublished, retainHandling }) => {
      const options = (noLocal ? 0x04 : 0) | (retainAsPublished ? 0x08 : 0) | retainHandling << 4;
      const hex = options.toString(16).padStart(2, "0");
      return `SUBSCRIBE (Mid: ${packetId}, Topic: ${filter}, QoS: ${qos}, Options: 0x${hex})`;
    });
  }

  #receiving(packet: Packet): string {
    const name = packet.type.toUpperCase();
    switch (packet.type) {
      case "connack":
        return `${name} (${this.#codeOf(packet.reasonCode)})`;
      case "publish":
        return `${name} ${publishText(packet, packet.packetId)}`;
      case "puback":
      case "pubcomp":
        return `${name} (Mid: ${packet.packetId}, RC:${packet.reasonCode})`;
      case "pubrec":
      case "pubrel":
        return `${name} (Mid: ${packet.packetId})`;
      default:
        return name;
    }
  }

  /** As it stood in a CONNACK of this version. */
  #codeOf(reasonCode: ReasonCode): number {
    return this.#version === 5 ? reasonCode : toReturnCode(reasonCode);
  }

  #identify(packetId: number): number {
    const next = this.#lastPacketId === PACKET_ID_MAX ? 1 : this.#lastPacketId + 1;
    return this.#lastPacketId = packetId === 0 ? next : packetId;
  }
}

function publishText(packet: PublishPacket, packetId: number): string {
  const { dup, qos, retain, topic, payload } = packet;
  const flags = `d${Number(dup)}, q${qos}, r${Number(retain)}, m${packetId}`;
  return `(${flags}, '${idOf(topic, NOTHING)}', ... (${payload.length} bytes))`;
}

function idOf(text: string | undefined, otherwise: string): string {
  return text === undefined || text === "" ? otherwise : text;
}
