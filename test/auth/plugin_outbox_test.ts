// What plugins publish leaves after the turn, in order, and within bounds.

import { assertEquals, assertThrows } from "@std/assert";
import { PluginOutbox } from "../../src/auth/plugin_outbox.ts";
import type { HostMessage } from "../../src/core/broker/broker_core.ts";
import { NO_PROPERTIES } from "../../src/core/codec/property.ts";
import { test } from "../harness.ts";

function open(): { outbox: PluginOutbox; published: HostMessage[]; errors: unknown[] } {
  const published: HostMessage[] = [];
  const errors: unknown[] = [];
  const outbox = new PluginOutbox({
    publish: (message) => {
      if (message.topic === "bad") throw new TypeError("Cannot publish");
      published.push(message);
    },
    onError: (error) => void errors.push(error),
  });
  return { outbox, published, errors };
}

test("PluginOutbox.add() publishes after the turn, in order, copies of the bytes", async () => {
  const { outbox, published } = open();
  const payload = Uint8Array.of(1);
  assertEquals(outbox.add({ topic: "a", payload }), true);
  payload[0] = 2;
  assertEquals(outbox.add({ topic: "b", payload, qos: 2, retain: true }), true);
  assertEquals(published, []);
  await Promise.resolve();
  const rest = { properties: NO_PROPERTIES };
  assertEquals(published, [
    { topic: "a", payload: Uint8Array.of(1), qos: 0, retain: false, ...rest },
    { topic: "b", payload: Uint8Array.of(2), qos: 2, retain: true, ...rest },
  ]);
});

test("PluginOutbox.add() drops what would make too much wait, by count and by bytes", async () => {
  const { outbox, published } = open();
  const payload = new Uint8Array(0);
  const taken = Array.from({ length: 10_001 }, () => outbox.add({ topic: "a", payload }));
  assertEquals([taken.indexOf(false), taken.lastIndexOf(true)], [10_000, 9999]);
  await Promise.resolve();
  assertEquals(published.length, 10_000);
  const large = new Uint8Array(40 * 1024 * 1024);
  assertEquals([1, 2].map(() => outbox.add({ topic: "a", payload: large })), [true, false]);
  await Promise.resolve();
  assertEquals(outbox.add({ topic: "a", payload: large }), true);
});

test("PluginOutbox.add() takes no message that is none", () => {
  const { outbox } = open();
  const payload = new Uint8Array(0);
  for (const wrong of [{ topic: 7, payload }, { topic: "a" }, { topic: "a", payload, qos: 3 }]) {
    assertThrows(() => outbox.add(wrong as unknown as HostMessage), TypeError);
  }
});

test("PluginOutbox tells of a message that could not be published, and goes on", async () => {
  const { outbox, published, errors } = open();
  const payload = new Uint8Array(0);
  for (const topic of ["bad", "good"]) outbox.add({ topic, payload });
  await Promise.resolve();
  assertEquals([published.map(({ topic }) => topic), errors.map(String)], [["good"], [
    "TypeError: Cannot publish",
  ]]);
});
