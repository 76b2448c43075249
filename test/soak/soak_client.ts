/**
 * A client of which there can be ten thousand: a socket, a framer, and whoever waits for an answer.
 * It waits without a timer of its own, because as many timers would be the load themselves; the
 * phases of the soak have deadlines.
 *
 * @module
 */

import { connect as connectSocket, type Socket } from "node:net";
import { decodePacket } from "../../src/core/codec/decode.ts";
import { encodePacket } from "../../src/core/codec/encode.ts";
import { Framer } from "../../src/core/codec/framer.ts";
import type { ConnackPacket, Packet, PublishPacket } from "../../src/core/codec/packet.ts";
import { NO_PROPERTIES } from "../../src/core/codec/property.ts";
import type { QoS } from "../../src/core/codec/protocol.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import { connect, publish, request, subscribe, unsubscribe } from "../support/packets.ts";

interface Waiting {
  readonly resolve: (packet: Packet) => void;
  readonly reject: (error: Error) => void;
}

/** The broker has answered a CONNECT, and does not want it. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly reasonCode: ReasonCode;

  constructor(clientId: string, reasonCode: ReasonCode) {
    super(`"${clientId}" is refused with ${reasonCode}`);
    this.reasonCode = reasonCode;
  }
}

/** Stands for the CONNACK among the identifiers that are waited for. */
const CONNACK = 0;

export class SoakClient {
  readonly clientId: string;
  onPublish: (packet: PublishPacket) => void = () => {};
  /** Why the broker ended the connection, if it said so. */
  farewell: ReasonCode | undefined;
  readonly #socket: Socket;
  readonly #framer: Framer = new Framer();
  readonly #waiting: Map<number, Waiting> = new Map();
  readonly #closed: Promise<void>;
  #lastPacketId = 0;

  private constructor(socket: Socket, clientId: string) {
    this.#socket = socket;
    this.clientId = clientId;
    this.#closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("data", (chunk: Uint8Array) => this.#receive(chunk));
    socket.on("error", () => {});
    this.#closed.then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Error("The connection is gone"));
    });
  }

  /** Connects; a session that is to be kept lasts for the whole soak. */
  static async connect(
    port: number,
    clientId: string,
    options: { readonly keepsSession?: boolean } = {},
  ): Promise<[SoakClient, ConnackPacket]> {
    const { keepsSession = false } = options;
    const socket = connectSocket({ host: "127.0.0.1", port, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    const client = new SoakClient(socket, clientId);
    const answer = client.#answer(CONNACK);
    client.#send(connect({
      clientId,
      cleanStart: !keepsSession,
      keepAlive: 0,
      properties: keepsSession ? { sessionExpiryInterval: 3600 } : {},
    }));
    const connack = await answer as ConnackPacket;
    if (connack.reasonCode === ReasonCode.SUCCESS) return [client, connack];
    throw new RefusedError(clientId, connack.reasonCode);
  }

  /** Resolves when the connection is gone, whoever ended it. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  async subscribe(filters: readonly string[], qos: QoS = 0): Promise<void> {
    const packetId = this.#nextPacketId();
    const answer = this.#answer(packetId);
    this.#send(subscribe(packetId, filters.map((filter) => request(filter, { qos }))));
    await answer;
  }

  async unsubscribe(filters: readonly string[]): Promise<void> {
    const packetId = this.#nextPacketId();
    const answer = this.#answer(packetId);
    this.#send(unsubscribe(packetId, filters));
    await answer;
  }

  /** Publishes; resolves when the broker has it, for QoS 0 at once. */
  async publish(
    topic: string,
    payload: Uint8Array,
    parts: { readonly qos?: 0 | 1; readonly retain?: boolean } = {},
  ): Promise<void> {
    const { qos = 0, retain = false } = parts;
    const packetId = qos === 0 ? 0 : this.#nextPacketId();
    const answer = qos === 0 ? undefined : this.#answer(packetId);
    this.#send(publish(topic, { payload, qos, retain, packetId }));
    await answer;
  }

  /** Stops reading, as a program that hangs. */
  freeze(): void {
    this.#socket.pause();
  }

  /** Leaves for good: what is left of the session goes, too. */
  async leave(): Promise<void> {
    this.#send({
      type: "disconnect",
      reasonCode: ReasonCode.NORMAL_DISCONNECTION,
      properties: { sessionExpiryInterval: 0 },
    });
    this.#socket.end();
    await this.#closed;
  }

  /** Is gone without a word. */
  async cut(): Promise<void> {
    this.#socket.resetAndDestroy();
    await this.#closed;
  }

  #send(packet: Packet): void {
    const writer = new Writer(new Uint8Array(64));
    encodePacket(writer, packet, 5);
    this.#socket.write(writer.bytes.subarray(0, writer.length));
  }

  #receive(chunk: Uint8Array): void {
    const framer = this.#framer;
    framer.feed(chunk);
    while (framer.next()) {
      const { firstByte, bytes, bodyStart, end } = framer;
      this.#handle(decodePacket(firstByte, bytes, bodyStart, end, 5));
    }
    framer.keepRest();
  }

  #handle(packet: Packet): void {
    switch (packet.type) {
      case "publish":
        if (packet.qos === 1) {
          const { packetId } = packet;
          const reasonCode = ReasonCode.SUCCESS;
          this.#send({ type: "puback", packetId, reasonCode, properties: NO_PROPERTIES });
        }
        return this.onPublish(packet);
      case "connack":
        return this.#answered(CONNACK, packet);
      case "suback":
      case "unsuback":
      case "puback":
        return this.#answered(packet.packetId, packet);
      case "disconnect":
        this.farewell = packet.reasonCode;
    }
  }

  #answer(packetId: number): Promise<Packet> {
    return new Promise((resolve, reject) => this.#waiting.set(packetId, { resolve, reject }));
  }

  #answered(packetId: number, packet: Packet): void {
    this.#waiting.get(packetId)?.resolve(packet);
    this.#waiting.delete(packetId);
  }

  #nextPacketId(): number {
    this.#lastPacketId = this.#lastPacketId % 65_535 + 1;
    return this.#lastPacketId;
  }
}
