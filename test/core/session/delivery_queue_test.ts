// The queue of one session: first in, first out, and its two bounds.

import { assertEquals } from "@std/assert";
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
