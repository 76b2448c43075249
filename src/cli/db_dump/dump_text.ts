/**
 * A database of Mosquitto as lines of text: a heading for each chunk, and below it a line for each
 * of its fields, in the words and the order of `mosquitto_db_dump`.
 *
 * @module
 */

import { unreachable } from "../../core/base/assert.ts";
import { decodeUtf8 } from "../../core/base/utf8.ts";
import { type ChunkOf, hexOf, type KnownChunk, type KnownDb, textOf } from "./known_db.ts";

const HEADINGS: Readonly<Record<KnownChunk["kind"], string>> = Object.freeze({
  "configuration": "DB_CHUNK_CFG",
  "base-message": "DB_CHUNK_BASE_MSG",
  "client-message": "DB_CHUNK_CLIENT_MSG",
  "retained": "DB_CHUNK_RETAIN",
  "subscription": "DB_CHUNK_SUB",
  "client": "DB_CHUNK_CLIENT",
});

/** Longer payloads are not shown. */
const SHOWN_PAYLOAD_BYTES_MAX = 255;

type Row = readonly [label: string, value: string | number | bigint];

export function* dumpText(db: KnownDb): Generator<string> {
  yield `Mosquitto DB dump\nCRC: ${db.crc}\nDB version: ${db.version}\n`;
  for (const chunk of db.chunks()) {
    const rows: Row[] = [["Length", chunk.length], ...rowsOf(chunk)];
    yield `${HEADINGS[chunk.kind]}:\n${linesOf(rows, "\t")}`;
    if (chunk.kind !== "base-message") continue;
    const properties = propertyRows(chunk);
    if (properties.length > 0) yield `\tProperties:\n${linesOf(properties, "\t\t")}`;
  }
}

function linesOf(rows: readonly Row[], indent: string): string {
  return rows.map(([label, value]) => `${indent}${label}: ${value}\n`).join("");
}

function rowsOf(chunk: KnownChunk): Row[] {
  switch (chunk.kind) {
    case "configuration":
      return [
        ["Shutdown", chunk.shutdown],
        ["DB ID size", chunk.idBytes],
        ["Last DB ID", chunk.lastStoreId],
      ];
    case "base-message":
      return baseMessageRows(chunk);
    case "client-message":
      return clientMessageRows(chunk);
    case "retained":
      return [["Store ID", chunk.storeId]];
    case "subscription":
      return [
        ["Client ID", textOf(chunk.clientId)],
        ["Topic", textOf(chunk.filter)],
        ["QoS", chunk.qos],
        ["Subscription ID", chunk.subscriptionId],
        ["Options", `0x${hexOf(Uint8Array.of(chunk.options))}`],
      ];
    case "client":
      return clientRows(chunk);
    default:
      return unreachable(chunk);
  }
}

function baseMessageRows(chunk: ChunkOf<"base-message">): Row[] {
  const { payload } = chunk;
  const text = payload.length === 0 || payload.length > SHOWN_PAYLOAD_BYTES_MAX
    ? null
    : decodeUtf8(payload, 0, payload.length);
  return [
    ["Store ID", chunk.storeId],
    ["Source Port", chunk.sourcePort],
    ["Source MID", chunk.sourcePacketId],
    ["Topic", textOf(chunk.topic)],
    ["QoS", chunk.qos],
    ["Retain", chunk.retain],
    ["Payload Length", payload.length],
    ["Expiry Time", chunk.expiryTime],
    ...text === null ? [] : [["Payload", text] as const],
  ];
}

function propertyRows({ properties }: ChunkOf<"base-message">): Row[] {
  const rows: Row[] = [];
  const { payloadFormatIndicator, contentType, responseTopic } = properties;
  const { correlationData, userProperties } = properties;
  if (payloadFormatIndicator !== undefined) {
    rows.push(["Payload format indicator", payloadFormatIndicator]);
  }
  if (contentType !== undefined) rows.push(["Content type", contentType]);
  if (responseTopic !== undefined) rows.push(["Response topic", responseTopic]);
  if (correlationData !== undefined) rows.push(["Correlation data", hexOf(correlationData)]);
  for (const [name, value] of userProperties ?? []) {
    rows.push(["User property", `${name} , ${value}`]);
  }
  return rows;
}

function clientMessageRows(chunk: ChunkOf<"client-message">): Row[] {
  const { subscriptionId } = chunk;
  return [
    ["Client ID", textOf(chunk.clientId)],
    ["Store ID", chunk.storeId],
    ["MID", chunk.packetId],
    ["QoS", chunk.qos],
    ["Retain", chunk.retain],
    ["Direction", chunk.direction],
    ["State", chunk.state],
    ["Dup", chunk.dup],
    ...subscriptionId === 0 ? [] : [["Subscription identifier", subscriptionId] as const],
  ];
}

function clientRows(chunk: ChunkOf<"client">): Row[] {
  const { username = new Uint8Array(0), listenerPort } = chunk;
  return [
    ["Client ID", textOf(chunk.clientId)],
    ...username.length === 0 ? [] : [["Username", textOf(username)] as const],
    ...listenerPort === 0 ? [] : [["Listener port", listenerPort] as const],
    ["Last MID", chunk.lastPacketId],
    ["Session expiry time", chunk.sessionExpiryTime ?? 0],
    ["Session expiry interval", chunk.sessionExpiryInterval ?? 0],
  ];
}
