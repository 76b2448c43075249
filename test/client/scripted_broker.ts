// A broker played by the test: what the client sends is read as packets, and what the test says is
// sent to it. Every connection is a transport in the test's hands.

import type { Dial } from "../../src/client/client_options.ts";
import { decodePacket } from "../../src/core/codec/decode.ts";
import { encodePacket } from "../../src/core/codec/encode.ts";
import { Framer } from "../../src/core/codec/framer.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import { ScriptedTransport } from "../support/scripted_transport.ts";
import { until } from "../support/wait.ts";

export class ScriptedBroker {
  /** One for each connection, in order. */
  readonly transports: ScriptedTransport[] = [];
  readonly #version: ProtocolVersion;
  #framer: Framer = new Framer();

  constructor(version: ProtocolVersion = 5) {
    this.#version = version;
  }

  readonly dial: Dial = (accept) => {
    const transport = new ScriptedTransport();
    this.transports.push(transport);
    this.#framer = new Framer();
    transport.accept(accept);
    return Promise.resolve();
  };

  get transport(): ScriptedTransport {
    return this.transports.at(-1)!;
  }

  /** The next packets that the client sends on the present connection. */
  async hear(count = 1): Promise<Packet[]> {
    const packets: Packet[] = [];
    await until(() => {
      if (this.transports.length > 0) packets.push(...this.#read());
      return packets.length >= count;
    }, `the client has sent ${count} packets`);
    return packets;
  }

  /** What the client has sent by now. */
  async heard(): Promise<Packet[]> {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    return this.#read();
  }

  say(...packets: readonly Packet[]): void {
    const writer = new Writer(new Uint8Array(64));
    for (const packet of packets) encodePacket(writer, packet, this.#version);
    this.transport.receive(writer.bytes.slice(0, writer.length));
  }

  #read(): Packet[] {
    const packets: Packet[] = [];
    const framer = this.#framer;
    framer.feed(Uint8Array.from(this.transport.takeBytes()));
    while (framer.next()) {
      const { firstByte, bytes, bodyStart, end } = framer;
      packets.push(decodePacket(firstByte, bytes, bodyStart, end, this.#version));
    }
    framer.keepRest();
    return packets;
  }
}
