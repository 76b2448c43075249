// Topic aliases (3.3.2.3.4), in both directions.

import { assertEquals } from "@std/assert";
import type { Packet } from "../../src/core/codec/packet.ts";
import type { Properties } from "../../src/core/codec/property.ts";
import { test } from "../harness.ts";
import { ack, publish, request, subscribe } from "../support/packets.ts";
import {
  VirtualBroker,
  type VirtualBrokerOptions,
  type VirtualClient,
} from "../support/virtual_broker.ts";

function aliased(topic: string, topicAlias: number, payload: string): Packet {
  return publish(topic, { payload, properties: { topicAlias } });
}

function listener(options: VirtualBrokerOptions = {}, properties: Properties = {}): VirtualClient {
  const broker = new VirtualBroker(options);
  const client = broker.connect({ properties });
  client.send(subscribe(1, [request("#", { qos: 2 })]));
  client.take();
  return client;
}

test("An alias stands for the topic that it was last set to [MQTT-3.3.2-12]", () => {
  const client = listener();
  client.send(
    aliased("a", 1, "1"),
    aliased("", 1, "2"),
    aliased("b", 2, "3"),
    aliased("", 1, "4"),
    aliased("c", 1, "5"),
    aliased("", 1, "6"),
    aliased("", 2, "7"),
  );
  const topics = ["a", "a", "b", "a", "c", "c", "b"];
  assertEquals(client.take(), topics.map((topic, i) => publish(topic, { payload: `${i + 1}` })));
});

test("An alias of the sender is not one of the receiver [MQTT-3.3.2-7]", () => {
  const client = listener({}, { topicAliasMaximum: 5 });
  client.send(aliased("a", 3, "1"), aliased("", 3, "2"));
  assertEquals(client.take(), [aliased("a", 1, "1"), aliased("", 1, "2")]);
});

test("Aliases end with their connection [MQTT-3.3.2-7]", () => {
  const lasting = { sessionExpiryInterval: 60, topicAliasMaximum: 5 };
  const client = listener({}, lasting);
  const { broker } = client;
  client.send(aliased("a", 1, "1"));
  assertEquals(client.take(), [aliased("a", 1, "1")]);
  client.drop();
  const back = broker.connect({ cleanStart: false, properties: lasting });
  broker.publish("a", { payload: "2" });
  assertEquals(back.take(), [aliased("a", 1, "2")]);
  back.send(aliased("", 1, "3"));
  assertEquals(back.isClosed, true);
});

test("The broker gives aliases to the first topics, as many as both sides allow [MQTT-3.1.2-26] [MQTT-3.3.2-11]", () => {
  for (const [topicAliasMaximum, topicAliasMaximumBroker] of [[2, 10], [10, 2]] as const) {
    const client = listener({ listener: { topicAliasMaximumBroker } }, { topicAliasMaximum });
    for (const topic of ["a", "b", "c", "a", "b", "c"]) client.broker.publish(topic);
    assertEquals(client.take(), [
      aliased("a", 1, ""),
      aliased("b", 2, ""),
      publish("c"),
      aliased("", 1, ""),
      aliased("", 2, ""),
      publish("c"),
    ]);
  }
});

test("The broker gives no alias to a client that allows none [MQTT-3.1.2-26] [MQTT-3.1.2-27]", () => {
  for (const properties of [{}, { topicAliasMaximum: 0 }]) {
    const client = listener({}, properties);
    client.broker.publish("a");
    client.broker.publish("a");
    assertEquals(client.take(), [publish("a"), publish("a")]);
  }
});

test("Aliases go with every QoS and are set anew where a message is sent again", () => {
  const lasting = { sessionExpiryInterval: 60, topicAliasMaximum: 5 };
  const client = listener({}, lasting);
  const { broker } = client;
  broker.publish("a", { qos: 1 });
  broker.publish("a", { qos: 2 });
  const properties = { topicAlias: 1 };
  assertEquals(client.take(), [
    publish("a", { qos: 1, packetId: 1, properties }),
    publish("", { qos: 2, packetId: 2, properties }),
  ]);
  client.drop();
  const back = broker.connect({ cleanStart: false, properties: lasting });
  assertEquals(back.take(), [
    publish("a", { qos: 1, packetId: 1, dup: true, properties }),
    publish("", { qos: 2, packetId: 2, dup: true, properties }),
  ]);
  back.send(ack("puback", 1));
});

test("A broker without aliases says so and refuses them [MQTT-3.3.2-9]", () => {
  const client = listener({ listener: { topicAliasMaximum: 0 } });
  client.send(aliased("a", 1, ""));
  assertEquals([client.isClosed, client.take().map((packet) => packet.type)], [true, [
    "disconnect",
  ]]);
});
