// The client's Maximum Packet Size (3.1.2.11.4): what does not fit is dropped for that client.

import { assertEquals } from "@std/assert";
import type { QoS } from "../../src/core/codec/protocol.ts";
import { test } from "../harness.ts";
import { publish, request, subscribe } from "../support/packets.ts";
import { VirtualBroker } from "../support/virtual_broker.ts";

test("A message that is too large for a client is dropped for it, and for nobody else [MQTT-3.1.2-24] [MQTT-3.1.2-25]", () => {
  for (const qos of [0, 1, 2] as const) {
    const broker = new VirtualBroker();
    const small = broker.connect({ clientId: "small", properties: { maximumPacketSize: 100 } });
    const large = broker.connect({ clientId: "large" });
    for (const client of [small, large]) {
      client.send(subscribe(1, [request("a", { qos })]));
      client.take();
    }
    // First byte, length, topic, identifier, properties.
    const overhead = 1 + 1 + 3 + (qos === 0 ? 0 : 2) + 1;
    const fits = new Uint8Array(100 - overhead);
    const exceeds = new Uint8Array(101 - overhead);
    const arrived = (payload: Uint8Array, packetId: number) =>
      publish("a", { qos, payload, packetId: qos === 0 ? 0 : packetId });
    broker.takeEvents();
    broker.publish("a", { qos, payload: exceeds });
    broker.publish("a", { qos, payload: fits });
    // The window and its identifiers know nothing of what was dropped.
    assertEquals(small.take(), [arrived(fits, 1)]);
    assertEquals(large.take(), [arrived(exceeds, 1), arrived(fits, 2)]);
    assertEquals(broker.takeEvents(), [
      { kind: "oversize-delivery", clientId: "small", packetBytes: 101 },
    ]);
    assertEquals(broker.core.counters.publishDropped, 1);
  }
});

test("The identifier of a subscription counts, and an alias gives way", () => {
  const broker = new VirtualBroker();
  const properties = { maximumPacketSize: 20, topicAliasMaximum: 5 };
  const client = broker.connect({ properties });
  client.send(subscribe(1, [request("a")], { subscriptionIds: [200] }));
  client.take();
  const payload = (length: number) => new Uint8Array(length);
  const subscriptionIds = [200];
  // 6 bytes around the payload, 3 for the identifier, 3 for an alias.
  broker.publish("a", { payload: payload(12) });
  broker.publish("a", { payload: payload(11) });
  broker.publish("a", { payload: payload(8) });
  broker.publish("a", { payload: payload(9) });
  assertEquals(client.take(), [
    publish("a", { payload: payload(11), properties: { subscriptionIds } }),
    publish("a", { payload: payload(8), properties: { topicAlias: 1, subscriptionIds } }),
    publish("", { payload: payload(9), properties: { topicAlias: 1, subscriptionIds } }),
  ]);
});

test("A queued or unacknowledged message that has become too large is dropped on resume", () => {
  const broker = new VirtualBroker();
  const connect = (maximumPacketSize: number) =>
    broker.connect({
      cleanStart: false,
      properties: { sessionExpiryInterval: 60, maximumPacketSize },
    });
  const client = connect(1000);
  client.send(subscribe(1, [request("a", { qos: 2 })]));
  client.take();
  const say = (payload: number, qos: QoS): void => {
    broker.publish("a", { qos, payload: new Uint8Array(payload) });
  };
  say(500, 1);
  say(5, 1);
  client.drop();
  say(500, 2);
  say(6, 2);
  assertEquals(connect(100).settle(), [
    publish("a", { qos: 1, packetId: 2, dup: true, payload: new Uint8Array(5) }),
    publish("a", { qos: 2, packetId: 3, payload: new Uint8Array(6) }),
    { type: "pubrel", packetId: 3, reasonCode: 0, properties: {} },
  ]);
  assertEquals(broker.core.counters.publishDropped, 2);
});
