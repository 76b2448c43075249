/**
 * A database of Mosquitto in numbers: how many chunks of each kind there are, and how much each
 * client has. Bytes are those of the chunks, without their headers.
 *
 * @module
 */

import { type KnownDb, type KnownKind, textOf } from "./known_db.ts";

/** In the order in which they are printed. */
const COUNTED: readonly (readonly [heading: string, kind: KnownKind])[] = [
  ["DB_CHUNK_CFG:", "configuration"],
  ["DB_CHUNK_BASE_MSG:", "base-message"],
  ["DB_CHUNK_CLIENT_MSG:", "client-message"],
  ["DB_CHUNK_RETAIN:", "retained"],
  ["DB_CHUNK_SUB:", "subscription"],
  ["DB_CHUNK_CLIENT:", "client"],
];

const HEADING_WIDTH = 21;

export function* dumpStats(db: KnownDb): Generator<string> {
  const counts = new Map<KnownKind, number>();
  for (const { kind } of db.chunks()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  for (const [heading, kind] of COUNTED) {
    yield `${heading.padEnd(HEADING_WIDTH)}${counts.get(kind) ?? 0}\n`;
  }
}

interface ClientStats {
  subscriptions: number;
  subscriptionBytes: number;
  messages: number;
  messageBytes: number;
}

export function* dumpClientStats(db: KnownDb): Generator<string> {
  const clients = new Map<string, ClientStats>();
  const messageBytes = new Map<bigint, number>();
  for (const chunk of db.chunks()) {
    switch (chunk.kind) {
      case "base-message":
        messageBytes.set(chunk.storeId, chunk.length);
        break;
      case "client":
        clients.set(textOf(chunk.clientId), {
          subscriptions: 0,
          subscriptionBytes: 0,
          messages: 0,
          messageBytes: 0,
        });
        break;
      case "subscription": {
        const client = clients.get(textOf(chunk.clientId));
        if (client === undefined) break;
        client.subscriptions++;
        client.subscriptionBytes += chunk.length;
        break;
      }
      case "client-message": {
        const client = clients.get(textOf(chunk.clientId));
        if (client === undefined) break;
        client.messages++;
        client.messageBytes += chunk.length + (messageBytes.get(chunk.storeId) ?? 0);
      }
    }
  }
  for (const [clientId, stats] of clients) {
    const { subscriptions, subscriptionBytes, messages, messageBytes } = stats;
    yield `SC: ${subscriptions} SS: ${subscriptionBytes} MC: ${messages} MS: ${messageBytes}` +
      `   ${clientId}\n`;
  }
}
