/**
 * The log of a store: what becomes of deliveries and held identifiers, in runs of records that are
 * read in the order in which they were written. A message that several deliveries of a run have
 * stands in it once.
 *
 * A record is its kind, the number of the session, and what it takes:
 *
 *     delivery: flags, sequence, subscription, [identifier, place], [message or its number, [row]]
 *     sent: flags, sequence, identifier, place
 *     dropped, stored: sequence
 *     received, finished, held, released: identifier
 *     forgotten: nothing
 *
 * @module
 */

import { MalformedPacketError } from "../core/codec/error.ts";
import type { QoS } from "../core/codec/protocol.ts";
import { Reader } from "../core/codec/reader.ts";
import { Writer } from "../core/codec/writer.ts";
import { Message } from "../core/session/message.ts";
import type { RecentDeliveries, RecentDelivery } from "./recent_deliveries.ts";
import { NameMemory } from "./name_memory.ts";
import { decodeMessage, MessageEncoder } from "./record_codec.ts";
import type { StoreClock } from "./store_clock.ts";

const DELIVERY = 1;
const SENT = 2;
const RECEIVED = 3;
const FINISHED = 4;
const DROPPED = 5;
const HELD = 6;
const RELEASED = 7;
const FORGOTTEN = 8;
/** It stands in the tables from now on. */
const STORED = 9;

const QOS_BITS = 0b11;
const RETAIN = 1 << 2;
const IS_RECEIVED = 1 << 3;
const IS_INFLIGHT = 1 << 4;
/** Its message stands further up. */
const IS_REPEATED = 1 << 5;
/** Its message stands, or stood, in a row of its own as well. */
const HAS_ROW = 1 << 6;

/** A larger buffer is not kept for the next run. */
const BUFFER_BYTES_KEPT = 2 * 1024 * 1024;
const BUFFER_BYTES = 64 * 1024;
/** What says how long a message is. */
const LENGTH_BYTES = 4;
/** Places and sequence numbers have more bits than the lower half. */
const HALF = 2 ** 32;

/** Where messages stand that have rows of their own, as far as that is known. */
export interface MessageRows {
  rowOf(message: Message): number | undefined;
  noteRow(message: Message, id: number): void;
}

/** Writes a run. */
export class LogEncoder {
  readonly #rows: MessageRows;
  readonly #messageEncoder: MessageEncoder;
  #writer = new Writer(new Uint8Array(BUFFER_BYTES));
  /** The messages of the run by their order. */
  readonly #messages: Map<Message, number> = new Map();

  constructor(clock: StoreClock, rows: MessageRows) {
    this.#rows = rows;
    this.#messageEncoder = new MessageEncoder(clock);
  }

  get length(): number {
    return this.#writer.length;
  }

  /** The run so far; valid until the next call. */
  get bytes(): Uint8Array {
    return this.#writer.bytes.subarray(0, this.#writer.length);
  }

  /** Begins a run. */
  clear(): void {
    this.#messages.clear();
    this.#writer.length = 0;
    if (this.#writer.bytes.length <= BUFFER_BYTES_KEPT) return;
    this.#writer = new Writer(new Uint8Array(BUFFER_BYTES));
  }

  delivery(delivery: RecentDelivery): void {
    const { session, sequence, subscriptionId, message, qos, packetId, isReceived } = delivery;
    const index = this.#messages.get(message);
    const row = index === undefined ? this.#rows.rowOf(message) : undefined;
    const writer = this.#begin(DELIVERY, session);
    writer.u8(
      qos | (delivery.retain ? RETAIN : 0) | (isReceived ? IS_RECEIVED : 0) |
        (packetId > 0 ? IS_INFLIGHT : 0) | (index === undefined ? 0 : IS_REPEATED) |
        (row === undefined ? 0 : HAS_ROW),
    );
    this.#long(sequence);
    writer.u32(subscriptionId);
    if (packetId > 0) {
      writer.u16(packetId);
      this.#long(delivery.place);
    }
    if (isReceived) return;
    if (index !== undefined) {
      writer.u32(index);
      return;
    }
    this.#messages.set(message, this.#messages.size);
    const at = writer.length;
    writer.u32(0);
    this.#messageEncoder.append(writer, message);
    const { length } = writer;
    writer.length = at;
    writer.u32(length - at - LENGTH_BYTES);
    writer.length = length;
    if (row !== undefined) this.#long(row);
  }

  sent(session: number, sequence: number, packetId: number, qos: QoS, place: number): void {
    const writer = this.#begin(SENT, session);
    writer.u8(qos);
    this.#long(sequence);
    writer.u16(packetId);
    this.#long(place);
  }

  received(session: number, packetId: number): void {
    this.#begin(RECEIVED, session).u16(packetId);
  }

  finished(session: number, packetId: number): void {
    this.#begin(FINISHED, session).u16(packetId);
  }

  dropped(session: number, sequence: number): void {
    this.#begin(DROPPED, session);
    this.#long(sequence);
  }

  held(session: number, packetId: number): void {
    this.#begin(HELD, session).u16(packetId);
  }

  released(session: number, packetId: number): void {
    this.#begin(RELEASED, session).u16(packetId);
  }

  forgotten(session: number): void {
    this.#begin(FORGOTTEN, session);
  }

  stored({ session, sequence, packetId }: RecentDelivery): void {
    const writer = this.#begin(STORED, session);
    this.#long(sequence);
    writer.u16(packetId);
  }

  #begin(kind: number, session: number): Writer {
    const writer = this.#writer;
    writer.u8(kind);
    writer.u32(session);
    return writer;
  }

