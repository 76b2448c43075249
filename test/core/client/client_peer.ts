// A client engine and the broker's end of its connection in the hands of a test: what the engine
// wrote is read as packets, and packets of the test's own are its answers.

import { decodePacket } from "../../../src/core/codec/decode.ts";
import { encodePacket } from "../../../src/core/codec/encode.ts";
import { Framer } from "../../../src/core/codec/framer.ts";
import type { ConnectPacket, Packet } from "../../../src/core/codec/packet.ts";
import type { Properties } from "../../../src/core/codec/property.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { ClientEngine, type ClientEngineOptions } from "../../../src/core/client/client_engine.ts";
import { connack, connect } from "../../support/packets.ts";
import { RecordingSink, type Told } from "./recording_sink.ts";

export class ClientPeer {
  readonly sink: RecordingSink = new RecordingSink();
  readonly engine: ClientEngine;
  now = 1000;
  #version: ConnectPacket["protocolVersion"] = 5;

  constructor(options: ClientEngineOptions = {}) {
    this.engine = new ClientEngine(this.sink, options);
  }

  /** Connects, and answers with a CONNACK; forgets what was said for that. */
  connect(
    parts: Partial<ConnectPacket> = {},
    properties: Properties = {},
    sessionPresent = false,
  ): this {
    this.open(parts);
    this.answer(connack(0, properties, sessionPresent));
    this.sink.take();
    return this;
  }

  open(parts: Partial<ConnectPacket> = {}): Packet[] {
    const packet = connect(parts);
    this.#version = packet.protocolVersion;
    this.engine.connect(packet, this.now);
    return this.sent();
  }

  /** What the engine has gathered since the last time, as packets. */
  sent(): Packet[] {
    const { outbox } = this.engine;
    const framer = new Framer();
    const packets: Packet[] = [];
    framer.feed(outbox.bytes.slice(0, outbox.length));
    while (framer.next()) {
      const { firstByte, bytes, bodyStart, end } = framer;
      packets.push(decodePacket(firstByte, bytes, bodyStart, end, this.#version));
    }
    this.engine.sent(this.now);
    return packets;
  }

  /** Sends packets to the engine. */
  answer(...packets: readonly Packet[]): Told[] {
    const writer = new Writer(new Uint8Array(64));
    for (const packet of packets) encodePacket(writer, packet, this.#version);
    const chunk = writer.bytes.slice(0, writer.length);
    this.engine.receive(chunk, this.now);
    // What was borrowed is spoilt.
    chunk.fill(0xa5);
    return this.sink.take();
  }

  /** Time passes. */
  advance(ms: number): Told[] {
    this.now += ms;
    this.engine.advance(this.now);
    return this.sink.take();
  }
}
