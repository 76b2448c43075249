/**
 * The contract of a store in which a client's half of a session survives the process: messages
 * that the broker has not acknowledged, and the identifiers of those that were received once and
 * must not be shown again.
 *
 * The idea: a store is a log of changes plus a way to read what they come to. The client commits a
 * batch before the bytes that rest on it leave, so a store never has to know the protocol.
 *
 * @module
 */

import type { Properties } from "../core/codec/property.ts";

/** A message of QoS 1 or 2, as a store keeps it. */
export interface StoredMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly properties: Properties;
}

/** A message that is on its way to the broker. */
export interface StoredOutgoing {
  /** Its place in the order of publishing, which is also its name. */
  readonly sequence: number;
  /** The broker may have it under this identifier; `undefined` before it was sent. */
  readonly packetId: number | undefined;
  /** When it was first sent, in milliseconds since 1970; 0 before that. */
  readonly sentAt: number;
  /** The broker has said that it has it, so that the message itself is not needed any more. */
  readonly isReceived: boolean;
  readonly message: StoredMessage;
}

/** What a store has of one client. */
export interface StoredSession {
  /** In the order of their sequence. */
  readonly outgoing: readonly StoredOutgoing[];
  /** Packet identifiers of QoS 2 messages that were received and not released. */
  readonly heldIds: readonly number[];
}

/** What has to become durable. */
export type SessionChange =
  | { readonly kind: "queued"; readonly sequence: number; readonly message: StoredMessage }
  | {
    readonly kind: "sent";
    readonly sequence: number;
    readonly packetId: number;
    readonly sentAt: number;
  }
  | { readonly kind: "received"; readonly sequence: number }
  /** Acknowledged, refused or taken back. */
  | { readonly kind: "removed"; readonly sequence: number }
  | { readonly kind: "held"; readonly packetId: number }
  | { readonly kind: "released"; readonly packetId: number }
  /** The broker has forgotten the session: no identifier is held any more. */
  | { readonly kind: "session-lost" };

/** Where a client's session is kept. One store is one session of one client identifier. */
export interface SessionStore {
  /** Reads what was committed; throws when it belongs to another client identifier. */
  load(clientId: string): StoredSession | Promise<StoredSession>;
  /** Makes changes durable, in order, all of them or none; what it throws ends the client. */
  commit(changes: readonly SessionChange[]): void | Promise<void>;
}