  #long(value: number): void {
    this.#writer.u32(value < HALF ? 0 : Math.floor(value / HALF));
    // Takes the lower half of it by itself.
    this.#writer.u32(value);
  }
}

/**
 * Replays a run; its messages share the memory of it.
 *
 * @throws {MqttError} when it is not what `LogEncoder` writes.
 */
export function replayLog(
  bytes: Uint8Array,
  clock: StoreClock,
  rows: MessageRows,
  recent: RecentDeliveries,
): void {
  const reader = new Reader(bytes, 0, bytes.length);
  const run: Run = { reader, clock, rows, names: new NameMemory(), messages: [] };
  while (run.reader.remaining > 0) replayRecord(run, recent);
}

/** A run that is being read, and its messages so far. */
interface Run {
  readonly reader: Reader;
  readonly clock: StoreClock;
  readonly rows: MessageRows;
  readonly names: NameMemory;
  readonly messages: Message[];
}

function replayRecord(run: Run, recent: RecentDeliveries): void {
  const { reader } = run;
  const kind = reader.u8();
  const session = reader.u32();
  switch (kind) {
    case DELIVERY:
      recent.add(readDelivery(run, session));
      return;
    case SENT: {
      const qos = Math.min(reader.u8(), 2) as QoS;
      const sequence = readLong(reader);
      const packetId = readPacketId(reader);
      recent.send(session, sequence, packetId, qos, readLong(reader));
      return;
    }
    case RECEIVED:
      recent.receive(session, reader.u16());
      return;
    case FINISHED:
      recent.finish(session, reader.u16());
      return;
    case DROPPED:
      recent.drop(session, readLong(reader));
      return;
    case HELD:
      recent.hold(session, reader.u16());
      return;
    case RELEASED:
      recent.release(session, reader.u16());
      return;
    case FORGOTTEN:
      recent.forget(session);
      return;
    case STORED: {
      const sequence = readLong(reader);
      const packetId = reader.u16();
      if (packetId === 0) recent.drop(session, sequence);
      else recent.finish(session, packetId);
      return;
    }
    default:
      throw new MalformedPacketError("1.2", "A log has a record of an unknown kind");
  }
}

function readDelivery(run: Run, session: number): RecentDelivery {
  const { reader } = run;
  const flags = reader.u8();
  const sequence = readLong(reader);
  const subscriptionId = reader.u32();
  const isInflight = (flags & IS_INFLIGHT) !== 0;
  const packetId = isInflight ? readPacketId(reader) : 0;
  const place = isInflight ? readLong(reader) : 0;
  const isReceived = (flags & IS_RECEIVED) !== 0;
  return {
    number: 0,
    session,
    sequence,
    message: isReceived ? new Message().own() : readMessage(run, flags),
    retain: (flags & RETAIN) !== 0,
    subscriptionId,
    qos: Math.min(flags & QOS_BITS, 2) as QoS,
    packetId,
    place,
    isReceived,
    isOver: false,
  };
}

function readMessage({ reader, clock, rows, names, messages }: Run, flags: number): Message {
  const number = reader.u32();
  if ((flags & IS_REPEATED) !== 0) {
    const message = messages[number];
    if (message !== undefined) return message;
    throw new MalformedPacketError("1.2", "A log names a message that it does not have");
  }
  reader.need(number);
  const start = reader.at;
  reader.at += number;
  const message = decodeMessage(reader.bytes, start, reader.at, clock, names);
  messages.push(message);
  if ((flags & HAS_ROW) !== 0) rows.noteRow(message, readLong(reader));
  return message;
}

/** The identifier of a delivery in flight: 0 would say that it waits. */
function readPacketId(reader: Reader): number {
  const packetId = reader.u16();
  if (packetId > 0) return packetId;
  throw new MalformedPacketError("1.2", "A log has a delivery in flight without an identifier");
}

function readLong(reader: Reader): number {
  return reader.u32() * HALF + reader.u32();
}
