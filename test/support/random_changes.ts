/**
 * Changes as a broker might make them, drawn from a seed: few clients, filters and topics, so that
 * everything meets everything; messages that one session gets and that many get, small and large.
 */

import type { Random } from "../../src/core/base/prng.ts";
import type { Change } from "../../src/core/broker/change.ts";
import type { QoS } from "../../src/core/codec/protocol.ts";
import type { Delivery } from "../../src/core/session/delivery.ts";
import { Message } from "../../src/core/session/message.ts";

interface Client {
  sequence: number;
  lastPacketId: number;
  readonly filters: Set<string>;
  readonly queued: Delivery[];
  readonly inflight: number[];
}

const FILTERS = ["a", "a/#", "$share/s/a/+", "größe/+/x"];
const TOPICS = ["a", "a/b", "größe/1/x", "c"];

/** A message with memory of its own. */
export function messageOf(
  topic: string,
  payload: Uint8Array,
  more: Partial<Pick<Message, "qos" | "retain" | "expiresAt" | "publisherId">> & {
    readonly publisherUsername?: string | undefined;
    readonly properties?: Uint8Array;
  } = {},
): Message {
  const { properties = new Uint8Array(), ...rest } = more;
  const topicBytes = new TextEncoder().encode(topic);
  const message = Object.assign(new Message(), {
    topicBytes,
    topicEnd: topicBytes.length,
    propertyBytes: properties,
    propertiesEnd: properties.length,
    payloadBytes: payload,
    payloadEnd: payload.length,
    ...rest,
  });
  return message.keep();
}

