// Who publishes too fast waits, loses nothing, and costs nobody else anything.

import { assertEquals } from "@std/assert";
import { test } from "../../harness.ts";
import { disconnect, publish, request, subscribe } from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

interface Scene {
  readonly broker: VirtualBroker;
  readonly client: VirtualClient;
  /** The payloads that have arrived since the last time. */
  readonly heard: () => string[];
}

function scene(count: number, seconds: number, keepAlive = 0): Scene {
  const broker = new VirtualBroker({
    limits: { publishRateCount: count, publishRateSeconds: seconds },
  });
  const listener = broker.connect({ clientId: "listener" });
  listener.send(subscribe(1, [request("a")]));
  listener.take();
  const client = broker.connect({ keepAlive });
  broker.takeEvents();
  const heard = () =>
    listener.take().map((packet) =>
      packet.type === "publish" ? String.fromCharCode(...packet.payload) : packet.type
    );
  return { broker, client, heard };
}

function messages(from: number, to: number) {
  return Array.from({ length: to - from }, (_, i) => publish("a", { payload: `${from + i}` }));
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `${from + i}`);
}

test("mustWait() lets a burst through, then no more than the rate, and loses nothing", () => {
  const { broker, client, heard } = scene(10, 1);
  client.send(...messages(0, 35));
  assertEquals([heard(), client.isPaused], [numbers(0, 10), true]);
  broker.advance(99);
  assertEquals(heard(), []);
  broker.advance(901);
  assertEquals(heard(), numbers(10, 20));
  broker.advance(1500);
  assertEquals([heard(), client.isPaused], [numbers(20, 35), false]);
  assertEquals(broker.core.counters.publishReceived, 35);
});

test("mustWait() keeps whatever pieces arrive meanwhile, and the packets between, in order", () => {
  const { broker, client, heard } = scene(2, 1);
  client.send(...messages(0, 3), { type: "pingreq" });
  const bytes = Uint8Array.of(0x30, 5, 0, 1, 0x61, 0, 0x33);
  // A transport that is told to pause may still bring what was on its way.
  for (const byte of bytes) {
    broker.core.receive(client.connection, Uint8Array.of(byte), broker.now);
  }
  broker.endTurn();
  assertEquals([heard(), client.take()], [numbers(0, 2), []]);
  broker.advance(500);
  assertEquals([heard(), client.take()], [["2"], [{ type: "pingresp" }]]);
  broker.advance(500);
  assertEquals([heard(), client.isPaused], [["3"], false]);
});

test("mustWait() reports a client once, and counts each wait", () => {
  const { broker, client, heard } = scene(1, 1);
  client.send(...messages(0, 3));
  broker.advance(5000);
  assertEquals(heard(), numbers(0, 3));
  assertEquals(broker.takeEvents(), [{ kind: "publish-rate-exceeded", clientId: "client" }]);
  assertEquals(broker.core.counters.publishesDelayed, 2);
  // Within its rate it is not heard of.
  client.send(publish("a"));
  broker.advance(1000);
  client.send(publish("a"));
  assertEquals([heard().length, broker.core.counters.publishesDelayed], [2, 2]);
});

test("mustWait() is for PUBLISH only, and holds nobody else up", () => {
  const { broker, client, heard } = scene(1, 10);
  client.send(...messages(0, 2));
  const other = broker.connect({ clientId: "other" });
  other.send(publish("a", { payload: "other" }), ...Array(20).fill({ type: "pingreq" }));
  assertEquals([heard(), other.take().length], [["0", "other"], 20]);
});

test("A client that waits is not taken for silent, and is again when it has been heard", () => {
  const { broker, client, heard } = scene(1, 10, 2);
  client.send(...messages(0, 2));
  broker.advance(9999);
  assertEquals([client.isClosed, heard()], [false, ["0"]]);
  broker.advance(1);
  assertEquals([client.isClosed, heard()], [false, ["1"]]);
  broker.advance(2999);
  assertEquals(client.isClosed, false);
  broker.advance(1);
  assertEquals([client.isClosed, broker.core.nextDeadline], [true, Infinity]);
});

test("A client that waits may go, and what it has left unsaid is not heard", () => {
  const { broker, client, heard } = scene(1, 1);
  client.send(...messages(0, 2), disconnect());
  client.drop();
  broker.advance(60_000);
  assertEquals([heard(), broker.core.nextDeadline], [["0"], Infinity]);
});

test("Without a rate no deadline is set and nobody waits", () => {
  const { broker, client, heard } = scene(0, 0);
  client.send(...messages(0, 500));
  assertEquals([heard().length, client.isPaused, broker.core.nextDeadline], [500, false, Infinity]);
});
