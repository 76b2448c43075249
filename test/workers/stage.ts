// Scenes between clients and the broker: what each client sees is noted down, so that the same
// scene can be played where the object never sleeps, where it sleeps after every event, and where
// packets come in halves with a sleep between them.

import type { ConnectPacket, Packet } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { ack, connect } from "../support/packets.ts";
import { encoded } from "../support/raw_packet.ts";

/** What a client has seen: each packet in short, and the end of its connection. */
export type Seen = readonly string[];

export interface Scene {
  /** A sentence about the broker, its statement ids last. */
  readonly name: string;
  play(stage: Stage): Promise<void>;
  /** By the name of the actor. */
  readonly expected: Readonly<Record<string, Seen>>;
  /** Much time passes in it, which only a faked clock can let pass. */
  readonly takesTime?: true;
}

/** A client's connection. */
export interface Line {
  readonly version: ProtocolVersion;
  readonly isClosed: boolean;
  /** Sends one message, and resolves when it has been dealt with. */
  sendBytes(bytes: Uint8Array): Promise<void>;
  /** All that has come since the last time. */
  take(): Promise<Packet[]>;
  /** Is gone without a word, and resolves when that has been noticed. */
  vanish(): Promise<void>;
}

/** Where a scene is played. */
export interface Theatre {
  connect(version: ProtocolVersion, name: string): Promise<Line>;
  advance(ms: number): Promise<void>;
}

export class Stage {
  readonly #theatre: Theatre;
  readonly #inHalves: boolean;
  readonly #actors: Actor[] = [];

  /** @param inHalves whether each packet comes in two messages. */
  constructor(theatre: Theatre, inHalves: boolean) {
    this.#theatre = theatre;
    this.#inHalves = inHalves;
  }

  /** Opens a connection that says nothing yet. */
  async open(name: string, version: ProtocolVersion = 5): Promise<Actor> {
    const actor = new Actor(name, await this.#theatre.connect(version, name), this.#inHalves);
    this.#actors.push(actor);
    return actor;
  }

  /** Opens a connection and sends a CONNECT; the client's name is the actor's unless it is told. */
  async enter(name: string, parts: Partial<ConnectPacket> = {}): Promise<Actor> {
    const packet = connect({ clientId: name, ...parts });
    const actor = await this.open(name, packet.protocolVersion);
    await actor.send(packet);
    return actor;
  }

  /** Lets time pass. */
  async advance(ms: number): Promise<void> {
    await this.#theatre.advance(ms);
  }

  /**
   * What all have seen. What the members of a group got counts as the group's, in the order of
   * the messages: who of them got which is nobody's business.
   */
  async seen(): Promise<Record<string, Seen>> {
    const all: Record<string, string[]> = {};
    for (const actor of this.#actors) {
      const seen = await actor.look();
      const isMember = actor.name.startsWith("member");
      const name = isMember ? "members" : actor.name;
      (all[name] ??= []).push(...isMember ? seen.filter((line) => /^publish/.test(line)) : seen);
    }
    all["members"]?.sort();
    return all;
  }
}

export class Actor {
  readonly name: string;
  readonly #line: Line;
  readonly #inHalves: boolean;
  readonly #seen: string[] = [];
  #isEndSeen = false;

  constructor(name: string, line: Line, inHalves: boolean) {
    this.name = name;
    this.#line = line;
    this.#inHalves = inHalves;
  }

  /** Sends packets, each in a message of its own, or in two. */
  async send(...packets: readonly Packet[]): Promise<void> {
    for (const packet of packets) await this.sendBytes(encoded(this.#line.version, packet));
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    const middle = bytes.length >> 1;
    if (!this.#inHalves || middle === 0) return await this.#line.sendBytes(bytes);
    await this.#line.sendBytes(bytes.subarray(0, middle));
    await this.#line.sendBytes(bytes.subarray(middle));
  }

  /** Takes what has come. */
  async take(): Promise<Packet[]> {
    const packets = await this.#line.take();
    this.#seen.push(...packets.map(inShort));
    return packets;
  }

  /** Acknowledges as a good client does, until nothing more comes. */
  async settle(): Promise<void> {
    for (let packets = await this.take(); packets.length > 0; packets = await this.take()) {
      for (const packet of packets) {
        if (packet.type === "publish" && packet.qos > 0) {
          await this.send(ack(packet.qos === 1 ? "puback" : "pubrec", packet.packetId));
        } else if (packet.type === "pubrec") await this.send(ack("pubrel", packet.packetId));
        else if (packet.type === "pubrel") await this.send(ack("pubcomp", packet.packetId));
      }
    }
  }

  /** Is gone without a word. */
  async vanish(): Promise<void> {
    await this.take();
    await this.#line.vanish();
    await this.look();
  }

  async look(): Promise<Seen> {
    if (this.#isEndSeen) return this.#seen;
    await this.take();
    if (this.#line.isClosed) {
      this.#isEndSeen = true;
      this.#seen.push("end");
    }
    return this.#seen;
  }
}

const decoder = new TextDecoder();

/** A packet in a line: what a client does something about. */
export function inShort(packet: Packet): string {
  switch (packet.type) {
    case "connack": {
      const { assignedClientId } = packet.properties;
      const words = ["connack", packet.reasonCode];
      if (packet.sessionPresent) words.push("present");
      if (assignedClientId !== undefined) words.push("assigned");
      return words.join(" ");
    }
    case "publish": {
      const { topic, payload, qos, retain, dup, packetId, properties } = packet;
      const text = payload.length > 40 ? `${payload.length} bytes` : decoder.decode(payload);
      const words: (string | number)[] = ["publish", topic, text];
      if (qos > 0) words.push(`qos${qos}`, `#${packetId}`);
      if (retain) words.push("retained");
      if (dup) words.push("dup");
      for (const [name, value] of Object.entries(properties)) words.push(`${name}=${value}`);
      return words.join(" ");
    }
    case "suback":
    case "unsuback":
      return `${packet.type} #${packet.packetId} ${packet.reasonCodes.join(" ")}`;
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      return `${packet.type} #${packet.packetId}${
        packet.reasonCode === 0 ? "" : ` ${packet.reasonCode}`
      }`;
    case "disconnect":
      return `disconnect ${packet.reasonCode}`;
    default:
      return packet.type;
  }
}
