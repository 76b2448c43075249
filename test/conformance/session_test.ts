// Session state (4.1) and its life: clean starts, resumption, expiry, and what is sent again (4.4).

import { assertEquals } from "@std/assert";
import type { ConnectPacket } from "../../src/core/codec/packet.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { test } from "../harness.ts";
import {
  ack,
  connack,
  connect,
  disconnect,
  publish,
  request,
  suback,
  subscribe,
} from "../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../support/virtual_broker.ts";

const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };

function persistent(version: 3 | 4 | 5): Partial<ConnectPacket> {
  return {
    protocolVersion: version,
    cleanStart: false,
    properties: version === 5 ? LASTING.properties : {},
  };
}

function sessionPresent(client: VirtualClient): boolean | undefined {
  return client.connack?.sessionPresent;
}

test("A session is resumed when both sides want it, and Session Present says so [MQTT-3.1.2-5] [MQTT-3.2.2-2] [MQTT-3.2.2-3] [MQTT-3.1.2-6] [MQTT-3.1.1-3.1.2-4]", () => {
  for (const version of [3, 4, 5] as const) {
    const broker = new VirtualBroker();
    const client = broker.connect(persistent(version));
    assertEquals(sessionPresent(client), false);
    client.send(subscribe(1, [request("a", { qos: 1 })]));
    client.drop();
    assertEquals([broker.core.sessionCount, broker.core.subscriptionCount], [1, 1]);
    broker.publish("a", { qos: 1, payload: "x" });
    const back = broker.connect(persistent(version));
    // Version 3.1 has no such flag.
    assertEquals(sessionPresent(back), version !== 3);
    assertEquals(back.take(), [publish("a", { qos: 1, packetId: 1, payload: "x" })]);
  }
});

test("A clean start discards what there was [MQTT-3.1.2-4] [MQTT-3.1.1-3.1.2-6] [MQTT-3.1.4-4]", () => {
  for (const version of [3, 4, 5] as const) {
    const broker = new VirtualBroker();
    const client = broker.connect(persistent(version));
    client.send(subscribe(1, [request("a", { qos: 1 })]));
    broker.publish("a", { qos: 1, payload: "x" });
    client.drop();
    const clean = broker.connect({ ...persistent(version), cleanStart: true });
    assertEquals([sessionPresent(clean), clean.take()], [false, []]);
    assertEquals(broker.core.subscriptionCount, 0);
    clean.drop();
    const back = broker.connect(persistent(version));
    // The clean session of version 3 was gone with its connection.
    assertEquals(sessionPresent(back), version === 5);
  }
});

test("A session ends with its connection when it is to last no longer [MQTT-3.1.2-23]", () => {
  const ends: Partial<ConnectPacket>[] = [
    { protocolVersion: 3 },
    { protocolVersion: 4 },
    { protocolVersion: 5, cleanStart: false },
    { protocolVersion: 5, cleanStart: false, properties: { sessionExpiryInterval: 0 } },
  ];
  for (const parts of ends) {
    const broker = new VirtualBroker();
    const client = broker.connect(parts);
    client.send(subscribe(1, [request("a"), request("$share/g/a")]));
    client.drop();
    assertEquals([broker.core.sessionCount, broker.core.subscriptionCount], [0, 0]);
    assertEquals(broker.core.nextDeadline, Infinity);
  }
});

test("A session outlives its connection by its expiry interval, to the millisecond [MQTT-3.1.2-23] [MQTT-4.1.0-2]", () => {
  const broker = new VirtualBroker();
  broker.connect(LASTING).drop();
  broker.advance(59_999);
  assertEquals(broker.core.sessionCount, 1);
  broker.takeEvents();
  broker.advance(1);
  assertEquals(broker.takeEvents(), [{ kind: "session-expired", clientId: "client" }]);
  assertEquals([broker.core.sessionCount, broker.core.counters.sessionsExpired], [0, 1]);
  assertEquals(sessionPresent(broker.connect(LASTING)), false);
});

test("A session does not expire while it is connected, and its time begins anew [MQTT-4.1.0-1]", () => {
  const broker = new VirtualBroker();
  const client = broker.connect(LASTING);
  broker.advance(1_000_000);
  client.drop();
  broker.advance(50_000);
  const back = broker.connect(LASTING);
  assertEquals(sessionPresent(back), true);
  broker.advance(1_000_000);
  back.drop();
  broker.advance(59_999);
  assertEquals(broker.core.sessionCount, 1);
});

