/**
 * CONNECT: the first packet of a connection, and the one that says which version is spoken. Here
 * are the rules that hold for every broker; what depends on the configuration (empty client ids,
 * limits, features that are off) is checked by the broker.
 *
 * A CONNECT can fail in two ways: some faults the broker tells its sender in a CONNACK, and those
 * errors carry the version to say it in; on all others it just closes the connection.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { MalformedPacketError, MqttError, ProtocolError } from "./error.ts";
import type { ConnectPacket, Will } from "./packet.ts";
import { decodeProperties, encodeProperties, NO_PROPERTIES, WILL } from "./property.ts";
import { PacketType, type ProtocolVersion, type QoS } from "./protocol.ts";
import type { Reader } from "./reader.ts";
import { ReasonCode } from "./reason_code.ts";
import type { Writer } from "./writer.ts";

const RESERVED = 0x01;
const CLEAN_START = 0x02;
const WILL_FLAG = 0x04;
const WILL_QOS_SHIFT = 3;
const WILL_RETAIN = 0x20;
const PASSWORD = 0x40;
const USERNAME = 0x80;
const BRIDGE = 0x80;

export function decodeConnect(fixedFlags: number, reader: Reader): ConnectPacket {
  const name = reader.string();
  const level = reader.u8();
  const version = versionOf(name, level);
  if (fixedFlags !== 0 && version !== 3) {
    throw new MalformedPacketError("MQTT-2.1.3-1", "The fixed header of CONNECT has flags");
  }
  const flags = reader.u8();
  checkFlags(flags, version);
  const keepAlive = reader.u16();
  const packet: ConnectPacket = {
    type: "connect",
    protocolVersion: version,
    isBridge: (level & BRIDGE) !== 0,
    clientId: "",
    cleanStart: (flags & CLEAN_START) !== 0,
    keepAlive,
    properties: NO_PROPERTIES,
  };
  decodePayload(reader, flags, packet);
  return packet;
}

/** Reads what the flags announce, in the order that the standard gives [MQTT-3.1.3-1]. */
function decodePayload(reader: Reader, flags: number, packet: ConnectPacket): void {
  const version = packet.protocolVersion;
  if (version === 5) {
    packet.properties = telling(version, () => decodeConnectProperties(reader));
  }
  // [MQTT-3.1.3-3]
  packet.clientId = telling(version, () => decodeClientId(reader));
  // [MQTT-3.1.2-9]
  if ((flags & WILL_FLAG) !== 0) packet.will = decodeWill(reader, flags, version);
  // Clients of version 3.1 announce a user name or a password and then leave it out.
  // [MQTT-3.1.2-16] [MQTT-3.1.2-17] [MQTT-3.1.2-18] [MQTT-3.1.2-19] [MQTT-3.1.3-12]
  if ((flags & USERNAME) !== 0 && !isLeftOut(reader, version)) packet.username = reader.string();
  if ((flags & PASSWORD) !== 0 && !isLeftOut(reader, version)) packet.password = reader.binary();
  telling(version, () => reader.expectEnd());
}

function isLeftOut(reader: Reader, version: ProtocolVersion): boolean {
  return version === 3 && reader.remaining === 0;
}

function versionOf(name: string, level: number): ProtocolVersion {
  if (name === "MQIsdp") {
    return (level & ~BRIDGE) === 3 ? 3 : unsupported(name, level, 3);
  }
  if (name !== "MQTT") {
    throw new MalformedPacketError("MQTT-3.1.2-1", "The protocol name must be MQTT");
  }
  if ((level & ~BRIDGE) === 4) return 4;
  if (level === 5) return 5;
  // Only who knows a level of version 3 understands an answer in that version's form.
  return unsupported(name, level, (level & ~BRIDGE) === 3 ? 4 : 5);
}

function unsupported(name: string, level: number, answer: ProtocolVersion): never {
  const error = new ProtocolError(
    "MQTT-3.1.2-2",
    `Level "${level}" of the protocol "${name}" is not supported`,
    ReasonCode.UNSUPPORTED_PROTOCOL_VERSION,
  );
  error.protocolVersion = answer;
  throw error;
}

