/**
 * The chunks of versions 5 and 6, which Mosquitto writes since 1.6: a part of fixed size, then the
 * texts whose lengths it told. The versions differ in the client's chunk only.
 *
 * @module
 */

import { MqttError } from "../core/codec/error.ts";
import { decodeProperties, NO_PROPERTIES, type Properties } from "../core/codec/property.ts";
import { PacketType } from "../core/codec/protocol.ts";
import { Reader } from "../core/codec/reader.ts";
import type { ChunkReader } from "./chunk_reader.ts";
import type { ChunkContent } from "./mosquitto_chunk.ts";

/** The first version whose clients have a user name and a listener. */
const WITH_USERNAMES = 6;

export function readFixedChunk(type: number, reader: ChunkReader, version: number): ChunkContent {
  switch (type) {
    case 1:
      return readConfiguration(reader);
    case 2:
      return readBaseMessage(reader);
    case 3:
      return readClientMessage(reader);
    case 4:
      return { kind: "retained", storeId: reader.u64() };
    case 5:
      return readSubscription(reader);
    case 6:
      return readClient(reader, version);
    default:
      reader.rest();
      return { kind: "unknown", type };
  }
}

function readConfiguration(reader: ChunkReader): ChunkContent {
  const lastStoreId = reader.u64();
  const shutdown = reader.u8();
  const idBytes = reader.u8();
  reader.take(6);
  return { kind: "configuration", shutdown, idBytes, lastStoreId };
}

function readBaseMessage(reader: ChunkReader): ChunkContent {
  const storeId = reader.u64();
  const expiryTime = reader.time();
  const payloadLength = reader.u32();
  const sourcePacketId = reader.u16();
  const clientIdLength = reader.u16();
  const usernameLength = reader.u16();
  const topicLength = reader.u16();
  const sourcePort = reader.u16();
  const qos = reader.u8();
  const retain = reader.u8();
  const sourceClientId = reader.take(clientIdLength);
  const sourceUsername = reader.take(usernameLength);
  const topic = reader.take(topicLength);
  const payload = reader.take(payloadLength);
  return {
    kind: "base-message",
    storeId,
    expiryTime,
    sourcePacketId,
    sourcePort,
    sourceClientId,
    sourceUsername,
    topic,
    qos,
    retain,
    payload,
    properties: readProperties(reader),
  };
}

function readClientMessage(reader: ChunkReader): ChunkContent {
  const storeId = reader.u64();
  const packetId = reader.u16();
  const clientIdLength = reader.u16();
  const qos = reader.u8();
  const state = reader.u8();
  const retainAndDup = reader.u8();
  const direction = reader.u8();
  const clientId = reader.take(clientIdLength);
  return {
    kind: "client-message",
    clientId,
    storeId,
    packetId,
    qos,
    retain: retainAndDup >> 4,
    dup: retainAndDup & 0x0f,
    direction,
    state,
    subscriptionId: readProperties(reader).subscriptionIds?.[0] ?? 0,
  };
}

function readSubscription(reader: ChunkReader): ChunkContent {
  const subscriptionId = reader.u32();
  const clientIdLength = reader.u16();
  const filterLength = reader.u16();
  const qos = reader.u8();
  const options = reader.u8();
  reader.take(2);
  const clientId = reader.take(clientIdLength);
  const filter = reader.take(filterLength);
  return { kind: "subscription", clientId, filter, qos, options, subscriptionId };
}

function readClient(reader: ChunkReader, version: number): ChunkContent {
  const hasUsername = version >= WITH_USERNAMES;
  const sessionExpiryTime = reader.time();
  const sessionExpiryInterval = reader.u32();
  const lastPacketId = reader.u16();
  const clientIdLength = reader.u16();
  const listenerPort = hasUsername ? reader.u16() : 0;
  const usernameLength = hasUsername ? reader.u16() : 0;
  if (hasUsername) reader.take(4);
  const clientId = reader.take(clientIdLength);
  const username = hasUsername ? reader.take(usernameLength) : undefined;
  return {
    kind: "client",
    clientId,
    username,
    sessionExpiryTime,
    sessionExpiryInterval,
    lastPacketId,
    listenerPort,
  };
}

/** The properties, which fill the rest of the chunk as they stand in a PUBLISH. */
function readProperties(reader: ChunkReader): Properties {
  if (reader.remaining === 0) return NO_PROPERTIES;
  const block = reader.rest();
  const properties = new Reader(block, 0, block.length);
  try {
    const decoded = decodeProperties(properties, PacketType.PUBLISH);
    properties.expectEnd();
    return decoded;
  } catch (error) {
    if (!(error instanceof MqttError)) throw error;
    return reader.fail("holds properties that make no sense", { cause: error });
  }
}
