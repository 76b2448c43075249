// Each message counts once, however many hold on to it.

import { assertEquals, assertThrows } from "@std/assert";
import { AssertionError } from "../../../src/core/base/assert.ts";
import type { Delivery } from "../../../src/core/session/delivery.ts";
import { Message } from "../../../src/core/session/message.ts";
import { MessageArena } from "../../../src/core/session/message_arena.ts";
import { StoredMessages } from "../../../src/core/session/stored_messages.ts";
import { test } from "../../harness.ts";
import { bytesOf } from "../../support/packets.ts";

function live(payload: string): Message {
  const message = new Message();
  message.topicBytes = bytesOf("t");
  message.topicEnd = 1;
  message.payloadBytes = bytesOf(payload);
  message.payloadEnd = payload.length;
  return message;
}

test("StoredMessages counts a message from its first holder to its last", () => {
  const stored = new StoredMessages();
  const [a, b] = [live("12").keep(), live("345").keep()];
  const counts: number[][] = [];
  const note = () => counts.push([stored.count, stored.bytes]);
  stored.hold(a);
  note();
  stored.hold(a);
  stored.hold(b);
  note();
  stored.release(a);
  note();
  stored.release(a);
  note();
  stored.release(b);
  note();
  assertEquals(counts, [[1, 2], [2, 5], [2, 5], [1, 3], [0, 0]]);
  assertThrows(() => stored.release(b), AssertionError);
});

test("StoredMessages.settle() moves a delivery to memory of its own, once for all", () => {
  const stored = new StoredMessages();
  const message = live("12").keep(new MessageArena());
  const deliveries = [1, 2].map((sequence): Delivery => ({
    message,
    qos: 1,
    retain: false,
    subscriptionId: 0,
    sequence,
    recordedAt: 0,
  }));
  for (const delivery of deliveries) stored.hold(delivery.message);
  for (const delivery of deliveries) stored.settle(delivery);
  for (const delivery of deliveries) stored.settle(delivery);
  assertEquals([stored.count, stored.bytes, message.holders], [1, 2, 0]);
  assertEquals(deliveries[0]!.message === deliveries[1]!.message, true);
  for (const delivery of deliveries) stored.release(delivery.message);
  assertEquals([stored.count, stored.bytes], [0, 0]);
});

test("StoredMessages counts what only a store has once, until the last delivery of it is over", () => {
  const stored = new StoredMessages();
  const [a, b, c] = [live("12").keep(), live("345").keep(), live("6").keep()];
  const counts: number[][] = [];
  const note = () => counts.push([stored.count, stored.bytes]);
  // One for two queues in the store, one for a queue here as well, and one for that alone.
  stored.leave(a);
  stored.leave(a);
  stored.hold(b);
  stored.leave(b);
  stored.hold(c);
  note();
  // What is let go here is still there.
  stored.release(b);
  stored.release(c);
  note();
  // Three deliveries of two messages are over, one by one.
  for (let over = 0; over < 3; over++) {
    stored.takeLeft(1);
    note();
  }
  assertEquals(counts, [[3, 6], [2, 5], [1, 3], [1, 2], [0, 0]]);
});

test("StoredMessages counts none that was left when no delivery is", () => {
  const stored = new StoredMessages();
  const message = live("12").keep();
  stored.hold(message);
  stored.leave(message);
  // It has come back as a copy, and is over.
  stored.takeLeft(1);
  stored.release(message);
  assertEquals([stored.count, stored.bytes], [0, 0]);
});

test("StoredMessages.countAll() leaves to the store what is not held here", () => {
  const stored = new StoredMessages();
  const message = live("12").keep();
  stored.hold(message);
  stored.leaveMany(10);
  stored.countAll(5, 12);
  assertEquals([stored.count, stored.bytes], [5, 12]);
  stored.takeLeft(10);
  assertEquals([stored.count, stored.bytes], [1, 2]);
});
