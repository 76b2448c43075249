// The receiving half of QoS 2: what is new, what is a repetition, what is too much.

import { assertEquals } from "@std/assert";
import { Receiver } from "../../../src/core/session/receiver.ts";
import { test } from "../../harness.ts";

test("Receiver.receive() finds an identifier new until it is received, and again when released [MQTT-4.3.3-10]", () => {
  const receiver = new Receiver();
  assertEquals(receiver.receive(7, 10), "new");
  assertEquals(receiver.receive(7, 10), "duplicate");
  assertEquals([receiver.release(7), receiver.release(7)], [true, false]);
  assertEquals(receiver.receive(7, 10), "new");
  assertEquals([receiver.heldCount, [...receiver.heldIds()]], [1, [7]]);
});

test("Receiver.receive() keeps the window, repetitions not counted", () => {
  const receiver = new Receiver();
  assertEquals(receiver.receive(1, 2), "new");
  assertEquals(receiver.receive(2, 2), "new");
  assertEquals(receiver.receive(3, 2), "window exceeded");
  assertEquals(receiver.receive(2, 2), "duplicate");
  receiver.release(1);
  assertEquals(receiver.receive(3, 2), "new");
  assertEquals([...receiver.heldIds()], [2, 3]);
});

test("Receiver.receive() tires of repetitions, and begins anew with a connection", () => {
  const receiver = new Receiver();
  const receptions = Array.from({ length: 5 }, () => receiver.receive(1, 1));
  const tired = "too many duplicates";
  assertEquals(receptions, ["new", "duplicate", "duplicate", tired, tired]);
  receiver.start();
  assertEquals(receiver.receive(1, 1), "duplicate");
});

test("Receiver.restore() puts back what was held", () => {
  const receiver = new Receiver();
  receiver.restore(9);
  assertEquals(receiver.receive(9, 1), "duplicate");
});