test("A session without an end does not expire", () => {
  const broker = new VirtualBroker();
  broker.connect({ clientId: "five", properties: { sessionExpiryInterval: 0xffffffff } }).drop();
  broker.connect({ clientId: "four", protocolVersion: 4, cleanStart: false }).drop();
  assertEquals(broker.core.nextDeadline, Infinity);
  broker.advance(1e12);
  assertEquals(broker.core.sessionCount, 2);
});

test("A session lasts no longer than the limit, and version 5 is told", () => {
  const broker = new VirtualBroker({ limits: { sessionExpiryIntervalMax: 30 } });
  const client = broker.connect(LASTING);
  assertEquals(client.connack?.properties.sessionExpiryInterval, 30);
  client.drop();
  broker.connect({ clientId: "four", protocolVersion: 4, cleanStart: false }).drop();
  broker.advance(29_999);
  assertEquals(broker.core.sessionCount, 2);
  broker.advance(1);
  assertEquals(broker.core.sessionCount, 0);
});

test("DISCONNECT may change how long the session lasts [MQTT-3.14.2-2]", () => {
  const broker = new VirtualBroker();
  broker.connect(LASTING).send(disconnect(0, { sessionExpiryInterval: 10 }));
  broker.advance(10_000);
  assertEquals(broker.core.sessionCount, 0);
  broker.connect(LASTING).send(disconnect(0, { sessionExpiryInterval: 0 }));
  assertEquals(broker.core.sessionCount, 0);
  broker.connect(LASTING).send(disconnect(0, { sessionExpiryInterval: 100 }));
  broker.advance(99_999);
  assertEquals(broker.core.sessionCount, 1);
});

test("DISCONNECT may not prolong a session that was to end with its connection", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  assertEquals(client.exchange(disconnect(0, { sessionExpiryInterval: 1 })), [
    disconnect(ReasonCode.PROTOCOL_ERROR),
  ]);
  assertEquals([client.isClosed, broker.core.sessionCount], [true, 0]);
});

test("What was not acknowledged is sent again on resume, in order and under its identifier [MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-2.2.1-3] [MQTT-4.3.2-3] [MQTT-4.3.3-3] [MQTT-3.1.1-4.4.0-1] [MQTT-4.3.3-5] [MQTT-4.3.3-6]", () => {
  for (const version of [3, 4, 5] as const) {
    const broker = new VirtualBroker();
    const client = broker.connect(persistent(version));
    client.send(subscribe(1, [request("a", { qos: 2 })]));
    client.take();
    for (const qos of [1, 2, 1, 2, 1] as const) broker.publish("a", { qos, payload: "x" });
    client.send(ack("puback", 1), ack("pubrec", 2), ack("pubrec", 4));
    client.take();
    client.drop();
    broker.publish("a", { qos: 1, payload: "new" });
    const back = broker.connect(persistent(version));
    assertEquals(back.take(), [
      ack("pubrel", 2),
      publish("a", { qos: 1, packetId: 3, payload: "x", dup: true }),
      ack("pubrel", 4),
      publish("a", { qos: 1, packetId: 5, payload: "x", dup: true }),
      publish("a", { qos: 1, packetId: 6, payload: "new" }),
    ]);
    back.send(ack("pubcomp", 2), ack("puback", 3), ack("pubcomp", 4), ack("puback", 5));
    back.send(ack("puback", 6));
    back.drop();
    assertEquals(broker.connect(persistent(version)).take(), []);
  }
});

test("Nothing is sent again while the connection lives [MQTT-4.4.0-1]", () => {
  const broker = new VirtualBroker();
  const client = broker.connect(LASTING);
  client.send(subscribe(1, [request("a", { qos: 1 })]));
  broker.publish("a", { qos: 1 });
  client.take();
  broker.advance(1_000_000);
  assertEquals(client.take(), []);
});

test("A taken-over session is resumed with what was in flight", () => {
  const broker = new VirtualBroker();
  const client = broker.connect(LASTING);
  client.send(subscribe(1, [request("a", { qos: 1 })]));
  broker.publish("a", { qos: 1, payload: "x" });
  const taker = broker.connect(LASTING);
  assertEquals([client.isClosed, sessionPresent(taker)], [true, true]);
  assertEquals(client.take(), [
    suback(1, [1]),
    publish("a", { qos: 1, packetId: 1, payload: "x" }),
    disconnect(ReasonCode.SESSION_TAKEN_OVER),
  ]);
  assertEquals(taker.take(), [publish("a", { qos: 1, packetId: 1, payload: "x", dup: true })]);
});

