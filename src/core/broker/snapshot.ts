/**
 * A connection as bytes, for a host that gives the broker's memory up while its sockets stay open:
 * all that the connection is and no store knows. Together with the records of the store it is the
 * connection that was; `wake.ts` puts the two together.
 *
 * The idea: a question that is open is not kept. The packet that led to it stands before the bytes
 * that were not handled yet, as if it had not been either, and is asked about again.
 *
 * @module
 */

import { encodePacket } from "../codec/encode.ts";
import type { Packet } from "../codec/packet.ts";
import type { QoS } from "../codec/protocol.ts";
import { Reader } from "../codec/reader.ts";
import type { Writer } from "../codec/writer.ts";
import type { Message } from "../session/message.ts";
import { contentsOf } from "../session/message_contents.ts";
import type { AwaitedPacket } from "../session/sender.ts";
import type { Session } from "../session/session.ts";
import { InboundAliases, OutboundAliases } from "../session/topic_aliases.ts";
import type { Connection } from "./connection.ts";
import type { BrokerState } from "./state.ts";

const FORMAT = 1;

const IS_CONNECTED = 1 << 0;
const IS_BRIDGE = 1 << 1;
const HAS_WAITED = 1 << 2;
const HAS_METHOD = 1 << 3;

/** Bits of the lower half of an instant. */
const HALF = 2 ** 32;
const HEARD_STEP_MS = 1000;
/** Tokens of the publish rate are kept as this many parts each. */
const PARTS = 1000;

/** What is read of a snapshot beside what the connection itself holds. */
export interface Reading {
  /** The client whose session the connection continues; `undefined` before its CONNACK. */
  readonly clientId: string | undefined;
  /** Bytes that were not handled. */
  readonly rest: Uint8Array;
}

/**
 * Whether nothing of the connection is on its way: all that was to be sent has left, and if a
 * question is open it can be asked again.
 */
function canSleep({ phase, outbox, pending, reauthentication }: Connection): boolean {
  return phase !== "ended" && outbox.backlog === 0 && reauthentication === undefined &&
    pending?.kind !== "authenticate" && !(pending?.kind === "publish" && pending.isReplaced);
}

/** Whether these bytes are a snapshot of this version, and not what another one has left. */
export function isSnapshot(bytes: Uint8Array): boolean {
  return bytes[0] === FORMAT;
}

/** Appends a connection; `false` while it cannot be put to sleep, and then nothing is written. */
export function writeSnapshot(
  state: BrokerState,
  connection: Connection,
  writer: Writer,
  now: number,
): boolean {
  if (!canSleep(connection)) return false;
  const { session } = connection;
  writer.u8(FORMAT);
  writer.u8(
    (session === undefined ? 0 : IS_CONNECTED) | (connection.isBridge ? IS_BRIDGE : 0) |
      (connection.hasWaited ? HAS_WAITED : 0) |
      (connection.authenticationMethod === undefined ? 0 : HAS_METHOD),
  );
  if (session === undefined) {
    writeInstant(writer, connection.at);
  } else {
    writeConnected(state, connection, writer);
    writeSession(session, writer);
  }
  writeUnhandled(connection, writer, now);
  return true;
}

/** Puts what a snapshot says into a connection that was just made, but for its session. */
export function readSnapshot(
  state: BrokerState,
  connection: Connection,
  bytes: Uint8Array,
): Reading {
  const reader = new Reader(bytes, 0, bytes.length);
  if (reader.u8() !== FORMAT) throw new RangeError("A snapshot is of another version");
  const flags = reader.u8();
  const isConnected = (flags & IS_CONNECTED) !== 0;
  connection.isBridge = (flags & IS_BRIDGE) !== 0;
  connection.hasWaited = (flags & HAS_WAITED) !== 0;
  let clientId: string | undefined;
  if (!isConnected) {
    state.deadlines.set(connection, readInstant(reader));
  } else {
    readConnected(state, connection, reader, (flags & HAS_METHOD) !== 0);
    clientId = reader.string();
    readSession(state.sessions.get(clientId), reader, state.limits.inflightBytesMax || Infinity);
  }
  const unanswered = reader.u16();
  if (unanswered > 0 && clientId !== undefined) {
    state.sessions.get(clientId)?.receiver.release(unanswered);
  }
  return { clientId, rest: reader.copy(reader.remaining) };
}

function writeConnected(state: BrokerState, connection: Connection, writer: Writer): void {
  const { granted, outboundAliases, inboundAliases } = connection;
  writer.u8(connection.protocolVersion);
  writeInstant(writer, heardAt(connection));
  writer.u32(connection.silenceMaxMs);
  writer.u32(connection.sendSizeMax === Infinity ? 0 : connection.sendSizeMax);
  writer.u8(granted.maximumQos);
  writer.u16(granted.topicAliasMaximum);
  const isRated = state.limits.publishRateCount > 0;
  writeInstant(writer, isRated ? connection.publishesCountedAt : 0);
  writer.u32(isRated ? Math.round(connection.publishesLeft * PARTS) : 0);
  writeInstant(writer, connection.waitsUntil);
  if (connection.authenticationMethod !== undefined) writer.string(connection.authenticationMethod);
  writer.u16(outboundAliases?.maximum ?? 0);
  writer.u16(outboundAliases?.size ?? 0);
  for (const topic of outboundAliases?.topics ?? []) writer.string(topic);
  const targets = inboundAliases?.targets ?? [];
  writer.u16(targets.length);
  for (const topic of targets) writer.string(topic?.name ?? "");
}

