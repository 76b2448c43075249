/**
 * Clients that go on over crashes of their broker, and keep to the letter what MQTT asks of them:
 * a publisher that knows what was acknowledged, and a subscriber that counts what arrived. Both
 * have sessions of version 3.1.1, which never end.
 */

import type { Packet } from "../../src/core/codec/packet.ts";
import { NO_PROPERTIES } from "../../src/core/codec/property.ts";
import { until } from "./wait.ts";
import { WireClient } from "./wire_client.ts";

/** How many messages a publisher has under way. */
const WINDOW = 10;

type AckType = "puback" | "pubrec" | "pubrel" | "pubcomp";

function ack(type: AckType, packetId: number): Packet {
  return { type, packetId, reasonCode: 0, properties: NO_PROPERTIES };
}

async function connect(port: number, clientId: string): Promise<WireClient> {
  const client = await WireClient.open(port, 4);
  await client.handshake({ clientId, cleanStart: false });
  return client;
}

interface Sent {
  readonly value: number;
  isReceived: boolean;
}

/** Publishes the numbers from 1 on to a topic of its own, as fast as they are acknowledged. */
export class SteadyPublisher {
  readonly topic: string;
  readonly qos: 1 | 2;
  /** The values that the broker has taken over: it has answered PUBACK or PUBREC. */
  readonly acknowledged: number[] = [];
  readonly #unfinished: Map<number, Sent> = new Map();
  #client: WireClient | undefined;
  #lastValue = 0;
  #isPublishing = false;

  constructor(topic: string, qos: 1 | 2) {
    this.topic = topic;
    this.qos = qos;
  }

  /** Comes back, says again what was not acknowledged, and goes on. */
  async start(port: number): Promise<void> {
    const client = await connect(port, `to ${this.topic}`);
    this.#client = client;
    this.#isPublishing = true;
    client.onPacket = (packet) => this.#receive(packet);
    for (const [packetId, sent] of this.#unfinished) {
      if (sent.isReceived) client.sendPacket(ack("pubrel", packetId));
      else this.#send(packetId, sent.value, true);
    }
    this.#publish();
  }

  /** Says no more than it has said; resolves when all of it is acknowledged. */
  async finish(): Promise<void> {
    this.#isPublishing = false;
    await until(() => this.#unfinished.size === 0, `${this.topic} has all its acknowledgements`);
  }

  disconnect(): void {
    this.#isPublishing = false;
    this.#client?.destroy();
  }

  #publish(): void {
    while (this.#isPublishing && this.#unfinished.size < WINDOW) {
      const packetId = this.#freeId();
      const value = ++this.#lastValue;
      this.#unfinished.set(packetId, { value, isReceived: false });
      this.#send(packetId, value, false);
    }
  }

  #send(packetId: number, value: number, dup: boolean): void {
    this.#client!.publish(this.topic, String(value), { qos: this.qos, packetId, dup });
  }

  #freeId(): number {
    let packetId = this.#client!.nextPacketId();
    while (this.#unfinished.has(packetId)) packetId = this.#client!.nextPacketId();
    return packetId;
  }

  #receive(packet: Packet): void {
    if (packet.type !== "puback" && packet.type !== "pubrec" && packet.type !== "pubcomp") return;
    const sent = this.#unfinished.get(packet.packetId);
    if (sent === undefined) return;
    if (!sent.isReceived) this.acknowledged.push(sent.value);
    sent.isReceived = true;
    if (packet.type === "pubrec") this.#client!.sendPacket(ack("pubrel", packet.packetId));
    else this.#unfinished.delete(packet.packetId);
    this.#publish();
  }
}

/** Counts what arrives, by topic and value. */
export class SteadySubscriber {
  readonly clientId: string;
  readonly #values: Map<string, Set<number>> = new Map();
  readonly #repeated: Map<string, Set<number>> = new Map();
  /** Identifiers of QoS 2 messages that were received and not released. */
  readonly #held: Set<number> = new Set();
  #client: WireClient | undefined;

  constructor(clientId: string) {
    this.clientId = clientId;
  }

  async start(port: number): Promise<void> {
    const client = await connect(port, this.clientId);
    this.#client = client;
    client.onPacket = (packet) => this.#receive(packet);
    for (const early of client.packets.splice(0)) this.#receive(early);
  }

  /** Subscribes, before `start`; resolves when that is acknowledged. */
  async subscribe(port: number, filter: string): Promise<void> {
    const client = await connect(port, this.clientId);
    await client.subscribe([filter], 2);
    client.destroy();
  }

  disconnect(): void {
    this.#client?.destroy();
  }

  /** What has arrived on a topic. */
  valuesOf(topic: string): ReadonlySet<number> {
    return setOf(this.#values, topic);
  }

  /** What has arrived more than once, repetitions of one delivery left out. */
  repeatedOf(topic: string): ReadonlySet<number> {
    return setOf(this.#repeated, topic);
  }

  #receive(packet: Packet): void {
    const client = this.#client!;
    switch (packet.type) {
      case "publish": {
        const { qos, packetId } = packet;
        if (qos === 2 && this.#held.has(packetId)) {
          return client.sendPacket(ack("pubrec", packetId));
        }
        const value = Number(new TextDecoder().decode(packet.payload));
        const values = setOf(this.#values, packet.topic);
        if (values.has(value)) setOf(this.#repeated, packet.topic).add(value);
        values.add(value);
        if (qos === 2) this.#held.add(packetId);
        if (qos > 0) client.sendPacket(ack(qos === 1 ? "puback" : "pubrec", packetId));
        return;
      }
      case "pubrel":
        this.#held.delete(packet.packetId);
        client.sendPacket(ack("pubcomp", packet.packetId));
    }
  }
}

function setOf(sets: Map<string, Set<number>>, topic: string): Set<number> {
  let found = sets.get(topic);
  if (found === undefined) sets.set(topic, found = new Set());
  return found;
}