function checkFlags(flags: number, version: ProtocolVersion): void {
  if ((flags & RESERVED) !== 0 && version !== 3) {
    throw new MalformedPacketError("MQTT-3.1.2-3", "The reserved flag of CONNECT must be 0");
  }
  const willQos = flags >> WILL_QOS_SHIFT & 3;
  if (willQos === 3) {
    throw new MalformedPacketError("MQTT-3.1.2-12", "The QoS of the Will must not be 3");
  }
  const hasWill = (flags & WILL_FLAG) !== 0;
  if (!hasWill && version !== 3) {
    if (willQos !== 0) {
      throw new MalformedPacketError("MQTT-3.1.2-11", "Without a Will its QoS must be 0");
    }
    if ((flags & WILL_RETAIN) !== 0) {
      throw new MalformedPacketError("MQTT-3.1.2-13", "Without a Will its retain flag must be 0");
    }
  }
  if (version !== 5 && (flags & PASSWORD) !== 0 && (flags & USERNAME) === 0) {
    throw new MalformedPacketError("MQTT-3.1.1-3.1.2-22", "A password needs a user name");
  }
}

function decodeConnectProperties(reader: Reader): ConnectPacket["properties"] {
  const properties = decodeProperties(reader, PacketType.CONNECT);
  const { authenticationData, authenticationMethod } = properties;
  if (authenticationData !== undefined && authenticationMethod === undefined) {
    throw new ProtocolError("3.1.2.11.10", "Authentication data needs an authentication method");
  }
  return properties;
}

function decodeClientId(reader: Reader): string {
  const length = reader.u16();
  reader.need(length);
  reader.at -= 2;
  try {
    return reader.string();
  } catch (error) {
    if (!(error instanceof MqttError)) throw error;
    const code = ReasonCode.CLIENT_IDENTIFIER_NOT_VALID;
    throw new ProtocolError("MQTT-3.1.3-4", "The client identifier is not valid UTF-8", code);
  }
}

function decodeWill(reader: Reader, flags: number, version: ProtocolVersion): Will {
  const properties = version === 5
    ? telling(version, () => decodeProperties(reader, WILL))
    : NO_PROPERTIES;
  // [MQTT-3.1.3-11]
  const topic = reader.string();
  if (topic === "") {
    telling(version, () => {
      throw new ProtocolError("MQTT-4.7.3-1", "The topic of the Will must not be empty");
    });
  }
  if (topic.includes("+") || topic.includes("#")) {
    throw new MalformedPacketError("MQTT-3.3.2-2", "The topic of the Will must have no wildcard");
  }
  return {
    topic,
    payload: reader.binary(),
    // Three was refused with the flags.
    qos: (flags >> WILL_QOS_SHIFT & 3) as QoS,
    retain: (flags & WILL_RETAIN) !== 0,
    properties,
  };
}

/** Runs a step whose failure is told to a client of version 5, and to nobody else. */
function telling<T>(version: ProtocolVersion, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof MqttError && version === 5) error.protocolVersion = version;
    throw error;
  }
}

export function encodeConnect(writer: Writer, packet: ConnectPacket): void {
  const { protocolVersion: version, will, username, password } = packet;
  assert(
    version === 5 || password === undefined || username !== undefined,
    "A password needs a user name",
  );
  writer.u8(PacketType.CONNECT << 4);
  const mark = writer.openLength(1);
  writer.string(version === 3 ? "MQIsdp" : "MQTT");
  writer.u8(packet.isBridge && version !== 5 ? version | BRIDGE : version);
  let flags = packet.cleanStart ? CLEAN_START : 0;
  if (will !== undefined) {
    flags |= WILL_FLAG | will.qos << WILL_QOS_SHIFT | (will.retain ? WILL_RETAIN : 0);
  }
  if (username !== undefined) flags |= USERNAME;
  if (password !== undefined) flags |= PASSWORD;
  writer.u8(flags);
  writer.u16(packet.keepAlive);
  if (version === 5) encodeProperties(writer, packet.properties, PacketType.CONNECT);
  writer.string(packet.clientId);
  if (will !== undefined) {
    if (version === 5) encodeProperties(writer, will.properties, WILL);
    writer.string(will.topic);
    writer.binary(will.payload);
  }
  if (username !== undefined) writer.string(username);
  if (password !== undefined) writer.binary(password);
  writer.closeLength(mark, 1);
}
