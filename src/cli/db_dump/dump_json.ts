/**
 * A database of Mosquitto as one JSON object with a list for each kind of chunk, in the layout that
 * `mosquitto_db_dump` gives it.
 *
 * The idea: the chunks are read once for each list, so that no list is ever held whole. Store ids
 * have 64 bits and are written with all their digits, which not every reader of JSON keeps.
 *
 * @module
 */

import { type ChunkOf, hexOf, type KnownChunk, type KnownDb, textOf } from "./known_db.ts";

type Json = string | number | bigint | readonly Json[] | JsonObject;
/** Fields without a value are not written. */
interface JsonObject {
  readonly [name: string]: Json | undefined;
}

const LISTS: readonly (readonly [name: string, of: (chunk: KnownChunk) => Json | undefined])[] = [
  ["base-messages", (chunk) => chunk.kind === "base-message" ? baseMessage(chunk) : undefined],
  ["clients", (chunk) => chunk.kind === "client" ? client(chunk) : undefined],
  [
    "client-messages",
    (chunk) => chunk.kind === "client-message" ? clientMessage(chunk) : undefined,
  ],
  ["retained-messages", (chunk) => {
    return chunk.kind === "retained" ? { storeid: chunk.storeId } : undefined;
  }],
  ["subscriptions", (chunk) => chunk.kind === "subscription" ? subscription(chunk) : undefined],
];

export function* dumpJson(db: KnownDb): Generator<string> {
  // A reader of JSON has no use for half an object: damage is to be found before anything is said.
  for (const _ of db.chunks());
  let separator = "{";
  for (const [name, of] of LISTS) {
    yield `${separator}\n\t"${name}":\t[`;
    let itemSeparator = "";
    for (const chunk of db.chunks()) {
      const item = of(chunk);
      if (item === undefined) continue;
      yield itemSeparator + formatJson(item, 2);
      itemSeparator = ", ";
    }
    yield "]";
    separator = ",";
  }
  yield "\n}\n";
}

function baseMessage(chunk: ChunkOf<"base-message">): JsonObject {
  return {
    "storeid": chunk.storeId,
    "expiry-time": chunk.expiryTime,
    "source-mid": chunk.sourcePacketId,
    "source-port": chunk.sourcePort,
    "qos": chunk.qos,
    "retain": chunk.retain,
    "topic": textOf(chunk.topic),
    "clientid": textOf(chunk.sourceClientId) || undefined,
    "username": textOf(chunk.sourceUsername) || undefined,
    "payload": base64Of(chunk.payload) || undefined,
    "properties": propertyList(chunk),
  };
}

function propertyList({ properties }: ChunkOf<"base-message">): Json | undefined {
  const { payloadFormatIndicator, contentType, responseTopic } = properties;
  const { correlationData, userProperties = [] } = properties;
  const list = [
    { identifier: "payload-format-indicator", value: payloadFormatIndicator },
    { identifier: "content-type", value: contentType },
    { identifier: "response-topic", value: responseTopic },
    { identifier: "correlation-data", value: correlationData && hexOf(correlationData) },
    ...userProperties.map(([name, value]) => ({ identifier: "user-property", name, value })),
  ].filter(({ value }) => value !== undefined);
  return list.length === 0 ? undefined : list;
}

function client(chunk: ChunkOf<"client">): JsonObject {
  return {
    "clientid": textOf(chunk.clientId),
    "username": chunk.username && (textOf(chunk.username) || undefined),
    "session-expiry-time": chunk.sessionExpiryTime ?? 0,
    "session-expiry-interval": chunk.sessionExpiryInterval ?? 0,
    "last-mid": chunk.lastPacketId,
    "listener-port": chunk.listenerPort,
  };
}

function clientMessage(chunk: ChunkOf<"client-message">): JsonObject {
  return {
    "clientid": textOf(chunk.clientId),
    "storeid": chunk.storeId,
    "mid": chunk.packetId,
    "qos": chunk.qos,
    "state": chunk.state,
    "retain-dup": chunk.retain << 4 | chunk.dup,
    "direction": chunk.direction,
    "subscription-identifier": chunk.subscriptionId,
  };
}

function subscription(chunk: ChunkOf<"subscription">): JsonObject {
  return {
    "clientid": textOf(chunk.clientId),
    "topic": textOf(chunk.filter),
    "qos": chunk.qos,
    "options": chunk.options,
    "identifier": chunk.subscriptionId,
  };
}

/** A value that stands `depth` tabs deep. */
function formatJson(value: Json, depth: number): string {
  if (typeof value === "bigint" || typeof value === "number") return String(value);
  if (typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) {
    return `[${value.map((item) => formatJson(item, depth + 1)).join(", ")}]`;
  }
  const indent = "\t".repeat(depth);
  let text = "{";
  let separator = "\n";
  for (const [name, field] of Object.entries(value)) {
    if (field === undefined) continue;
    text += `${separator}${indent}\t"${name}":\t${formatJson(field, depth + 1)}`;
    separator = ",\n";
  }
  return `${text}\n${indent}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

const BASE64_BYTES_PER_CALL = 3 * 1024;

function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += BASE64_BYTES_PER_CALL) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + BASE64_BYTES_PER_CALL)));
  }
  return text;
}
