// Bounds on how many of something there may be, and what the one too many is told.

import { assertEquals } from "@std/assert";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import { connect, request, subscribe } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

test("limits.subscriptionsPerSessionMax refuses one more filter, and lets options be replaced", () => {
  for (const [version, refused] of [[5, ReasonCode.QUOTA_EXCEEDED], [4, 0x80]] as const) {
    const broker = new VirtualBroker({ limits: { subscriptionsPerSessionMax: 2 } });
    const client = broker.connect({ protocolVersion: version });
    const ask = (...filters: string[]) => {
      const requests = filters.map((filter) => request(filter, { qos: 1 }));
      const [suback] = client.exchange(subscribe(1, requests));
      return suback?.type === "suback" && suback.reasonCodes;
    };
    assertEquals(ask("a", "b", "c"), [1, 1, refused]);
    assertEquals(ask("a"), [1]);
    assertEquals(broker.core.subscriptionCount, 2);
  }
});

test("limits.sessionsMax refuses who needs a session more, and nobody who has one", () => {
  const broker = new VirtualBroker({ limits: { sessionsMax: 1 } });
  const lasting = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };
  broker.connect({ ...lasting, clientId: "first" }).drop();
  const late = broker.open(5);
  late.send(connect({ clientId: "second" }));
  const [connack] = late.take();
  assertEquals(
    [connack?.type === "connack" && connack.reasonCode, late.isClosed],
    [ReasonCode.SERVER_BUSY, true],
  );
  const old = broker.open(4);
  old.send(connect({ clientId: "third", protocolVersion: 4 }));
  assertEquals([old.take(), old.isClosed], [[], true]);
  broker.connect({ ...lasting, clientId: "first" });
  assertEquals([broker.core.sessionCount, broker.core.counters.connectsRefused], [1, 2]);
});

test("limits.retainedMessagesMax keeps no more topics, and still replaces those it has", () => {
  const broker = new VirtualBroker({ limits: { retainedMessagesMax: 1 } });
  for (const [topic, payload] of [["a", "1"], ["b", "2"], ["a", "3"]] as const) {
    broker.publish(topic, { retain: true, payload });
  }
  assertEquals([broker.core.retainedCount, broker.core.counters.retainedRefused], [1, 1]);
});

test("limits.takeOverBurst lets a fight for an identifier go on at one take-over a second", () => {
  const broker = new VirtualBroker({ limits: { takeOverBurst: 3 } });
  const arrive = () => {
    const client = broker.open(5);
    client.send(connect({ clientId: "wanted" }));
    const connack = client.take().find((packet) => packet.type === "connack");
    return connack?.type === "connack" && connack.reasonCode;
  };
  const { SUCCESS, SERVER_BUSY } = ReasonCode;
  // The first takes nobody's place.
  const codes = [1, 2, 3, 4, 5, 6].map(arrive);
  assertEquals(codes, [SUCCESS, SUCCESS, SUCCESS, SUCCESS, SERVER_BUSY, SERVER_BUSY]);
  broker.advance(1000);
  assertEquals([arrive(), arrive()], [SUCCESS, SERVER_BUSY]);
  broker.advance(60_000);
  assertEquals([1, 2, 3, 4].map(arrive), [SUCCESS, SUCCESS, SUCCESS, SERVER_BUSY]);
  assertEquals(broker.core.connectionCount, 1);
});
