// What is noted of Wills; when they are published is in the conformance tests.

import { assertEquals } from "@std/assert";
import { test } from "../../harness.ts";
import { disconnect, will } from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

function left(
  delay: number,
  expiry = 60,
): { broker: VirtualBroker; client: VirtualClient; kinds: () => unknown } {
  const broker = new VirtualBroker({ keepsJournal: true });
  const client = broker.connect({
    will: will("w", { properties: { willDelayInterval: delay } }),
    properties: { sessionExpiryInterval: expiry },
  });
  const kinds = () =>
    broker.takeChanges().flatMap((change): unknown[][] => {
      if (change.kind === "will-set") return [[change.kind, change.will.delay, change.dueAt]];
      return change.kind === "will-removed" ? [[change.kind]] : [];
    });
  return { broker, client, kinds };
}

test("A Will is noted when it is left, when it falls due later, and when it is gone", () => {
  const { broker, client, kinds } = left(7);
  assertEquals(kinds(), [["will-set", 7, Infinity]]);
  client.drop();
  assertEquals(kinds(), [["will-set", 7, broker.now + 7000]]);
  broker.advance(7000);
  assertEquals(kinds(), [["will-removed"]]);
});

test("A Will without delay is noted as gone when it is published", () => {
  const { client, kinds } = left(0);
  assertEquals(kinds(), [["will-set", 0, Infinity]]);
  client.drop();
  assertEquals(kinds(), [["will-removed"]]);
});

test("A Will that is discarded is noted as gone", () => {
  const { client, kinds } = left(7);
  client.send(disconnect());
  assertEquals(kinds(), [["will-set", 7, Infinity], ["will-removed"]]);
});

test("A Will of a session that does not last is nobody's note, and has no delay", () => {
  const { broker, client, kinds } = left(7, 0);
  client.drop();
  assertEquals([kinds(), broker.core.nextDeadline], [[], Infinity]);
});