export class RandomChanges {
  readonly #random: Random;
  readonly #clients: Map<string, Client> = new Map();
  #retainedSequence = 0;
  #recent: Message[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  batch(): Change[] {
    return Array.from({ length: 1 + this.#below(12) }, () => this.#changes()).flat();
  }

  /** What ends all that is there. */
  endOfAll(): Change[] {
    return [
      ...[...this.#clients.keys()].map((clientId): Change => ({
        kind: "session-removed",
        clientId,
      })),
      ...[1, 2, 3].map((number): Change => ({ kind: "undecided-will-removed", number })),
      ...TOPICS.map((topic): Change => ({ kind: "retained-removed", topic })),
    ];
  }

  #changes(): Change[] {
    const clientId = `client ${this.#below(4)}`;
    const client = this.#clients.get(clientId);
    if (client === undefined) return [this.#begin(clientId)];
    const filter = this.#pick(FILTERS);
    switch (this.#below(17)) {
      case 0:
        return this.#below(8) > 0 ? [this.#set(clientId)] : [this.#end(clientId)];
      case 1:
        client.filters.add(filter);
        return [{
          kind: "subscription-set",
          clientId,
          filter,
          qos: this.#qos(),
          noLocal: this.#chance(),
          retainAsPublished: this.#chance(),
          subscriptionId: this.#below(3),
        }];
      case 2:
        client.filters.delete(filter);
        return [{ kind: "subscription-removed", clientId, filter }];
      case 3:
        return client.filters.has(filter)
          ? [{ kind: "retained-owed", clientId, filter, after: this.#below(9), upTo: 9 }]
          : [];
      case 4:
        return [{ kind: "retained-paid", clientId, filter }];
      case 5:
        return [{ kind: "packet-id-held", clientId, packetId: 1 + this.#below(9) }];
      case 6:
        return [{ kind: "packet-id-released", clientId, packetId: 1 + this.#below(9) }];
      case 7:
        return this.#chance() ? [{ kind: "will-removed", clientId }] : [{
          kind: "will-set",
          clientId,
          will: {
            message: this.#message(),
            messageExpiryInterval: this.#chance() ? undefined : this.#below(100),
            delay: this.#below(10),
          },
          dueAt: this.#instant(),
        }];
      case 8: {
        const message = this.#message();
        // A message is retained once; the next one of that topic is another.
        if (message.retainedSequence > 0) return [];
        message.retainedSequence = ++this.#retainedSequence;
        return [{ kind: "retained-set", message }];
      }
      case 9:
        return [{ kind: "retained-removed", topic: this.#pick(TOPICS) }];
      case 10:
      case 11:
        return this.#publish();
      case 12:
        return this.#send(clientId, client);
      case 13:
        return [this.#undecidedWill(clientId)];
      default:
        return this.#acknowledge(clientId, client);
    }
  }

  #undecidedWill(clientId: string): Change {
    const number = 1 + this.#below(3);
    if (this.#chance()) return { kind: "undecided-will-removed", number };
    return {
      kind: "undecided-will-set",
      number,
      owner: {
        clientId,
        username: this.#chance() ? undefined : "user",
        isIdentified: this.#chance(),
        protocolVersion: this.#pick([3, 4, 5]),
        listenerName: this.#pick(["", "1883"]),
      },
      message: this.#message(),
      isReplaced: this.#chance(),
    };
  }

  #begin(clientId: string): Change {
    this.#clients.set(clientId, {
      sequence: 0,
      lastPacketId: 0,
      filters: new Set(),
      queued: [],
      inflight: [],
    });
    return this.#set(clientId);
  }

  #set(clientId: string): Change {
    return {
      kind: "session-set",
      clientId,
      username: this.#chance() ? undefined : `user ${this.#below(3)}`,
      isIdentified: this.#chance(),
      protocolVersion: this.#pick([3, 4, 5]),
      listenerName: this.#pick(["", "1883", "/run/mqtt"]),
      expiryInterval: this.#pick([1, 3600, 0xffffffff]),
      endsAt: this.#instant(),
    };
  }

  #end(clientId: string): Change {
    this.#clients.delete(clientId);
    return { kind: "session-removed", clientId };
  }

  /** One message for whoever is drawn, at once or behind others. */
  #publish(): Change[] {
    const message = this.#message();
    const changes: Change[] = [];
    for (const [clientId, client] of this.#clients) {
      if (this.#chance()) continue;
      const delivery = {
        message,
        qos: this.#qos(),
        retain: this.#chance(),
        subscriptionId: this.#below(3),
        sequence: ++client.sequence,
        recordedAt: 0,
      };
      if (client.queued.length > 0 || this.#chance()) {
        client.queued.push(delivery);
        changes.push({ kind: "delivery-queued", clientId, delivery });
      } else {
        changes.push(this.#sent(clientId, client, delivery, false));
      }
    }
    return changes;
  }

  #send(clientId: string, client: Client): Change[] {
    const delivery = client.queued.shift();
    if (delivery === undefined) return [];
    if (this.#below(4) === 0) {
      return [{ kind: "delivery-dropped", clientId, sequence: delivery.sequence }];
    }
    const qos = Math.min(1, delivery.qos) as QoS;
    return [this.#sent(clientId, client, { ...delivery, qos }, true)];
  }

  #sent(clientId: string, client: Client, delivery: Delivery, wasQueued: boolean): Change {
    const packetId = ++client.lastPacketId;
    client.inflight.push(packetId);
    return { kind: "delivery-sent", clientId, delivery, packetId, wasQueued };
  }

  #acknowledge(clientId: string, client: Client): Change[] {
    if (client.inflight.length === 0) return [];
    const at = this.#below(client.inflight.length);
    const packetId = client.inflight[at]!;
    if (this.#chance()) return [{ kind: "delivery-received", clientId, packetId }];
    client.inflight.splice(at, 1);
    return [{ kind: "delivery-finished", clientId, packetId }];
  }

  #message(): Message {
    if (this.#recent.length > 0 && this.#below(3) === 0) return this.#pick(this.#recent);
    const payload = new Uint8Array(this.#below(8) === 0 ? 3000 : this.#below(20));
    payload.fill(this.#below(256));
    const message = messageOf(this.#pick(TOPICS), payload, {
      qos: this.#qos(),
      retain: this.#chance(),
      expiresAt: this.#instant(),
      publisherId: this.#pick(["", "publisher"]),
      publisherUsername: this.#chance() ? undefined : "größer",
      properties: this.#chance() ? new Uint8Array() : Uint8Array.of(1, 1),
    });
    this.#recent = [message, ...this.#recent].slice(0, 3);
    return message;
  }

  #qos(): QoS {
    return this.#below(3) as QoS;
  }

  #instant(): number {
    return this.#chance() ? Infinity : this.#below(1_000_000) - 1000;
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#below(values.length)]!;
  }

  #chance(): boolean {
    return this.#below(2) === 0;
  }

  #below(count: number): number {
    return this.#random() % count;
  }
}
