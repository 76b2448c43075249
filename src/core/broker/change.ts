/**
 * What has to become durable: records that the broker gathers during a turn when it is told to
 * keep a journal (`journal.ts`), and that bring it back when they are replayed in order
 * (`restore.ts`). Only sessions that outlive their connection and retained messages leave records.
 *
 * Instants are those of the broker's clock; a store that outlives the clock translates them.
 *
 * @module
 */

import type { ProtocolVersion, QoS } from "../codec/protocol.ts";
import type { Delivery } from "../session/delivery.ts";
import type { Message } from "../session/message.ts";
import type { Will } from "../session/will.ts";

export type Change =
  | {
    /** A session was made, or its lifetime or connection changed. */
    readonly kind: "session-set";
    readonly clientId: string;
    readonly username: string | undefined;
    /** The user name was proven by TLS; without one, nobody knows who made the session. */
    readonly isIdentified: boolean;
    /** That of its last connection. */
    readonly protocolVersion: ProtocolVersion;
    /** The name of the listener that it last came in by; `""` for none of the host's. */
    readonly listenerName: string;
    readonly expiryInterval: number;
    /** `Infinity` while it is connected or never ends. */
    readonly endsAt: number;
  }
  /** With everything that belongs to it. */
  | { readonly kind: "session-removed"; readonly clientId: string }
  | {
    readonly kind: "subscription-set";
    readonly clientId: string;
    readonly filter: string;
    readonly qos: QoS;
    readonly noLocal: boolean;
    readonly retainAsPublished: boolean;
    readonly subscriptionId: number;
  }
  /** With what it was owed of retained messages. */
  | { readonly kind: "subscription-removed"; readonly clientId: string; readonly filter: string }
  /**
   * A subscription is owed the retained messages that match it and whose `retainedSequence` is
   * above `after` and not above `upTo`; it replaces what it was owed before.
   */
  | {
    readonly kind: "retained-owed";
    readonly clientId: string;
    readonly filter: string;
    readonly after: number;
    readonly upTo: number;
  }
  | { readonly kind: "retained-paid"; readonly clientId: string; readonly filter: string }
  /** A message waits for the session, behind all that waits already. */
  | { readonly kind: "delivery-queued"; readonly clientId: string; readonly delivery: Delivery }
  /** It is in flight, behind all that is in flight already. */
  | {
    readonly kind: "delivery-sent";
    readonly clientId: string;
    /** Its QoS is the one that it was sent by, which may be lower than when it was queued. */
    readonly delivery: Delivery;
    readonly packetId: number;
    /** An earlier change has queued it; otherwise this is its first record. */
    readonly wasQueued: boolean;
  }
  /** The receiver has it: only the identifier is left to be released. */
  | { readonly kind: "delivery-received"; readonly clientId: string; readonly packetId: number }
  /** It was in flight, and the exchange is over. */
  | { readonly kind: "delivery-finished"; readonly clientId: string; readonly packetId: number }
  /** A queued delivery is over: made, dropped, expired, or no longer allowed. */
  | { readonly kind: "delivery-dropped"; readonly clientId: string; readonly sequence: number }
  | { readonly kind: "packet-id-held"; readonly clientId: string; readonly packetId: number }
  | { readonly kind: "packet-id-released"; readonly clientId: string; readonly packetId: number }
  | {
    readonly kind: "will-set";
    readonly clientId: string;
    readonly will: Will;
    /** `Infinity` while its client is connected. */
    readonly dueAt: number;
  }
  | { readonly kind: "will-removed"; readonly clientId: string }
  | {
    /** Somebody outside decides about a Will, which is no part of its session any more. */
    readonly kind: "undecided-will-set";
    readonly number: number;
    readonly owner: WillOwner;
    readonly message: Message;
    /** An answer has put the message in the place of the Will's. */
    readonly isReplaced: boolean;
  }
  | { readonly kind: "undecided-will-removed"; readonly number: number }
  /** Replaces that of its topic; its `retainedSequence` is kept with it. */
  | { readonly kind: "retained-set"; readonly message: Message }
  | { readonly kind: "retained-removed"; readonly topic: string };

/** The session that left a Will, as far as that says who may publish it. */
export type WillOwner = Pick<
  Extract<Change, { readonly kind: "session-set" }>,
  "clientId" | "username" | "isIdentified" | "protocolVersion" | "listenerName"
>;

/** More deliveries wait for a session in the store alone, behind those that it gave. */
export interface DeliveriesLeft {
  readonly kind: "deliveries-left";
  readonly clientId: string;
  readonly count: number;
  /** Of their messages, as `Message.keptBytes` counts. */
  readonly bytes: number;
  /** How many of them have QoS 0. */
  readonly qos0Count: number;
  /** The `sequence` of the last one. */
  readonly lastSequence: number;
}

/** All messages that the store has, each counted once; the last record, if any are left in it. */
export interface MessagesStored {
  readonly kind: "messages-stored";
  readonly count: number;
  readonly payloadBytes: number;
}

/** What a store gives back: changes in an order that leads to the present, and what it keeps. */
export type StoredRecord = Change | DeliveriesLeft | MessagesStored;
