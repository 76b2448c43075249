/**
 * What stands in a store as the chunks of Mosquitto's database, for those who print both. Wills
 * have no place there, nor is it told how many clients share a message: each of them has its own.
 *
 * @module
 */

import type { StoredRecord } from "../core/broker/change.ts";
import type { Delivery } from "../core/session/delivery.ts";
import type { Message } from "../core/session/message.ts";
import { contentsOf } from "../core/session/message_contents.ts";
import { type ChunkContent, MosquittoDirection, MosquittoState } from "./mosquitto_chunk.ts";
import { SqliteStore } from "./sqlite_store.ts";
import type { SqlDatabase } from "./sql_database.ts";

/** The version of the format that has all that is told. */
const VERSION = 6;
const ID_BYTES = 8;
/** States that matter to nobody but who prints them. */
const WAIT_FOR_PUBREL = 7;
const QUEUED = 11;
/** Fixed parts of the chunks. */
const BASE_BYTES = 32;
const CLIENT_MESSAGE_BYTES = 16;
const SUBSCRIPTION_BYTES = 12;
const CLIENT_BYTES = 24;
const NO_LOCAL = 0x04;
const RETAIN_AS_PUBLISHED = 0x08;
/** How much of a queue is read at a time. */
const PAGE = { countMax: 1000, bytesMax: 16 * 1024 * 1024 };

type Chunk = Exclude<ChunkContent, { readonly kind: "unknown" }> & {
  readonly offset: number;
  readonly length: number;
};

/** A store as a database of Mosquitto. */
export interface StoreDb {
  readonly crc: number;
  readonly version: number;
  /** All of it, from the beginning whenever it is called. */
  chunks(): IterableIterator<Chunk>;
}

/**
 * Reads a store that nobody else has open; the database stays the caller's.
 *
 * @throws {OperationError} as `SqliteStore` does.
 */
export function readStoreDb(database: SqlDatabase, path: string, epochMs: number): StoreDb {
  const clocks = { now: () => epochMs, wallClock: () => epochMs };
  const store = new SqliteStore({ database, path, clocks });
  return { crc: 0, version: VERSION, chunks: () => chunksOf(store) };
}

function* chunksOf(store: SqliteStore): IterableIterator<Chunk> {
  let lastStoreId = 0n;
  const base = (message: Message): Chunk => baseMessage(message, ++lastStoreId);
  yield chunk(CLIENT_MESSAGE_BYTES, {
    kind: "configuration",
    shutdown: 1,
    idBytes: ID_BYTES,
    lastStoreId: 0n,
  });
  let sent: Extract<StoredRecord, { readonly kind: "delivery-sent" }> | undefined;
  for (const record of store.load()) {
    if (sent !== undefined) {
      const isReceived = record.kind === "delivery-received";
      yield base(sent.delivery.message);
      yield outgoing(sent, lastStoreId, sent.packetId, stateOf(sent.delivery, isReceived));
      sent = undefined;
    }
    switch (record.kind) {
      case "session-set":
        yield client(record);
        break;
      case "subscription-set":
        yield subscription(record);
        break;
      case "delivery-sent":
        // How far it has come is the next record's to say.
        sent = record;
        break;
      case "packet-id-held":
        yield held(record.clientId, record.packetId);
        break;
      case "deliveries-left":
        for (const delivery of queueOf(store, record.clientId)) {
          yield base(delivery.message);
          const { clientId } = record;
          yield outgoing({ clientId, delivery }, lastStoreId, 0, QUEUED);
        }
        break;
      case "retained-set":
        yield base(record.message);
        yield chunk(ID_BYTES, { kind: "retained", storeId: lastStoreId });
    }
  }
  if (sent === undefined) return;
  yield base(sent.delivery.message);
  yield outgoing(sent, lastStoreId, sent.packetId, stateOf(sent.delivery, false));
}

