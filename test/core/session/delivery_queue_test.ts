// The queue of one session: first in, first out, and its two bounds.

import { assertEquals, assertThrows } from "@std/assert";
import { AssertionError } from "../../../src/core/base/assert.ts";
import type { Delivery } from "../../../src/core/session/delivery.ts";
import { DeliveryQueue } from "../../../src/core/session/delivery_queue.ts";
import { StoredMessages } from "../../../src/core/session/stored_messages.ts";
import { makeMessage } from "../../../src/core/session/make_message.ts";
import { test } from "../../harness.ts";

function delivery(sequence: number, payloadBytes: number): Delivery {
  const payload = new Uint8Array(payloadBytes);
  const message = makeMessage({
    topic: "ab",
    payload,
    qos: 1,
    retain: false,
    properties: {},
    publisherId: "",
  });
  return { message, qos: 1, retain: false, subscriptionId: 0, sequence, recordedAt: 0 };
}

function sequences(queue: DeliveryQueue): number[] {
  return [...queue].map(({ sequence }) => sequence);
}

test("DeliveryQueue counts deliveries and their bytes, in and out", () => {
  const queue = new DeliveryQueue(new StoredMessages());
  queue.push(delivery(1, 10));
  queue.push(delivery(2, 0));
  queue.push(delivery(3, 5));
  assertEquals([queue.length, queue.bytes, sequences(queue)], [3, 12 + 2 + 7, [1, 2, 3]]);
  assertEquals([queue.peek()?.sequence, queue.shift()?.sequence], [1, 1]);
  assertEquals([queue.length, queue.bytes], [2, 9]);
  queue.pass(7);
  assertEquals([queue.length, queue.bytes, sequences(queue)], [2, 9, [2, 3]]);
  queue.pass(2);
  assertEquals([queue.length, queue.bytes, sequences(queue)], [1, 7, [3]]);
  assertEquals([queue.shift()?.sequence, queue.shift(), queue.peek()], [3, undefined, undefined]);
  assertEquals([queue.length, queue.bytes], [0, 0]);
});

test("DeliveryQueue.hasRoom() minds both bounds, and 0 is none", () => {
  const queue = new DeliveryQueue(new StoredMessages());
  queue.push(delivery(1, 10));
  queue.push(delivery(2, 10));
  assertEquals(queue.hasRoom(1, 3, 0), true);
  assertEquals(queue.hasRoom(1, 2, 0), false);
  assertEquals(queue.hasRoom(6, 0, 30), true);
  assertEquals(queue.hasRoom(7, 0, 30), false);
  assertEquals(queue.hasRoom(7, 3, 30), false);
  assertEquals(queue.hasRoom(1_000_000, 0, 0), true);
});

test("DeliveryQueue counts what is left in the store, and takes it back in order", () => {
  const stored = new StoredMessages();
  const queue = new DeliveryQueue(stored);
  const all = () => [
    queue.length,
    queue.loadedCount,
    queue.bytes,
    stored.queuedCount,
    stored.queuedBytes,
  ];
  queue.push(delivery(1, 10));
  queue.push(delivery(2, 10));
  assertEquals([queue.hasWindow(12, 3, 36), queue.hasWindow(12, 2, 36)], [true, false]);
  assertEquals(queue.hasWindow(13, 3, 36), false);
  queue.leave(delivery(3, 20));
  queue.leave({ ...delivery(4, 0), qos: 0 });
  assertEquals(queue.hasWindow(0, 100, 100), false);
  assertThrows(() => queue.push(delivery(5, 0)), AssertionError);
  assertEquals([queue.leftAfter, queue.leftCount, queue.qos0Count], [2, 2, 1]);
  assertEquals(all(), [4, 2, 48, 4, 48]);
  assertEquals([queue.shift()?.sequence, queue.shift()?.sequence, queue.shift()], [
    1,
    2,
    undefined,
  ]);
  assertEquals(all(), [2, 0, 24, 2, 24]);
  assertEquals(queue.load([delivery(3, 20), { ...delivery(4, 0), qos: 0 }]), 0);
  assertEquals([queue.leftCount, queue.leftAfter, queue.qos0Count], [0, 4, 1]);
  assertEquals(all(), [2, 2, 24, 2, 24]);
  assertEquals(sequences(queue), [3, 4]);
  queue.push(delivery(5, 0));
  queue.clear();
  assertEquals([...all(), stored.loadedBytes, stored.count], [0, 0, 0, 0, 0, 0, 0]);
});

test("DeliveryQueue.unload() leaves everything in the store, before what is there already", () => {
  const stored = new StoredMessages();
  const queue = new DeliveryQueue(stored);
  queue.unload();
  for (const sequence of [4, 5]) queue.push(delivery(sequence, 1));
  queue.leave(delivery(6, 1));
  queue.unload();
  assertEquals([queue.length, queue.loadedCount, queue.leftAfter, queue.bytes], [3, 0, 3, 9]);
  assertEquals([stored.queuedCount, stored.loadedBytes, stored.count], [3, 0, 3]);
  queue.load([delivery(4, 1)]);
  queue.pass(4);
  queue.pass(5);
  assertEquals([queue.length, queue.leftAfter, queue.bytes], [1, 5, 3]);
});

test("DeliveryQueue.load() says how many are lost when the store has none left", () => {
  const stored = new StoredMessages();
  const queue = new DeliveryQueue(stored);
  queue.leaveMany({ count: 3, bytes: 30, qos0Count: 1 });
  assertEquals([queue.length, queue.leftAfter], [3, 0]);
  queue.load([delivery(7, 0)]);
  assertEquals([queue.load([]), queue.length, queue.qos0Count], [2, 1, 0]);
  assertEquals([stored.queuedCount, stored.queuedBytes], [1, 2]);
});
