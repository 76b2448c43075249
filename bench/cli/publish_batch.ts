/**
 * A publisher that costs next to nothing: packets made beforehand, and sent as they are.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { encodePacket } from "../../src/core/codec/encode.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import { NO_PROPERTIES } from "../../src/core/codec/property.ts";
import { Writer } from "../../src/core/codec/writer.ts";

/** Where a broker listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

const VERSION = 4;

export class PublishBatch {
  static readonly SIZE = 500;
  readonly #socket: Socket;
  readonly #batch: Uint8Array;
  readonly #retained: Uint8Array;

  constructor(socket: Socket, topic: string, payloadBytes: number) {
    this.#socket = socket;
    const publish = (retain: boolean): Uint8Array =>
      bytesOf({
        type: "publish",
        dup: false,
        qos: 0,
        retain,
        topic,
        packetId: 0,
        payload: new Uint8Array(payloadBytes).fill(0x78),
        properties: NO_PROPERTIES,
      });
    this.#retained = publish(true);
    const one = publish(false);
    this.#batch = new Uint8Array(one.length * PublishBatch.SIZE);
    for (let i = 0; i < PublishBatch.SIZE; i++) this.#batch.set(one, i * one.length);
  }

  /** Connects to a broker; resolves when it has accepted the connection. */
  static async connect(
    place: Place,
    topic: string,
    payloadBytes: number,
  ): Promise<PublishBatch> {
    const socket = connect({ ...place, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.on("error", reject);
      socket.on("connect", () => {
        socket.write(bytesOf({
          type: "connect",
          protocolVersion: VERSION,
          isBridge: false,
          clientId: "",
          cleanStart: true,
          keepAlive: 0,
          properties: NO_PROPERTIES,
        }));
      });
      socket.once("data", () => resolve());
    });
    return new PublishBatch(socket, topic, payloadBytes);
  }

  publishRetained(): void {
    this.#socket.write(this.#retained);
  }

  /** Publishes so many messages; gives their count. */
  publishBatch(): number {
    this.#socket.write(this.#batch);
    return PublishBatch.SIZE;
  }

  close(): void {
    this.#socket.destroy();
  }
}

function bytesOf(packet: Packet): Uint8Array {
  const writer = new Writer(new Uint8Array(256));
  encodePacket(writer, packet, VERSION);
  return writer.bytes.slice(0, writer.length);
}