function* queueOf(store: SqliteStore, clientId: string): Iterable<Delivery> {
  let page = store.loadDeliveries(clientId, 0, PAGE);
  while (page.length > 0) {
    yield* page;
    page = store.loadDeliveries(clientId, page.at(-1)!.sequence, PAGE);
  }
}

function stateOf({ qos }: Delivery, isReceived: boolean): number {
  if (isReceived) return MosquittoState.WAIT_FOR_PUBCOMP;
  return qos === 1 ? MosquittoState.WAIT_FOR_PUBACK : MosquittoState.WAIT_FOR_PUBREC;
}

function baseMessage(message: Message, storeId: bigint): Chunk {
  const { topic, payload, properties } = contentsOf(message, 0);
  const clientId = encode(message.publisherId);
  const username = encode(message.publisherUsername ?? "");
  const { messageExpiryInterval: _, ...forwarded } = properties;
  return chunk(BASE_BYTES + clientId.length + username.length + message.keptBytes, {
    kind: "base-message",
    storeId,
    expiryTime: secondsOf(message.expiresAt),
    sourcePacketId: 0,
    sourcePort: 0,
    sourceClientId: clientId,
    sourceUsername: username,
    topic: encode(topic),
    qos: message.qos,
    retain: message.retain ? 1 : 0,
    payload,
    properties: forwarded,
  });
}

function outgoing(
  { clientId, delivery }: { readonly clientId: string; readonly delivery: Delivery },
  storeId: bigint,
  packetId: number,
  state: number,
): Chunk {
  const { qos, retain, subscriptionId } = delivery;
  const id = encode(clientId);
  return chunk(CLIENT_MESSAGE_BYTES + id.length, {
    kind: "client-message",
    clientId: id,
    storeId,
    packetId,
    qos,
    retain: retain ? 1 : 0,
    dup: 0,
    direction: MosquittoDirection.OUT,
    state,
    subscriptionId,
  });
}

/** A message that was passed on already; its identifier is what is left. */
function held(clientId: string, packetId: number): Chunk {
  const id = encode(clientId);
  return chunk(CLIENT_MESSAGE_BYTES + id.length, {
    kind: "client-message",
    clientId: id,
    storeId: 0n,
    packetId,
    qos: 2,
    retain: 0,
    dup: 0,
    direction: MosquittoDirection.IN,
    state: WAIT_FOR_PUBREL,
    subscriptionId: 0,
  });
}

function subscription(
  record: Extract<StoredRecord, { readonly kind: "subscription-set" }>,
): Chunk {
  const clientId = encode(record.clientId);
  const filter = encode(record.filter);
  return chunk(SUBSCRIPTION_BYTES + clientId.length + filter.length, {
    kind: "subscription",
    clientId,
    filter,
    qos: record.qos,
    options: (record.noLocal ? NO_LOCAL : 0) |
      (record.retainAsPublished ? RETAIN_AS_PUBLISHED : 0),
    subscriptionId: record.subscriptionId,
  });
}

function client(record: Extract<StoredRecord, { readonly kind: "session-set" }>): Chunk {
  const clientId = encode(record.clientId);
  const username = encode(record.username ?? "");
  return chunk(CLIENT_BYTES + clientId.length + username.length, {
    kind: "client",
    clientId,
    username: record.username === undefined ? undefined : username,
    sessionExpiryTime: secondsOf(record.endsAt),
    sessionExpiryInterval: record.expiryInterval,
    lastPacketId: 0,
    // Unix sockets have names in place of ports.
    listenerPort: Number(record.listenerName) || 0,
  });
}

/** Rows have no place in a file that could be told. */
function chunk(
  length: number,
  content: Exclude<ChunkContent, { readonly kind: "unknown" }>,
): Chunk {
  return { ...content, offset: 0, length };
}

/** 0 for what never ends. */
function secondsOf(epochMs: number): number {
  return epochMs === Infinity ? 0 : Math.round(epochMs / 1000);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
