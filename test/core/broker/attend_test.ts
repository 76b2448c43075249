// Who has had to wait for the store is listened to again, and is not taken for silent meanwhile.

import { assertEquals, assertThrows } from "@std/assert";
import { OPEN_POLICY, type Policy } from "../../../src/core/broker/question.ts";
import { test } from "../../harness.ts";
import { publish } from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };
const OPTIONS = { keepsJournal: true, holdsCommits: true, limits: { uncommittedBytesMax: 1000 } };

function fill(client: VirtualClient, count: number): void {
  for (let id = 1; id <= count; id++) {
    client.send(publish(`r/${id}`, { qos: 1, packetId: id, retain: true, payload: "x" }));
  }
}

test("A client whose packets wait for the store is not silent [MQTT-3.1.2-22]", () => {
  const broker = new VirtualBroker(OPTIONS);
  const [writer, idle] = ["writer", "idle"].map((clientId) =>
    broker.connect({ clientId, keepAlive: 10 })
  );
  fill(writer!, 20);
  broker.advance(60_000);
  assertEquals([writer!.isPaused, writer!.isClosed, idle!.isClosed], [true, false, true]);
  while (broker.core.hasChanges) broker.commit();
  assertEquals([writer!.isPaused, writer!.take().length, broker.core.retainedCount], [
    false,
    20,
    20,
  ]);
  broker.advance(14_999);
  assertEquals(writer!.isClosed, false);
  broker.advance(1);
  assertEquals(writer!.isClosed, true);
});

test("Clients that wait for the store have their turn in order, a batch at a time", () => {
  const broker = new VirtualBroker(OPTIONS);
  const clients = ["one", "two", "three"].map((clientId) => broker.connect({ clientId }));
  for (const client of clients) fill(client, 10);
  const answers: number[][] = [];
  while (broker.core.hasChanges) {
    broker.commit();
    answers.push(clients.map((client) => client.take().length));
  }
  const sums = clients.map((_, i) => answers.reduce((sum, counts) => sum + counts[i]!, 0));
  assertEquals([sums, answers.length > 2], [[10, 10, 10], true]);
});

test("A client that connects while the store is behind waits as well", () => {
  const broker = new VirtualBroker(OPTIONS);
  fill(broker.connect({ clientId: "writer" }), 20);
  const late = broker.connect({ ...LASTING, clientId: "late" });
  assertEquals([late.isPaused, late.connack, broker.core.sessionCount], [true, undefined, 1]);
  while (broker.core.hasChanges) broker.commit();
  assertEquals([late.isPaused, late.take().map(({ type }) => type)], [false, ["connack"]]);
});

test("One whose packets we cannot handle does not keep the others waiting", () => {
  const failure = new Error("Broken");
  const policy: Policy = {
    ...OPEN_POLICY,
    publish: (_client, topic) => {
      if (topic === "bad") throw failure;
      return 0;
    },
  };
  const broker = new VirtualBroker({ ...OPTIONS, policy });
  const [writer, bad, good] = ["writer", "bad", "good"].map((clientId) =>
    broker.connect({ clientId })
  );
  fill(writer!, 8);
  bad!.send(publish("bad"));
  good!.send({ type: "pingreq" });
  const thrown = assertThrows(() => broker.commit());
  broker.endTurn();
  assertEquals([thrown, bad!.isClosed, good!.take()], [failure, true, [{ type: "pingresp" }]]);
});
