// Scenes between clients and the object, played on the faked host: what each client sees is noted
// down, so that the same scene can be played with an object that never sleeps, one that sleeps
// after every event, and one whose packets come in halves with a sleep between them.

import { BrokerObject } from "../../src/runtime/workers/worker.ts";
import type { ConnectPacket, Packet } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { FakeHost } from "../support/fake_durable_object.ts";
import type { FakePeer } from "../support/fake_object_sockets.ts";
import { ack, connect } from "../support/packets.ts";
import { encoded } from "../support/raw_packet.ts";

/** How a scene is played. */
export interface Manner {
  readonly sleepsAfter?: (event: number) => boolean;
  /** Each packet comes in two messages. */
  readonly inHalves?: boolean;
  /** Bindings of the Worker. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a client has seen: each packet in short, and the end of its connection. */
export type Seen = readonly string[];

export interface Scene {
  /** A sentence about the broker, its statement ids last. */
  readonly name: string;
  play(stage: Stage): Promise<void>;
  /** By the name of the actor. */
  readonly expected: Readonly<Record<string, Seen>>;
}

/** Plays a scene to its end; what its actors have seen, and how many events it took. */
export async function play(
  scene: Pick<Scene, "play">,
  manner: Manner,
): Promise<{ seen: Record<string, Seen>; events: number; births: number }> {
  const stage = new Stage(manner);
  try {
    await scene.play(stage);
    await stage.host.settled();
    const { events, births } = stage.host;
    return { seen: stage.seen(), events, births };
  } finally {
    stage.host.close();
  }
}

export class Stage {
  readonly host: FakeHost;
  readonly #manner: Manner;
  readonly #actors: Actor[] = [];

  constructor(manner: Manner) {
    const { sleepsAfter, env = {} } = manner;
    this.#manner = manner;
    this.host = new FakeHost(BrokerObject, {
      env: { MIDGE_ALLOW_ANONYMOUS: "true", ...env },
      ...sleepsAfter === undefined ? {} : { sleepsAfter },
    });
  }

  /** Opens a connection that says nothing yet. */
  async open(name: string, version: ProtocolVersion = 5): Promise<Actor> {
    const peer = await this.host.connect();
    peer.version = version;
    const actor = new Actor(name, peer, this.#manner.inHalves === true);
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
    await this.host.advance(ms);
  }

  seen(): Record<string, Seen> {
    const all: Record<string, string[]> = {};
    for (const actor of this.#actors) (all[actor.name] ??= []).push(...actor.look());
    return all;
  }
}

export class Actor {
  readonly name: string;
  readonly peer: FakePeer;
  readonly #inHalves: boolean;
  readonly #seen: string[] = [];
  #isEndSeen = false;

  constructor(name: string, peer: FakePeer, inHalves: boolean) {
    this.name = name;
    this.peer = peer;
    this.#inHalves = inHalves;
  }

  /** Sends packets, each in a message of its own, or in two. */
  async send(...packets: readonly Packet[]): Promise<void> {
    for (const packet of packets) {
      const bytes = encoded(this.peer.version, packet);
      await this.sendBytes(bytes);
    }
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    const middle = bytes.length >> 1;
    if (!this.#inHalves || middle === 0) return await this.peer.sendBytes(bytes);
    await this.peer.sendBytes(bytes.subarray(0, middle));
    await this.peer.sendBytes(bytes.subarray(middle));
  }

  /** Takes what has come. */
  take(): Packet[] {
    const packets = this.peer.take();
    this.#seen.push(...packets.map(inShort));
    return packets;
  }

  /** Acknowledges as a good client does, until nothing more comes. */
  async settle(): Promise<void> {
    for (let packets = this.take(); packets.length > 0; packets = this.take()) {
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
    await this.peer.close(1006);
  }

  look(): Seen {
    this.take();
    if (this.peer.isClosed && !this.#isEndSeen) {
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
