/**
 * The chunks of versions 2 to 4, of Mosquitto before 1.6: fields one after the other, each text
 * behind its length. They know neither properties nor expiry.
 *
 * @module
 */

import { NO_PROPERTIES } from "../core/codec/property.ts";
import type { ChunkReader } from "./chunk_reader.ts";
import type { ChunkContent } from "./mosquitto_chunk.ts";

/** The first version whose messages name the user who sent them, and the port. */
const WITH_SOURCES = 4;

const NO_BYTES = new Uint8Array(0);

export function readPackedChunk(type: number, reader: ChunkReader, version: number): ChunkContent {
  switch (type) {
    case 1:
      return readConfiguration(reader);
    case 2:
      return readBaseMessage(reader, version);
    case 3:
      return readClientMessage(reader);
    case 4:
      return { kind: "retained", storeId: reader.u64() };
    case 5:
      return readSubscription(reader);
    case 6:
      return readClient(reader);
    default:
      reader.rest();
      return { kind: "unknown", type };
  }
}

function readConfiguration(reader: ChunkReader): ChunkContent {
  const shutdown = reader.u8();
  const idBytes = reader.u8();
  return { kind: "configuration", shutdown, idBytes, lastStoreId: reader.u64() };
}

function readBaseMessage(reader: ChunkReader, version: number): ChunkContent {
  const storeId = reader.u64();
  const sourceClientId = reader.text();
  const hasSource = version >= WITH_SOURCES;
  const sourceUsername = hasSource ? reader.text() : NO_BYTES;
  const sourcePort = hasSource ? reader.u16() : 0;
  const sourcePacketId = reader.u16();
  // An identifier that was the broker's own.
  reader.u16();
  const topic = reader.text();
  const qos = reader.u8();
  const retain = reader.u8();
  const payload = reader.take(reader.u32());
  return {
    kind: "base-message",
    storeId,
    expiryTime: 0,
    sourcePacketId,
    sourcePort,
    sourceClientId,
    sourceUsername,
    topic,
    qos,
    retain,
    payload,
    properties: NO_PROPERTIES,
  };
}

function readClientMessage(reader: ChunkReader): ChunkContent {
  const clientId = reader.text();
  const storeId = reader.u64();
  const packetId = reader.u16();
  const qos = reader.u8();
  const retain = reader.u8();
  const direction = reader.u8();
  const state = reader.u8();
  const dup = reader.u8();
  return {
    kind: "client-message",
    clientId,
    storeId,
    packetId,
    qos,
    retain,
    dup,
    direction,
    state,
    subscriptionId: 0,
  };
}

function readSubscription(reader: ChunkReader): ChunkContent {
  const clientId = reader.text();
  const filter = reader.text();
  return {
    kind: "subscription",
    clientId,
    filter,
    qos: reader.u8(),
    options: 0,
    subscriptionId: 0,
  };
}

function readClient(reader: ChunkReader): ChunkContent {
  const clientId = reader.text();
  const lastPacketId = reader.u16();
  // When it was last connected, in as many bytes as the machine had for it.
  reader.rest();
  return {
    kind: "client",
    clientId,
    username: undefined,
    sessionExpiryTime: undefined,
    sessionExpiryInterval: undefined,
    lastPacketId,
    listenerPort: 0,
  };
}
