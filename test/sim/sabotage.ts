// Brokers that break exactly one promise each, on purpose: whoever checks that promise has to notice.
// Each is the real broker with one wrong answer on its way in or out.

import type { Change } from "../../src/core/broker/change.ts";
import type { Connection } from "../../src/core/broker/connection.ts";
import type { CloseCause } from "../../src/core/broker/event.ts";
import type { Batch } from "../../src/core/broker/journal.ts";
import type {
  ConnectRequest,
  Decision,
  Policy,
  PublishDecision,
} from "../../src/core/broker/question.ts";
import { encodePacket } from "../../src/core/codec/encode.ts";
import { decodePacket } from "../../src/core/codec/decode.ts";
import { Framer } from "../../src/core/codec/framer.ts";
import type { Packet, PublishPacket } from "../../src/core/codec/packet.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import type { Sabotage } from "./broker_process.ts";
import { WatchedCore } from "./watched_core.ts";

/** Misreads what whole packets in a chunk of a connected client say. */
class MisreadingCore extends WatchedCore {
  readonly #misread: (packets: Packet[]) => Packet[];

  constructor(
    misread: (packets: Packet[]) => Packet[],
    ...given: ConstructorParameters<typeof WatchedCore>
  ) {
    super(...given);
    this.#misread = misread;
  }

  override receive(connection: Connection, chunk: Uint8Array, now: number): void {
    super.receive(connection, this.#rewritten(connection, chunk), now);
  }

  #rewritten(connection: Connection, chunk: Uint8Array): Uint8Array {
    const { session, phase, protocolVersion } = connection;
    if (phase !== "connected" || !session?.clientId.startsWith("c")) return chunk;
    const framer = new Framer();
    framer.feed(chunk.slice());
    const packets: Packet[] = [];
    let end = 0;
    try {
      while (framer.next()) {
        const { firstByte, bytes, bodyStart } = framer;
        packets.push(decodePacket(firstByte, bytes, bodyStart, framer.end, protocolVersion));
        end = framer.end;
      }
    } catch {
      // It began in the middle of a packet.
      return chunk;
    }
    if (end !== chunk.length) return chunk;
    const writer = new Writer(new Uint8Array(256));
    for (const packet of this.#misread(packets)) encodePacket(writer, packet, protocolVersion);
    return writer.bytes.slice(0, writer.length);
  }
}

/** Loses some of what it should make durable. */
class ForgetfulCore extends WatchedCore {
  readonly #forgets: (change: Change) => boolean;

  constructor(
    forgets: (change: Change) => boolean,
    ...given: ConstructorParameters<typeof WatchedCore>
  ) {
    super(...given);
    this.#forgets = forgets;
  }

  override takeChanges(): Batch {
    const { changes, upTo } = super.takeChanges();
    return { changes: changes.filter((change) => !this.#forgets(change)), upTo };
  }
}

/** Publishes Wills itself, beside what the broker does. */
class MorbidCore extends WatchedCore {
  override close(
    connection: Connection,
    cause: CloseCause,
    detail: string | undefined,
    now: number,
  ): void {
    const message = connection.session?.will?.message;
    super.close(connection, cause, detail, now);
    if (message === undefined) return;
    const { topic, qos, payloadBytes, payloadStart, payloadEnd } = message;
    this.publish({ topic, qos, payload: payloadBytes.subarray(payloadStart, payloadEnd) }, now);
  }
}

/** Releases identifiers that are still in use. */
class HastyCore extends WatchedCore {
  override receive(connection: Connection, chunk: Uint8Array, now: number): void {
    super.receive(connection, chunk, now);
    const receiver = connection.session?.receiver;
    for (const packetId of [...receiver?.heldIds() ?? []]) receiver?.release(packetId);
  }
}

/** Does not hear that a client is there again to take something. */
class DeafCore extends WatchedCore {
  #count = 0;

  override drained(connection: Connection, now: number): void {
    if (++this.#count % 5 !== 0) super.drained(connection, now);
  }
}

/** Thinks that who goes without a word is still there. */
class CredulousCore extends WatchedCore {
  override close(
    connection: Connection,
    cause: CloseCause,
    detail: string | undefined,
    now: number,
  ): void {
    const isNoticed = detail === undefined || connection.session === undefined;
    if (isNoticed) super.close(connection, cause, detail, now);
  }
}

/** Lets everybody read everything. */
class GulliblePolicy implements Policy {
  readonly #policy: Policy;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  connect(request: ConnectRequest): Decision {
    return this.#policy.connect(request);
  }

  hasAuthenticationMethod(method: string): boolean {
    return this.#policy.hasAuthenticationMethod(method);
  }

  publish(...asked: Parameters<Policy["publish"]>): PublishDecision {
    return this.#policy.publish(...asked);
  }

  subscribe(...asked: Parameters<Policy["subscribe"]>): Decision {
    return this.#policy.subscribe(...asked);
  }

  unsubscribe(...asked: Parameters<Policy["unsubscribe"]>): Decision {
    return this.#policy.unsubscribe(...asked);
  }

  deliver(): boolean {
    return true;
  }

  hasRetained(...asked: Parameters<Policy["hasRetained"]>): boolean {
    return this.#policy.hasRetained(...asked);
  }
}

/** A broken broker for each checker, by the checker's name. */
export const SABOTAGES: Readonly<Record<string, Sabotage>> = {
  loss: { makeCore: (...given) => new ForgetfulCore(isDelivery, ...given) },
  session: { makeCore: (...given) => new ForgetfulCore(isSession, ...given) },
  duplicate: { makeCore: (...given) => new HastyCore(...given) },
  order: { makeCore: (...given) => new MisreadingCore(swapped, ...given) },
  access: { policy: (policy) => new GulliblePolicy(policy) },
  retained: { makeCore: (...given) => new MisreadingCore(unretained, ...given) },
  expiry: { makeCore: (...given) => new MisreadingCore(immortal, ...given) },
  shared: { makeCore: (...given) => new MisreadingCore(unshared, ...given) },
  wills: { makeCore: (...given) => new MorbidCore(...given) },
  limits: { limits: { queuedMessagesMax: 0, queuedBytesMax: 0, queuedMessagesTotalMax: 0 } },
  liveness: { makeCore: (...given) => new DeafCore(...given) },
  leftovers: { makeCore: (...given) => new CredulousCore(...given) },
};

function isDelivery({ kind }: Change): boolean {
  return kind === "delivery-queued" || kind === "delivery-sent";
}

function isSession({ kind }: Change): boolean {
  return kind === "session-set";
}

function isPublish(packet: Packet): packet is PublishPacket {
  return packet.type === "publish";
}

function swapped(packets: Packet[]): Packet[] {
  return packets.every(isPublish) ? packets.reverse() : packets;
}

function unretained(packets: Packet[]): Packet[] {
  return packets.map((packet) => isPublish(packet) ? { ...packet, retain: false } : packet);
}

function immortal(packets: Packet[]): Packet[] {
  return packets.map((packet) => {
    if (!isPublish(packet)) return packet;
    const { messageExpiryInterval: _forgotten, ...properties } = packet.properties;
    return { ...packet, properties };
  });
}

function unshared(packets: Packet[]): Packet[] {
  return packets.map((packet) => {
    if (packet.type !== "subscribe") return packet;
    const subscriptions = packet.subscriptions.map((request) => ({
      ...request,
      filter: request.filter.replace(/^\$share\/[^/]+\//, ""),
    }));
    return { ...packet, subscriptions };
  });
}
