/**
 * What stands in the database file of Mosquitto, as types: one for each chunk, the same for all
 * versions of the file, and the error for bytes that are none. Reading is in mosquitto_db.ts.
 *
 * Texts and payloads are views of the file's bytes: files of old versions hold texts that MQTT does
 * not allow, and whoever reads them decides what that means. Instants are seconds since 1970.
 *
 * @module
 */

import type { Properties } from "../core/codec/property.ts";

/** A record of the file, and where it stands. */
export type MosquittoChunk = ChunkContent & {
  /** Of its header in the file. */
  readonly offset: number;
  /** Bytes of its data, without the header. */
  readonly length: number;
};

export type ChunkContent =
  | ConfigurationChunk
  | BaseMessageChunk
  | ClientMessageChunk
  | RetainedChunk
  | SubscriptionChunk
  | ClientChunk
  | UnknownChunk;

/** What the broker noted of itself. */
interface ConfigurationChunk {
  readonly kind: "configuration";
  /** 1 when it was written at the end of a run. */
  readonly shutdown: number;
  readonly idBytes: number;
  readonly lastStoreId: bigint;
}

/** A message that clients and topics refer to. */
export interface BaseMessageChunk {
  readonly kind: "base-message";
  readonly storeId: bigint;
  /** 0: it does not expire. */
  readonly expiryTime: number;
  readonly sourcePacketId: number;
  readonly sourcePort: number;
  readonly sourceClientId: Uint8Array;
  readonly sourceUsername: Uint8Array;
  readonly topic: Uint8Array;
  readonly qos: number;
  readonly retain: number;
  readonly payload: Uint8Array;
  readonly properties: Properties;
}

/** A message on its way to or from a client. */
export interface ClientMessageChunk {
  readonly kind: "client-message";
  readonly clientId: Uint8Array;
  readonly storeId: bigint;
  readonly packetId: number;
  readonly qos: number;
  readonly retain: number;
  readonly dup: number;
  readonly direction: number;
  readonly state: number;
  /** 0 when there is none. */
  readonly subscriptionId: number;
}

/** The direction of a client message. */
export const MosquittoDirection = Object.freeze({ IN: 0, OUT: 1 });

/** How far a client message has come, as far as that matters to anybody else. */
export const MosquittoState = Object.freeze({
  WAIT_FOR_PUBACK: 3,
  WAIT_FOR_PUBREC: 5,
  RESEND_PUBREL: 6,
  RESEND_PUBCOMP: 8,
  WAIT_FOR_PUBCOMP: 9,
});

interface RetainedChunk {
  readonly kind: "retained";
  readonly storeId: bigint;
}

export interface SubscriptionChunk {
  readonly kind: "subscription";
  readonly clientId: Uint8Array;
  readonly filter: Uint8Array;
  readonly qos: number;
  /** No Local, Retain As Published and Retain Handling, in the bits of a SUBSCRIBE. */
  readonly options: number;
  /** 0 when there is none. */
  readonly subscriptionId: number;
}

export interface ClientChunk {
  readonly kind: "client";
  readonly clientId: Uint8Array;
  /** `undefined` in files that name no users. */
  readonly username: Uint8Array | undefined;
  /** 0 when there is none; `undefined` in files that know of no expiry. */
  readonly sessionExpiryTime: number | undefined;
  readonly sessionExpiryInterval: number | undefined;
  readonly lastPacketId: number;
  readonly listenerPort: number;
}

/** A type that no known version has. */
interface UnknownChunk {
  readonly kind: "unknown";
  readonly type: number;
}

/** Why bytes cannot be read as a database of Mosquitto. */
export type MosquittoDbFault = "unrecognised-format" | "unsupported-version" | "corrupt";

/** Thrown for a file that is no database of Mosquitto, of another version, or damaged. */
export class MosquittoDbError extends Error {
  override readonly name = "MosquittoDbError";
  readonly fault: MosquittoDbFault;

  constructor(fault: MosquittoDbFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
