/**
 * What has to become durable: records that the broker gathers during a turn when it is told to
 * keep a journal, and that bring it back when they are replayed in order (`restore.ts`). Only
 * sessions that outlive their connection and retained messages leave records.
 *
 * Instants are those of the broker's clock; a store that outlives the clock translates them.
 *
 * @module
 */

import type { QoS } from "../codec/protocol.ts";
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
    readonly expiryInterval: number;
    /** `Infinity` while it is connected or never ends. */
    readonly endsAt: number;
  }
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
  | { readonly kind: "subscription-removed"; readonly clientId: string; readonly filter: string }
  /** A message waits for the session. */
  | { readonly kind: "delivery-queued"; readonly clientId: string; readonly delivery: Delivery }
  /** It is in flight: from the queue, or at once, in which case `delivery` is its first record. */
  | {
    readonly kind: "delivery-sent";
    readonly clientId: string;
    readonly delivery: Delivery;
    readonly packetId: number;
  }
  /** The receiver has it: only the identifier is left to be released. */
  | { readonly kind: "delivery-received"; readonly clientId: string; readonly packetId: number }
  | { readonly kind: "delivery-finished"; readonly clientId: string; readonly packetId: number }
  /** A queued delivery was dropped, expired or may no longer be made. */
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
  | { readonly kind: "retained-set"; readonly message: Message }
  | { readonly kind: "retained-removed"; readonly topic: string };