/**
 * When the client was heard last, up to the next step: so the snapshot of one who says much stays
 * the same for a while, and nobody is taken for silent too early. [MQTT-3.1.2-22]
 */
function heardAt({ silenceMaxMs, lastHeardAt }: Connection): number {
  return silenceMaxMs === 0 ? 0 : Math.ceil(lastHeardAt / HEARD_STEP_MS) * HEARD_STEP_MS;
}

function readConnected(
  state: BrokerState,
  connection: Connection,
  reader: Reader,
  hasMethod: boolean,
): void {
  const { listener } = connection;
  // Written from connections that were as they had to be, so these need no check.
  connection.protocolVersion = reader.u8() as Connection["protocolVersion"];
  connection.lastHeardAt = readInstant(reader);
  connection.silenceMaxMs = reader.u32();
  connection.sendSizeMax = reader.u32() || Infinity;
  const maximumQos = reader.u8() as QoS;
  const topicAliasMaximum = reader.u16();
  if (
    maximumQos !== listener.maximumQos || topicAliasMaximum !== listener.topicAliasMaximum
  ) {
    connection.granted = { ...listener, maximumQos, topicAliasMaximum };
  }
  connection.publishesCountedAt = readInstant(reader);
  connection.publishesLeft = reader.u32() / PARTS;
  connection.waitsUntil = readInstant(reader);
  if (hasMethod) connection.authenticationMethod = reader.string();
  const aliasMax = reader.u16();
  if (aliasMax > 0) connection.outboundAliases = new OutboundAliases(aliasMax);
  for (let left = reader.u16(); left > 0; left--) {
    connection.outboundAliases?.assign(reader.string());
  }
  if (aliasMax > 0 || connection.sendSizeMax !== Infinity) connection.isPlain = false;
  const targets = reader.u16();
  if (targets > 0) connection.inboundAliases = new InboundAliases();
  for (let alias = 0; alias < targets; alias++) {
    const topic = state.routes.findName(reader.string());
    if (topic !== null) connection.inboundAliases?.set(alias, topic);
  }
}

/** What is in flight and will never be resumed, and what has yet to be sent again. */
function writeSession(session: Session<Connection>, writer: Writer): void {
  const { sender, receiver } = session;
  writer.string(session.clientId);
  writeInstant(writer, session.takenOverAt);
  writer.u16(Math.ceil(session.recentTakeOvers));
  writer.u16(sender.window);
  writer.u16(sender.lastPacketId);
  const entries = sender.entriesInOrder();
  const transient = entries.filter(({ isResumable }) => !isResumable);
  writer.u16(transient.length);
  for (const { packetId, awaits, payloadBytes } of transient) {
    writer.u16(packetId);
    writer.u8(awaits);
    writer.u32(payloadBytes);
  }
  const unsent = entries.filter(({ isUnsent }) => isUnsent);
  writer.u16(unsent.length);
  for (const { packetId } of unsent) writer.u16(packetId);
  const repetitions = [...receiver.repetitions()];
  writer.u16(repetitions.length);
  for (const [packetId, count] of repetitions) {
    writer.u16(packetId);
    writer.u8(count);
  }
}

function readSession(
  found: Session<Connection> | undefined,
  reader: Reader,
  bytesMax: number,
): void {
  const takenOverAt = readInstant(reader);
  const recentTakeOvers = reader.u16();
  const window = reader.u16();
  const lastPacketId = reader.u16();
  for (let left = reader.u16(); left > 0; left--) {
    const packetId = reader.u16();
    const awaits = reader.u8() as AwaitedPacket;
    const payloadBytes = reader.u32();
    if (found?.sender.find(packetId) === undefined) {
      found?.sender.restore(packetId, awaits, undefined, payloadBytes);
    }
  }
  const unsent = new Set<number>();
  for (let left = reader.u16(); left > 0; left--) unsent.add(reader.u16());
  for (let left = reader.u16(); left > 0; left--) {
    found?.receiver.restore(reader.u16(), reader.u8());
  }
  if (found === undefined) return;
  found.takenOverAt = takenOverAt;
  found.recentTakeOvers = recentTakeOvers;
  found.sender.goOn(window, bytesMax, unsent, lastPacketId);
}

/** The identifier that an unanswered PUBLISH of QoS 2 holds, its packet, and what came behind. */
function writeUnhandled(connection: Connection, writer: Writer, now: number): void {
  const { pending, protocolVersion, framer } = connection;
  writer.u16(pending?.kind === "publish" && pending.qos === 2 ? pending.packetId : 0);
  if (pending !== undefined) {
    const packet: Packet = pending.kind === "publish"
      ? publishOf(connection, pending, now)
      : pending.packet;
    encodePacket(writer, packet, protocolVersion);
  }
  const { rest } = framer;
  writer.raw(rest, 0, rest.length);
}

/** The packet that brought a message, but for its alias. */
function publishOf(
  { mount }: Connection,
  { message, packetId }: { readonly message: Message; readonly packetId: number },
  now: number,
): Packet {
  const contents = contentsOf(message, now);
  const topic = contents.topic.slice(mount?.text.length ?? 0);
  return { type: "publish", ...contents, topic, packetId, dup: false };
}

function writeInstant(writer: Writer, instant: number): void {
  const whole = instant > 0 && instant !== Infinity ? Math.round(instant) : 0;
  writer.u32(Math.floor(whole / HALF));
  writer.u32(whole % HALF);
}

function readInstant(reader: Reader): number {
  return reader.u32() * HALF + reader.u32();
}
