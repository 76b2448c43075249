/**
 * One session of an import: gathers what the file says of it, in the file's order, and gives the
 * changes that bring it back.
 *
 * The idea: whatever was sent and awaits an answer keeps its packet identifier; everything else
 * waits in the queue as if it had never been sent. A state that makes no sense costs no message.
 *
 * @module
 */

import type { Change } from "../core/broker/change.ts";
import type { QoS } from "../core/codec/protocol.ts";
import type { Delivery } from "../core/session/delivery.ts";
import type { Message } from "../core/session/message.ts";
import { type ClientMessageChunk, MosquittoState } from "./mosquitto_chunk.ts";

type ChangeOf<Kind extends Change["kind"]> = Extract<Change, { readonly kind: Kind }>;

/** A subscription without whom it belongs to. */
type ImportedSubscription = Omit<ChangeOf<"subscription-set">, "kind" | "clientId">;

const { WAIT_FOR_PUBACK, WAIT_FOR_PUBREC, RESEND_PUBREL, WAIT_FOR_PUBCOMP, RESEND_PUBCOMP } =
  MosquittoState;

export class ImportedSession {
  readonly #begin: ChangeOf<"session-set">;
  readonly #subscriptions: Change[] = [];
  readonly #sent: Change[] = [];
  readonly #queued: Delivery[] = [];
  /** Identifiers of packets in flight to the client. */
  readonly #sentIds: Set<number> = new Set();
  /** Identifiers of packets from the client that it has not released. */
  readonly #heldIds: Set<number> = new Set();
  #sequence = 0;

  constructor(begin: ChangeOf<"session-set">) {
    this.#begin = begin;
  }

  addSubscription(subscription: ImportedSubscription): void {
    const { clientId } = this.#begin;
    this.#subscriptions.push({ kind: "subscription-set", clientId, ...subscription });
  }

  /** A message for the client; `false` when there is none to be brought back. */
  addOutgoing(
    chunk: ClientMessageChunk & { readonly qos: QoS },
    message: Message,
    hasExpired: boolean,
  ): boolean {
    const { packetId, qos } = chunk;
    const delivery = {
      message,
      qos,
      retain: chunk.retain !== 0,
      subscriptionId: chunk.subscriptionId,
      sequence: ++this.#sequence,
      recordedAt: 0,
    };
    if (!isInFlight(chunk) || packetId === 0 || this.#sentIds.has(packetId)) {
      if (!hasExpired) this.#queued.push(delivery);
      return !hasExpired;
    }
    const { clientId } = this.#begin;
    this.#sentIds.add(packetId);
    this.#sent.push({ kind: "delivery-sent", clientId, delivery, packetId, wasQueued: false });
    if (qos === 2 && chunk.state !== WAIT_FOR_PUBREC) {
      this.#sent.push({ kind: "delivery-received", clientId, packetId });
    }
    return true;
  }

  /** A QoS 2 message from the client; whether it has yet to go on its way. */
  addIncoming({ packetId, qos, state }: ClientMessageChunk): boolean {
    if (qos !== 2 || packetId === 0 || state === RESEND_PUBCOMP || this.#heldIds.has(packetId)) {
      return false;
    }
    this.#heldIds.add(packetId);
    return true;
  }

  /** What brings the session back, in order. */
  changes(): Change[] {
    const { clientId } = this.#begin;
    return [
      this.#begin,
      ...this.#subscriptions,
      ...this.#sent,
      ...this.#queued.map((delivery): Change => ({ kind: "delivery-queued", clientId, delivery })),
      ...[...this.#heldIds].map((packetId): Change => ({
        kind: "packet-id-held",
        clientId,
        packetId,
      })),
    ];
  }
}

/** Whether the client may have it already. */
function isInFlight({ qos, state }: ClientMessageChunk): boolean {
  switch (state) {
    case WAIT_FOR_PUBACK:
      return qos === 1;
    case WAIT_FOR_PUBREC:
    case RESEND_PUBREL:
    case WAIT_FOR_PUBCOMP:
      return qos === 2;
    default:
      return false;
  }
}
