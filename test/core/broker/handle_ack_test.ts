// What acknowledgements note for the store and report; what they mean is in the conformance tests.

import { assertEquals } from "@std/assert";
import type { Change } from "../../../src/core/broker/change.ts";
import { test } from "../../harness.ts";
import { ack, request, subscribe } from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

function inFlight(broker: VirtualBroker, sessionExpiryInterval: number): VirtualClient {
  const client = broker.connect({ properties: { sessionExpiryInterval } });
  client.send(subscribe(1, [request("a", { qos: 2 })]));
  broker.publish("a", { qos: 1 });
  broker.publish("a", { qos: 2 });
  broker.takeChanges();
  broker.takeEvents();
  return client;
}

test("handleAck() notes how far the exchanges of a lasting session have come", () => {
  const broker = new VirtualBroker({ keepsJournal: true });
  const client = inFlight(broker, 9);
  client.send(ack("puback", 1), ack("puback", 1));
  client.send(ack("pubrec", 2), ack("pubrec", 2), ack("pubcomp", 2), ack("pubcomp", 2));
  const clientId = "client";
  const expected: Change[] = [
    { kind: "delivery-finished", clientId, packetId: 1 },
    { kind: "delivery-received", clientId, packetId: 2 },
    { kind: "delivery-finished", clientId, packetId: 2 },
  ];
  assertEquals(broker.takeChanges(), expected);
});

test("handleAck() notes nothing of a session that does not last", () => {
  const broker = new VirtualBroker({ keepsJournal: true });
  const client = inFlight(broker, 0);
  client.send(ack("puback", 1), ack("pubrec", 2), ack("pubcomp", 2), ack("pubrel", 3));
  assertEquals(broker.takeChanges(), []);
});

test("handleAck() reports what it received when packets are traced", () => {
  const broker = new VirtualBroker({ tracesPackets: true });
  const client = inFlight(broker, 0);
  client.send(ack("puback", 1, 0x10), ack("pubrec", 2), ack("pubcomp", 2), ack("pubrel", 3));
  const seen = (
    action: "received" | "sending",
    type: string,
    packetId: number,
    reasonCode = 0,
  ) => ({
    kind: "packet",
    action,
    type,
    clientId: "client",
    packetId,
    reasonCode,
  });
  assertEquals<unknown>(broker.takeEvents(), [
    seen("received", "puback", 1, 0x10),
    seen("received", "pubrec", 2),
    seen("sending", "pubrel", 2),
    seen("received", "pubcomp", 2),
    seen("received", "pubrel", 3),
    seen("sending", "pubcomp", 3),
  ]);
});

test("handleAck() does not answer the refusal of an identifier that it does not know", () => {
  const client = new VirtualBroker().connect();
  assertEquals(client.exchange(ack("pubrec", 7, 0x97)), []);
  assertEquals(client.exchange(ack("pubrec", 7)), [ack("pubrel", 7)]);
});
