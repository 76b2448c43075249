// A client with a session of its own that it never loses: what it has published it sends again until
// that is acknowledged in full, and a QoS 2 message counts once by its identifier. It outlives
// connections and brokers, so it can tell what a broker that was killed has promised and not kept.

import { assert } from "../../src/core/base/assert.ts";
import type { Packet, PublishPacket } from "../../src/core/codec/packet.ts";
import type { QoS } from "../../src/core/codec/protocol.ts";
import { ack, connect, publish, request, subscribe } from "./packets.ts";
import type { VirtualBroker, VirtualClient } from "./virtual_broker.ts";

interface Outgoing {
  readonly packet: PublishPacket;
  isReceived: boolean;
}

export class HonestClient {
  readonly clientId: string;
  /** Payloads of what it has got, in order. */
  readonly received: string[] = [];
  readonly #outgoing: Map<number, Outgoing> = new Map();
  readonly #held: Set<number> = new Set();
  readonly #filter: string | undefined;
  readonly #qos: QoS;
  #link: VirtualClient | undefined;
  #isConnected = false;
  /** A CONNACK has promised it a session. */
  #hasSession = false;
  #isSubscribed = false;

  constructor(clientId: string, filter?: string, qos: QoS = 0) {
    this.clientId = clientId;
    this.#filter = filter;
    this.#qos = qos;
  }

  /** How many exchanges it has begun and not ended. */
  get owed(): number {
    return this.#outgoing.size + this.#held.size;
  }

  connect(broker: VirtualBroker): void {
    if (this.#link !== undefined) return;
    this.#link = broker.open();
    const properties = { sessionExpiryInterval: 100_000 };
    this.#link.send(connect({ clientId: this.clientId, cleanStart: false, properties }));
  }

  drop(): void {
    this.#link?.drop();
    this.forget();
  }

  /** The connection is gone, and perhaps the broker with it. */
  forget(): void {
    this.#link = undefined;
    this.#isConnected = false;
  }

  publish(topic: string, payload: string, qos: QoS, retain: boolean): boolean {
    if (!this.#isConnected || this.#outgoing.size >= 8) return false;
    // The lowest one that is free, so that identifiers come again as soon as they may.
    let packetId = 1;
    while (this.#outgoing.has(packetId)) packetId++;
    const packet = publish(topic, { qos, packetId, payload, retain });
    if (qos > 0) this.#outgoing.set(packetId, { packet, isReceived: false });
    this.#link!.send(packet);
    return true;
  }

  /** Takes what has arrived and answers it; whether there was anything. */
  read(): boolean {
    const packets = this.#link?.take() ?? [];
    for (const packet of packets) this.#handle(packet);
    return packets.length > 0;
  }

  #handle(packet: Packet): void {
    const link = this.#link!;
    switch (packet.type) {
      case "connack":
        assert(packet.sessionPresent || !this.#hasSession, "A promised session is gone");
        this.#isConnected = this.#hasSession = true;
        if (this.#filter !== undefined && !this.#isSubscribed) {
          link.send(subscribe(99, [request(this.#filter, { qos: this.#qos })]));
        }
        for (const { packet, isReceived } of this.#outgoing.values()) {
          link.send(isReceived ? ack("pubrel", packet.packetId) : { ...packet, dup: true });
        }
        return;
      case "suback":
        this.#isSubscribed = true;
        return;
      case "puback":
      case "pubcomp":
        this.#outgoing.delete(packet.packetId);
        return;
      case "pubrec": {
        const outgoing = this.#outgoing.get(packet.packetId);
        if (outgoing !== undefined) outgoing.isReceived = true;
        link.send(ack("pubrel", packet.packetId));
        return;
      }
      case "publish":
        this.#receive(packet);
        return;
      case "pubrel":
        this.#held.delete(packet.packetId);
        link.send(ack("pubcomp", packet.packetId));
    }
  }

  #receive({ qos, packetId, payload }: PublishPacket): void {
    if (qos < 2 || !this.#held.has(packetId)) this.received.push(new TextDecoder().decode(payload));
    if (qos === 1) this.#link!.send(ack("puback", packetId));
    if (qos === 2) {
      this.#held.add(packetId);
      this.#link!.send(ack("pubrec", packetId));
    }
  }
}
