// Keep Alive (3.1.2.10) and PINGREQ (3.12).

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { publish, request, subscribe } from "../support/packets.ts";
import { VirtualBroker } from "../support/virtual_broker.ts";

test("PINGREQ is answered by PINGRESP [MQTT-3.12.4-1]", () => {
  for (const protocolVersion of [3, 4, 5] as const) {
    const client = new VirtualBroker().connect({ protocolVersion });
    assertEquals(client.exchange({ type: "pingreq" }, { type: "pingreq" }), [
      { type: "pingresp" },
      { type: "pingresp" },
    ]);
  }
});

test("PINGREQ with a body ends the connection", () => {
  for (const protocolVersion of [3, 4, 5] as const) {
    const client = new VirtualBroker().connect({ protocolVersion });
    client.sendBytes(Uint8Array.of(0xc0, 1, 0));
    assertEquals(client.isClosed, true);
  }
});

test("A silent client is closed after one and a half times its Keep Alive, without a word [MQTT-3.1.2-22]", () => {
  for (const protocolVersion of [3, 4, 5] as const) {
    for (const keepAlive of [1, 2, 10, 65_535]) {
      const broker = new VirtualBroker();
      const client = broker.connect({ protocolVersion, keepAlive });
      broker.advance(keepAlive * 1500 - 1);
      assertEquals(client.isClosed, false);
      broker.takeEvents();
      broker.advance(1);
      assertEquals([client.isClosed, client.take()], [true, []]);
      const [event] = broker.takeEvents();
      assertEquals(event?.kind === "closed" && event.cause, "exceeded timeout");
    }
  }
});

test("Keep Alive 0 does not close anybody", () => {
  const broker = new VirtualBroker();
  const client = broker.connect({ keepAlive: 0 });
  assertEquals(broker.core.nextDeadline, Infinity);
  broker.advance(1e12);
  assertEquals(client.isClosed, false);
});

test("Whatever arrives keeps a connection alive, also part of a packet", () => {
  const broker = new VirtualBroker();
  const client = broker.connect({ keepAlive: 10 });
  const bytes = Uint8Array.of(0x30, 8, 0, 1, 0x61, 0, 1, 2, 3, 4);
  for (const byte of bytes) {
    broker.advance(14_999);
    client.sendBytes(Uint8Array.of(byte));
  }
  broker.advance(14_999);
  client.send({ type: "pingreq" });
  broker.advance(14_999);
  assertEquals([client.isClosed, client.take()], [false, [{ type: "pingresp" }]]);
  broker.advance(1);
  assertEquals(client.isClosed, true);
});

test("What the client is sent does not keep it alive [MQTT-3.1.2-22]", () => {
  const broker = new VirtualBroker();
  const client = broker.connect({ keepAlive: 10 });
  client.send(subscribe(1, [request("a")]));
  for (let i = 0; i < 15; i++) {
    broker.advance(999);
    broker.core.publish(publish("a"), broker.now);
    broker.endTurn();
  }
  assertEquals(client.isClosed, false);
  broker.advance(15);
  assertEquals(client.isClosed, true);
});

test("The broker's own Keep Alive holds for who was told of it [MQTT-3.2.2-21] [MQTT-3.2.2-22]", () => {
  for (const [keepAlive, effective] of [[0, 4], [100, 4], [2, 2]] as const) {
    const broker = new VirtualBroker({ limits: { keepAliveMax: 4 } });
    const client = broker.connect({ keepAlive });
    broker.advance(effective * 1500 - 1);
    assertEquals(client.isClosed, false);
    broker.advance(1);
    assertEquals(client.isClosed, true);
  }
});

test("A client whose packet waits for an answer is not silent", () => {
  const broker = new VirtualBroker({
    policy: {
      connect: () => 0,
      hasAuthenticationMethod: () => false,
      publish: () => -1,
      subscribe: () => 0,
      unsubscribe: () => 0,
      deliver: () => true,
      hasRetained: () => true,
    },
  });
  const client = broker.connect({ keepAlive: 10 });
  client.send(publish("a"));
  broker.advance(100_000);
  assertEquals(client.isClosed, false);
  broker.answer({ kind: "publish", reasonCode: 0 });
  broker.advance(15_000);
  assertEquals(client.isClosed, true);
});

test("A client that is not read from because it is slow stays alive while it takes what it is given", () => {
  const broker = new VirtualBroker({ limits: { backlogBytesMax: 1000 } });
  const client = broker.connect({ keepAlive: 10 });
  client.send(subscribe(1, [request("a")]));
  client.freeze();
  const payload = new Uint8Array(600);
  for (let i = 0; i < 3; i++) broker.publish("a", { payload });
  client.send({ type: "pingreq" });
  assertEquals(client.isPaused, true);
  broker.advance(14_000);
  client.thaw();
  broker.advance(14_000);
  assertEquals(client.isClosed, false);
  broker.advance(1000);
  assertEquals(client.isClosed, true);
});
