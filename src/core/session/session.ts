/**
 * What outlives a Network Connection: subscriptions, what is in flight in both directions, what is
 * queued, the Will, and when all of it ends. A session is state; the rules that change it are in
 * `core/broker`.
 *
 * The connection is a type parameter, because sessions stand below connections.
 *
 * @module
 */

import { LazyMap } from "../base/lazy_map.ts";
import type { ProtocolVersion, QoS } from "../codec/protocol.ts";
import { DeliveryQueue } from "./delivery_queue.ts";
import type { Message } from "./message.ts";
import type { ListenerSettings } from "./peer.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import { StoredMessages } from "./stored_messages.ts";
import type { Will } from "./will.ts";

/** The Session Expiry Interval that means never. [MQTT-3.1.2-23] */
export const NEVER_EXPIRES = 0xffffffff;

/** A subscription. Subscribing again replaces its options in place. [MQTT-3.8.4-3] */
export class Subscription<C> {
  readonly kind = "subscription";
  readonly session: Session<C>;
  /** `$share/…` included; the mount point, if there is one, stands after it. */
  readonly requestedFilter: string;
  /** Without `$share/<name>/`. */
  readonly filter: string;
  readonly shareName: string | undefined;
  qos: QoS = 0;
  noLocal = false;
  retainAsPublished = false;
  /** 0 when there is none. */
  subscriptionId = 0;
  /** Its place in the route table, -1 for a member of a shared group. */
  slot = -1;

  constructor(
    session: Session<C>,
    requestedFilter: string,
    parsed: { readonly filter: string; readonly shareName: string | undefined },
  ) {
    this.session = session;
    this.requestedFilter = requestedFilter;
    this.filter = parsed.filter;
    this.shareName = parsed.shareName;
  }
}

/**
 * Retained messages that a new subscription is still owed. They are looked up when their turn
 * comes, so that a client which subscribes to much and takes nothing holds one list and not many.
 */
export interface OwedRetained<C> {
  readonly subscription: Subscription<C>;
  /** What had been retained up to here; anything later was delivered live. */
  sequence: number;
  /** Of those, the ones up to here have been given already, before a restart. */
  after: number;
  /** `undefined` until their turn comes. */
  messages: readonly Message[] | undefined;
  next: number;
  /** The number of the change that recorded it last. */
  recordedAt: number;
  /** A store has been told of it. */
  isStored: boolean;
}

/** The state of one client. */
export class Session<C> {
  readonly kind = "session";
  readonly clientId: string;
  /** The user who made it. */
  username: string | undefined;
  /** That name was proven by TLS. Together they are whose the session is. */
  isIdentified = false;
  /** The settings of the listener that its client last came in by. */
  listener: ListenerSettings | undefined = undefined;
  /** What the policy notes about its client. */
  policyNotes: unknown = undefined;
  connection: C | undefined = undefined;
  /** Seconds; 0 ends it with its connection, `NEVER_EXPIRES` never. */
  expiryInterval = 0;
  /** A store keeps it: it outlives its connection, or some of what it waits for is only there. */
  isRecorded = false;
  /** That of the last connection. */
  protocolVersion: ProtocolVersion = 5;
  /** The last message that it got a copy of, where it is to get no second one. */
  lastPublication = 0;
  /** Filters with `$share/…`, to their subscriptions. */
  readonly subscriptions: LazyMap<string, Subscription<C>> = new LazyMap();
  readonly sender: Sender;
  readonly receiver: Receiver = new Receiver();
  readonly queue: DeliveryQueue;
  /** First come, first served; a subscription is owed its messages once. */
  readonly owedRetained: LazyMap<Subscription<C>, OwedRetained<C>> = new LazyMap();
  will: Will | undefined = undefined;
  /** The instant at which a delayed Will is due, `Infinity` when none waits. */
  willDueAt = Infinity;
  /** The instant at which the session ends while it has no connection. */
  endsAt = Infinity;
  /** Take-overs that count against the limit: one less for each second since `takenOverAt`. */
  recentTakeOvers = 0;
  takenOverAt = 0;
  /** A message to its client has been dropped since it connected last. */
  hasDropped = false;
  /** The last sequence number given to a delivery. */
  sequence = 0;

  // A deadline: the earlier of `willDueAt` and `endsAt`.
  at = Infinity;
  heapIndex = -1;

  readonly #stored: StoredMessages;

  constructor(clientId: string, stored: StoredMessages = new StoredMessages()) {
    this.clientId = clientId;
    this.#stored = stored;
    this.sender = new Sender(stored);
    this.queue = new DeliveryQueue(stored);
  }

  /** Whether it outlives its connection, so that what is in flight must be kept. */
  get isPersistent(): boolean {
    return this.expiryInterval > 0;
  }

  /** Gives what waits for an absent client memory of its own: it may wait for long. */
  settleDeliveries(): void {
    for (const delivery of this.queue) this.#stored.settle(delivery);
    for (const { delivery } of this.sender.entriesInOrder()) {
      if (delivery !== undefined) this.#stored.settle(delivery);
    }
  }

  /** Forgets what waits and what is in flight: the session ends. */
  discardDeliveries(): void {
    this.queue.clear();
    this.sender.clear();
  }
}
