// A broker played by the test at a port of its own: what clients send is read as packets, and what
// the test makes of them is sent back.

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { decodePacket } from "../../src/core/codec/decode.ts";
import { encodePacket } from "../../src/core/codec/encode.ts";
import { Framer } from "../../src/core/codec/framer.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { Writer } from "../../src/core/codec/writer.ts";

/** One client's connection. */
export class PortConnection {
  /** The client's version, once it has connected. */
  version: ProtocolVersion = 5;
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  send(...packets: readonly Packet[]): void {
    const writer = new Writer(new Uint8Array(64));
    for (const packet of packets) encodePacket(writer, packet, this.version);
    this.socket.write(writer.bytes.slice(0, writer.length));
  }
}

/** Told each packet that a client sends. */
export type Play = (packet: Packet, connection: PortConnection) => void;

export class PortBroker {
  /** All that was sent, in order. */
  readonly heard: Packet[] = [];
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();

  constructor(play: Play) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
      const connection = new PortConnection(socket);
      const framer = new Framer();
      socket.on("data", (chunk: Uint8Array) => {
        framer.feed(chunk);
        while (framer.next()) {
          const { firstByte, bytes, bodyStart, end } = framer;
          const packet = decodePacket(firstByte, bytes, bodyStart, end, connection.version);
          if (packet.type === "connect") connection.version = packet.protocolVersion;
          this.heard.push(packet);
          play(packet, connection);
        }
        framer.keepRest();
      });
    });
  }

  /** Opens a broker, runs the body, and closes it. */
  static async with(play: Play, body: (broker: PortBroker) => Promise<void>): Promise<void> {
    const broker = new PortBroker(play);
    await new Promise<void>((resolve) => broker.#server.listen(0, "127.0.0.1", resolve));
    try {
      await body(broker);
    } finally {
      for (const socket of broker.#sockets) socket.destroy();
      await new Promise((resolve) => broker.#server.close(resolve));
    }
  }

  get port(): number {
    // It listens at a port, so that is what it has.
    return (this.#server.address() as AddressInfo).port;
  }
}