test("A QoS 2 exchange from the client goes on after resume, delivered once [MQTT-4.3.3-10]", () => {
  for (const version of [3, 4, 5] as const) {
    const broker = new VirtualBroker();
    const heard = broker.connect({ clientId: "heard" });
    heard.send(subscribe(1, [request("a")]));
    heard.take();
    const client = broker.connect(persistent(version));
    client.send(publish("a", { qos: 2, packetId: 7, payload: "x" }));
    client.drop();
    const back = broker.connect(persistent(version));
    const again = publish("a", { qos: 2, packetId: 7, payload: "x", dup: true });
    assertEquals(back.exchange(again, ack("pubrel", 7)), [ack("pubrec", 7), ack("pubcomp", 7)]);
    assertEquals(heard.take(), [publish("a", { payload: "x" })]);
  }
});

test("Repetitions are counted per connection, so that a client may resume often", () => {
  const broker = new VirtualBroker();
  const message = publish("a", { qos: 2, packetId: 7, dup: true });
  for (let i = 0; i < 10; i++) {
    const client = broker.connect(LASTING);
    assertEquals(client.exchange(message, message), [ack("pubrec", 7), ack("pubrec", 7)]);
    client.drop();
  }
});

test("A resumed session may be made to end with its connection", () => {
  const broker = new VirtualBroker();
  broker.connect(LASTING).drop();
  const back = broker.connect({ cleanStart: false });
  assertEquals(sessionPresent(back), true);
  back.drop();
  assertEquals(broker.core.sessionCount, 0);
});

test("A session goes from one version to another", () => {
  const broker = new VirtualBroker();
  const client = broker.connect({ protocolVersion: 4, cleanStart: false });
  client.send(subscribe(1, [request("a", { qos: 1 })]));
  client.drop();
  const sender = broker.connect({ clientId: "sender" });
  const properties = { contentType: "t" };
  sender.send(publish("a", { qos: 1, packetId: 1, payload: "x", properties }));
  const back = broker.connect(LASTING);
  assertEquals(back.take(), [publish("a", { qos: 1, packetId: 1, payload: "x", properties })]);
  back.drop();
  const old = broker.connect({ protocolVersion: 3, cleanStart: false });
  assertEquals(old.take(), [publish("a", { qos: 1, packetId: 1, payload: "x", dup: true })]);
});

test("Two clients that fight over an identifier leave one session and one connection", () => {
  const broker = new VirtualBroker();
  for (let i = 0; i < 1000; i++) {
    const client = broker.connect(i % 3 === 0 ? {} : LASTING);
    client.send(subscribe(1, [request("a", { qos: 1 }), request("$share/g/a")]));
  }
  const { connectionCount, sessionCount, subscriptionCount } = broker.core;
  assertEquals({ connectionCount, sessionCount, subscriptionCount }, {
    connectionCount: 1,
    sessionCount: 1,
    subscriptionCount: 2,
  });
});

test("Identifiers are told apart character by character [MQTT-3.1.3-2]", () => {
  const broker = new VirtualBroker();
  const ids = ["a", "A", "é", "e\u0301", "a/b", "#", "$share/g/a"];
  for (const clientId of ids) broker.connect({ clientId });
  assertEquals([broker.core.connectionCount, broker.core.sessionCount], [7, 7]);
});

test("CONNECT after the end of a connection is not heard", () => {
  const broker = new VirtualBroker();
  const client = broker.open();
  client.send(connect(), disconnect(), connect(), publish("a"));
  assertEquals(client.take().map((packet) => packet.type), [connack(0).type]);
  assertEquals([client.isClosed, broker.core.counters.publishReceived], [true, 0]);
});

test("A session whose time is up is not resumed, even if nobody has noticed yet [MQTT-3.1.2-23]", () => {
  const broker = new VirtualBroker();
  broker.connect(LASTING).drop();
  // The timer is late.
  broker.now += 60_000;
  assertEquals(sessionPresent(broker.connect(LASTING)), false);
});

test("A resumed session waits for nothing", () => {
  const broker = new VirtualBroker();
  broker.connect(LASTING).drop();
  broker.connect(LASTING);
  assertEquals(broker.core.nextDeadline, Infinity);
});
