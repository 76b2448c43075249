// A broker core with clients that are nothing but memory: what a turn of the driver does to it,
// without sockets, and without making anything of its own for each message.

import { BrokerCore } from "../../src/core/broker/broker_core.ts";
import type { Connection } from "../../src/core/broker/connection.ts";
import { DEFAULT_LIMITS } from "../../src/core/broker/limits.ts";
import { encodePacket } from "../../src/core/codec/encode.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import { prng } from "../../src/core/base/prng.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import { connect, publish, request, subscribe } from "../support/packets.ts";

const NOW = 1000;

export interface MemoryBrokerOptions {
  readonly subscribers: number;
  readonly payloadBytes: number;
  /** Messages in each chunk that arrives. */
  readonly messagesPerTurn: number;
}

export class MemoryBroker {
  readonly core: BrokerCore = new BrokerCore({ limits: DEFAULT_LIMITS, random: prng(1) });
  /** What the publisher sends in one turn. */
  readonly chunk: Uint8Array;
  readonly deliveriesPerTurn: number;
  /** Bytes that left in the last turn. */
  bytesOut = 0;
  readonly #publisher: Connection;

  constructor({ subscribers, payloadBytes, messagesPerTurn }: MemoryBrokerOptions) {
    this.deliveriesPerTurn = subscribers * messagesPerTurn;
    for (let index = 0; index < subscribers; index++) {
      const connection = this.#open(`subscriber-${index}`);
      this.#send(connection, subscribe(1, [request("site/+/state")]));
    }
    this.#publisher = this.#open("publisher");
    const packet = publish("site/7/state", { payload: new Uint8Array(payloadBytes) });
    const writer = new Writer(new Uint8Array(1024));
    for (let count = 0; count < messagesPerTurn; count++) encodePacket(writer, packet, 4);
    this.chunk = writer.bytes.slice(0, writer.length);
  }

  /** One chunk arrives, and what comes of it leaves. */
  turn(): void {
    this.core.receive(this.#publisher, this.chunk, NOW);
    this.#flush();
  }

  #open(clientId: string): Connection {
    const peer = { remoteAddress: "192.0.2.1", remotePort: 50_000, localPort: 1883 };
    const connection = this.core.open(peer, NOW);
    this.#send(connection, connect({ clientId, protocolVersion: 4 }));
    return connection;
  }

  #send(connection: Connection, packet: Packet): void {
    const writer = new Writer(new Uint8Array(64));
    encodePacket(writer, packet, 4);
    this.core.receive(connection, writer.bytes.subarray(0, writer.length), NOW);
    this.#flush();
  }

  #flush(): void {
    const { core } = this;
    this.bytesOut = 0;
    const dirty = core.takeDirty();
    for (let index = 0; index < dirty.length; index++) {
      const connection = dirty[index]!;
      const { outbox } = connection;
      const bytes = outbox.gatheredBytes;
      this.bytesOut += bytes;
      outbox.take();
      outbox.consumed();
      core.written(connection, bytes, NOW);
    }
    core.takeOutputs();
  }
}
