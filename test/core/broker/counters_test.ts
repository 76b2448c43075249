// What is counted in the course of an ordinary exchange.

import { assertEquals } from "@std/assert";
import { Counters } from "../../../src/core/broker/counters.ts";
import { test } from "../../harness.ts";
import { connect, disconnect, publish, request, subscribe } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

test("Counters begin at nothing", () => {
  assertEquals(new Set(Object.values(new Counters())), new Set([0]));
});

test("Counters count packets, messages and their bytes in both directions", () => {
  const broker = new VirtualBroker();
  const client = broker.open(4);
  client.send(connect({ protocolVersion: 4 }), subscribe(1, [request("a", { qos: 1 })]));
  client.send(publish("a", { qos: 1, packetId: 1, payload: "12345" }), publish("b"));
  broker.connect({ clientId: "other", protocolVersion: 4 }).drop();
  const { bytesReceived, bytesSent, ...counts } = broker.core.counters;
  assertEquals(counts, {
    ...counts,
    packetsReceived: 5,
    // Two CONNACKs, SUBACK, PUBLISH and PUBACK.
    packetsSent: 5,
    publishReceived: 2,
    publishSent: 1,
    publishDropped: 0,
    publishBytesReceived: 5,
    publishBytesSent: 5,
    connectionsOpened: 2,
    connectsReceived: 2,
    connectsAccepted: 2,
    connectsRefused: 0,
    protocolErrors: 0,
    sessionsExpired: 0,
    takeOvers: 0,
    sessionsDiscarded: 0,
    publishesDelayed: 0,
    internalErrors: 0,
  });
  // CONNECT 20, SUBSCRIBE 8, PUBLISH 12 and 5, CONNECT 19; CONNACKs 4 and 4, SUBACK 5, PUBLISH 12, PUBACK 4.
  assertEquals([bytesReceived, bytesSent], [20 + 8 + 12 + 5 + 19, 4 + 4 + 5 + 12 + 4]);
  client.send(disconnect());
  assertEquals(broker.core.counters.packetsReceived, 6);
});
