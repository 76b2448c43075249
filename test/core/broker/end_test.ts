// How sessions leave the store's journal and the clock when their connections end.

import { assertEquals } from "@std/assert";
import { test } from "../../harness.ts";
import { disconnect, publish, request, subscribe, will } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

const LASTING = { properties: { sessionExpiryInterval: 9 } };

test("endConnection() notes when a lasting session will end, and expireSession() that it did", () => {
  const broker = new VirtualBroker({ keepsJournal: true });
  const client = broker.connect(LASTING);
  broker.takeChanges();
  client.drop();
  const { now } = broker;
  assertEquals(broker.takeChanges(), [{
    kind: "session-set",
    clientId: "client",
    username: undefined,
    isIdentified: false,
    protocolVersion: 5,
    listenerName: "",
    expiryInterval: 9,
    endsAt: now + 9000,
  }]);
  assertEquals(broker.core.nextDeadline, now + 9000);
  broker.advance(9000);
  assertEquals(broker.takeChanges(), [{ kind: "session-removed", clientId: "client" }]);
  assertEquals(broker.core.nextDeadline, Infinity);
});

test("expireSession() ends subscriptions, queue and Will at once, the Will heard by others only", () => {
  const broker = new VirtualBroker();
  const heir = broker.connect({ clientId: "heir" });
  heir.send(subscribe(1, [request("w")]));
  heir.take();
  const client = broker.connect({
    ...LASTING,
    will: will("w", { properties: { willDelayInterval: 100 } }),
  });
  client.send(subscribe(1, [request("#", { qos: 2 }), request("$share/g/w")]));
  client.drop();
  broker.publish("a", { qos: 1 });
  broker.advance(9000);
  assertEquals(heir.take(), [publish("w", { payload: "gone" })]);
  assertEquals([broker.core.sessionCount, broker.core.subscriptionCount], [1, 1]);
});

test("A deadline serves Will and session one after the other", () => {
  const broker = new VirtualBroker();
  broker.connect({
    ...LASTING,
    will: will("w", { retain: true, properties: { willDelayInterval: 4 } }),
  }).drop();
  const { now } = broker;
  assertEquals(broker.core.nextDeadline, now + 4000);
  broker.advance(4000);
  assertEquals([broker.core.retainedCount, broker.core.nextDeadline], [1, now + 9000]);
  broker.advance(5000);
  assertEquals([broker.core.sessionCount, broker.core.nextDeadline], [0, Infinity]);
});

test("A session that DISCONNECT cut short is no more to be kept", () => {
  const broker = new VirtualBroker({ keepsJournal: true });
  const client = broker.connect({ ...LASTING, will: will("w") });
  broker.takeChanges();
  client.send(disconnect(0, { sessionExpiryInterval: 0 }));
  assertEquals(broker.takeChanges(), [{ kind: "session-removed", clientId: "client" }]);
});
