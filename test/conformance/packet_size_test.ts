// The client's Maximum Packet Size (3.1.2.11.4): what does not fit is dropped for that client.

import { assertEquals } from "@std/assert";
import { ASK, OPEN_POLICY, type Policy } from "../../src/core/broker/question.ts";
import type { QoS } from "../../src/core/codec/protocol.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { test } from "../harness.ts";
import {
  ack,
  connack,
  disconnect,
  publish,
  request,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
} from "../support/packets.ts";
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

test("What the broker says of requests has no reason or user properties, good or bad [MQTT-3.1.2-29] [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3] [MQTT-3.9.2-1] [MQTT-3.9.2-2] [MQTT-3.11.2-1] [MQTT-3.11.2-2] [MQTT-3.14.2-3] [MQTT-3.14.2-4]", () => {
  const { NOT_AUTHORIZED, QUOTA_EXCEEDED, ADMINISTRATIVE_ACTION } = ReasonCode;
  const broker = new VirtualBroker({
    policy: {
      ...OPEN_POLICY,
      publish: (_client, topic) => topic === "closed" ? QUOTA_EXCEEDED : 0,
      subscribe: (_client, filter) => filter === "closed" ? NOT_AUTHORIZED : 0,
      unsubscribe: (_client, filter) => filter === "closed" ? NOT_AUTHORIZED : 0,
    },
  });
  const client = broker.connect({
    properties: { maximumPacketSize: 30, requestProblemInformation: false },
  });
  const answers = client.exchange(
    publish("closed", { qos: 1, packetId: 1 }),
    publish("closed", { qos: 2, packetId: 2 }),
    publish("open", { qos: 2, packetId: 3 }),
    ack("pubrel", 3),
    ack("pubrec", 9),
    subscribe(4, [request("open"), request("closed")]),
    unsubscribe(5, ["open", "closed"]),
  );
  assertEquals(answers, [
    ack("puback", 1, QUOTA_EXCEEDED),
    ack("pubrec", 2, QUOTA_EXCEEDED),
    ack("pubrec", 3),
    ack("pubcomp", 3),
    ack("pubrel", 9),
    suback(4, [0, NOT_AUTHORIZED]),
    unsuback(5, [0, NOT_AUTHORIZED]),
  ]);
  broker.core.disconnect("client", ADMINISTRATIVE_ACTION, broker.now);
  broker.endTurn();
  assertEquals(client.take(), [disconnect(ADMINISTRATIVE_ACTION)]);
});

test("A reason that would make CONNACK too large is left out [MQTT-3.2.2-19] [MQTT-3.2.2-20]", () => {
  const policy: Policy = { ...OPEN_POLICY, connect: () => ASK };
  for (const reasonCode of [ReasonCode.SUCCESS, ReasonCode.NOT_AUTHORIZED]) {
    for (const [maximumPacketSize, isTold] of [[60, true], [25, false]] as const) {
      const broker = new VirtualBroker({ policy });
      const client = broker.connect({ properties: { maximumPacketSize } });
      broker.answer({ kind: "connect", reasonCode, reasonString: "because it is so today" });
      const [packet] = client.take();
      const properties = packet?.type === "connack" ? packet.properties : {};
      const { reasonString } = properties;
      assertEquals({ reasonCode, maximumPacketSize, reasonString }, {
        reasonCode,
        maximumPacketSize,
        reasonString: isTold ? "because it is so today" : undefined,
      });
      assertEquals(packet, connack(reasonCode, properties));
    }
  }
});
