/**
 * What our own store keeps: messages, and the log of deliveries. A disk may give back anything, so
 * whatever the bytes are, they are read within their bounds or refused; and what was read means the
 * same once it is written again.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { MqttError } from "../../../src/core/codec/error.ts";
import type { QoS } from "../../../src/core/codec/protocol.ts";
import type { Message } from "../../../src/core/session/message.ts";
import { LogEncoder, type MessageRows, replayLog } from "../../../src/store/log_codec.ts";
import { NameMemory } from "../../../src/store/name_memory.ts";
import { RecentDeliveries, type RecentDelivery } from "../../../src/store/recent_deliveries.ts";
import { decodeMessage, MessageEncoder } from "../../../src/store/record_codec.ts";
import { StoreClock } from "../../../src/store/store_clock.ts";
import { messageOf } from "../../support/random_changes.ts";
import { bytesOf, type FuzzTarget, inAnySurroundings, outcomeOf } from "../target.ts";

const CLOCK = new StoreClock({ now: () => 0, wallClock: () => 1_700_000_000_000 }, undefined);

export const messageRecords: FuzzTarget = {
  name: "message_records",
  tokens: ["\0\x01a", "\x80\x01", "\x26\0\x01k\0\x01v"],
  seeds: () => sampleMessages().map((message) => new MessageEncoder(CLOCK).encode(message).slice()),
  run(input) {
    const outcome = inAnySurroundings(
      input,
      (bytes, start, end) =>
        outcomeOf(
          () => describe(decodeMessage(bytes, start, end, CLOCK, new NameMemory())),
          MqttError,
        ),
    );
    if ("fault" in outcome) return;
    // What it remembers of the first must not matter for the second.
    const names = new NameMemory();
    const message = decodeMessage(input, 0, input.length, CLOCK, names);
    const once = new MessageEncoder(CLOCK).encode(message).slice();
    assert(once.length <= input.length, "What was read takes more bytes than it took");
    assertEquals(describe(decodeMessage(once, 0, once.length, CLOCK, names)), outcome.value);
  },
};

export const deliveryLog: FuzzTarget = {
  name: "delivery_log",
  tokens: ["\x01\0\0\0\x01", "\x02\0\0\0\x01", "\x04\0\0\0\x01\0\x01", "\x08\0\0\0\x01"],
  seeds: () => [sampleLog()],
  run(input) {
    const recent = new RecentDeliveries();
    const replay = () => replayLog(input, CLOCK, new Rows(), recent);
    if ("fault" in outcomeOf(replay, MqttError)) return;
    const all = [...recent.all()];
    // Every delivery takes up at least its kind, session, flags, sequence and subscription.
    assert(all.length * 18 <= input.length);
    const encoder = new LogEncoder(CLOCK, new Rows());
    for (const delivery of all) encoder.delivery(delivery);
    for (const [session, packetId] of recent.held()) encoder.held(session, packetId);
    const again = new RecentDeliveries();
    replayLog(encoder.bytes.slice(), CLOCK, new Rows(), again);
    assertEquals([...again.all()].map(outline), all.map(outline));
    assertEquals([...again.held()], [...recent.held()]);
  },
};

class Rows implements MessageRows {
  readonly #rows: Map<Message, number> = new Map();

  rowOf(message: Message): number | undefined {
    return this.#rows.get(message);
  }

  noteRow(message: Message, id: number): void {
    this.#rows.set(message, id);
  }
}

function sampleMessages(): Message[] {
  return [
    messageOf("a", bytesOf("payload"), { qos: 1 }),
    messageOf("größe/x", new Uint8Array(200), { qos: 2, retain: true, expiresAt: 5000 }),
    messageOf("b", new Uint8Array(0), {
      publisherId: "p",
      publisherUsername: "u",
      properties: bytesOf("\x26\0\x01k\0\x01v"),
    }),
  ];
}

function sampleLog(): Uint8Array {
  const encoder = new LogEncoder(CLOCK, new Rows());
  const [first, second] = sampleMessages() as [Message, Message];
  encoder.delivery(sample(1, first, 0));
  encoder.delivery(sample(2, first, 0));
  encoder.delivery(sample(3, second, 7));
  encoder.sent(1, 1, 5, 1, 9);
  encoder.received(1, 7);
  encoder.held(1, 3);
  encoder.dropped(1, 2);
  encoder.finished(1, 7);
  encoder.released(1, 3);
  encoder.stored(sample(1, first, 5));
  encoder.forgotten(1);
  return encoder.bytes.slice();
}

function sample(sequence: number, message: Message, packetId: number): RecentDelivery {
  return {
    ...{ number: 0, session: 1, sequence, message, retain: false, subscriptionId: 0 },
    ...{ qos: 2 as QoS, packetId, place: packetId, isReceived: false, isOver: false },
  };
}

function outline(delivery: RecentDelivery): unknown {
  const { number: _, message, ...rest } = delivery;
  return { ...rest, message: delivery.isReceived ? undefined : describe(message) };
}

/** What a message says, as values of its own. */
function describe(message: Message): unknown {
  const { qos, retain, expiresAt, publisherId, publisherUsername } = message;
  return {
    ...{ qos, retain, publisherId, publisherUsername },
    // Before the wall clock's beginning there is no time to store.
    expiresAt: Math.max(expiresAt, CLOCK.toInstant(0)),
    topic: message.topicBytes.slice(message.topicStart, message.topicEnd),
    properties: message.propertyBytes.slice(message.propertiesStart, message.propertiesEnd),
    payload: message.payloadBytes.slice(message.payloadStart, message.payloadEnd),
  };
}
