// Clients behind a mount point, from their own end: they see their topics, everybody else sees where
// those are mounted, and nothing crosses by a way that forgot to look.

import { assertEquals } from "@std/assert";
import { DEFAULT_LISTENER } from "../../../src/core/broker/limits.ts";
import { OPEN_POLICY, type Policy } from "../../../src/core/broker/question.ts";
import type { Packet } from "../../../src/core/codec/packet.ts";
import type { ListenerSettings } from "../../../src/core/session/peer.ts";
import { test } from "../../harness.ts";
import {
  disconnect,
  publish,
  request,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
  will,
} from "../../support/packets.ts";
import {
  VirtualBroker,
  type VirtualBrokerOptions,
  type VirtualClient,
} from "../../support/virtual_broker.ts";

const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };

function at(mountPoint: string): { readonly listener: ListenerSettings } {
  return { listener: { ...DEFAULT_LISTENER, mountPoint } };
}

interface Scene {
  readonly broker: VirtualBroker;
  /** Subscribed to everything, and not mounted. */
  readonly whole: VirtualClient;
  readonly mounted: VirtualClient;
}

function scene(options: VirtualBrokerOptions = {}, filter = "#"): Scene {
  const broker = new VirtualBroker(options);
  const whole = broker.connect({ clientId: "whole" });
  whole.exchange(subscribe(1, [request("#", { qos: 2 })]));
  const mounted = broker.connect({ ...LASTING, clientId: "mounted" }, at("t/é/"));
  assertEquals(mounted.exchange(subscribe(1, [request(filter, { qos: 2 })])), [suback(1, [2])]);
  return { broker, whole, mounted };
}

function topics(packets: readonly Packet[]): string[] {
  return packets.flatMap((packet) => packet.type === "publish" ? packet.topic : []);
}

test("A mount point stands before what its clients publish, and is gone from what they get", () => {
  for (const version of [3, 4, 5] as const) {
    const { broker, whole, mounted } = scene();
    const other = broker.connect({ protocolVersion: version, clientId: "other" }, at("t/é/"));
    for (const qos of [0, 1, 2] as const) {
      other.send(publish("a", { qos, packetId: qos, payload: "x" }));
      other.send(publish("a", { qos, packetId: qos === 0 ? 0 : qos + 2, payload: "y" }));
    }
    assertEquals(topics(mounted.settle()), ["a", "a", "a", "a", "a", "a"]);
    assertEquals(topics(whole.settle()), Array(6).fill("t/é/a"));
    other.send(publish("b"));
    assertEquals(whole.take(), [publish("t/é/b")]);
    assertEquals(mounted.take(), [publish("b")]);
  }
});

test("A client without a mount point reaches those behind one by the whole name only", () => {
  const { broker, whole, mounted } = scene();
  const sender = broker.connect({ clientId: "sender" });
  sender.send(publish("a"), publish("t/é/a"), publish("t/é/"), publish("t/éa"), publish("t/é"));
  assertEquals(mounted.take(), [publish("a")]);
  assertEquals(topics(whole.take()), ["a", "t/é/a", "t/é/", "t/éa", "t/é"]);
});

test("Aliases stand for whole topics inside and for visible ones outside [MQTT-3.3.2-12]", () => {
  const { broker, whole, mounted } = scene();
  const properties = { topicAliasMaximum: 5 };
  const aliased = broker.connect({ clientId: "aliased", properties }, at("t/é/"));
  aliased.exchange(subscribe(1, [request("#")]));
  const topicAlias = { topicAlias: 3 };
  mounted.send(publish("a", { properties: topicAlias }), publish("", { properties: topicAlias }));
  assertEquals(topics(whole.take()), ["t/é/a", "t/é/a"]);
  const first = { properties: { topicAlias: 1 } };
  assertEquals(aliased.take(), [publish("a", first), publish("", first)]);
});

test("What a client may take is measured as it gets it [MQTT-3.1.2-24]", () => {
  const broker = new VirtualBroker();
  // Type, length, topic length, "a", properties length, payload.
  const properties = { maximumPacketSize: 2 + 2 + 1 + 1 + 20 };
  const small = broker.connect({ clientId: "small", properties }, at("t/é/"));
  small.exchange(subscribe(1, [request("#")]));
  broker.publish("t/é/a", { payload: "x".repeat(21) });
  broker.publish("t/é/a", { payload: "x".repeat(20) });
  assertEquals(small.take(), [publish("a", { payload: "x".repeat(20) })]);
});

test("Retained messages are those of the mount point", () => {
  const { broker, mounted } = scene();
  broker.publish("a", { retain: true, payload: "no" });
  mounted.send(publish("b", { retain: true, payload: "x" }));
  mounted.take();
  const other = broker.connect({ clientId: "other" }, at("t/é/"));
  assertEquals(other.exchange(subscribe(1, [request("+")])), [
    suback(1, [0]),
    publish("b", { retain: true, payload: "x" }),
  ]);
});

test("A shared filter has the mount point behind its name, and shares with who spells it whole", () => {
  const { broker } = scene();
  const a = broker.connect({ clientId: "a" }, at("t/é/"));
  const b = broker.connect({ clientId: "b" });
  a.exchange(subscribe(1, [request("$share/g/x")]));
  b.exchange(subscribe(1, [request("$share/g/t/é/x")]));
  broker.publish("t/é/x");
  broker.publish("t/é/x");
  assertEquals([a.take(), b.take()], [[publish("x")], [publish("t/é/x")]]);
  assertEquals(a.exchange(unsubscribe(2, ["$share/g/x"])), [unsuback(2, [0])]);
  broker.publish("t/é/x");
  broker.publish("t/é/x");
  assertEquals(topics(b.take()), ["t/é/x", "t/é/x"]);
});

test("UNSUBSCRIBE means the filter that was subscribed to, not one of that name elsewhere", () => {
  const { broker, mounted } = scene({}, "a");
  assertEquals(mounted.exchange(unsubscribe(2, ["t/é/a", "a", "a"])), [unsuback(2, [17, 0, 17])]);
  assertEquals(broker.publish("t/é/a"), 1);
  assertEquals(mounted.take(), []);
});

test("$SYS is not mounted, and is nothing special behind a mount point", () => {
  const { broker, whole, mounted } = scene({}, "$SYS/#");
  broker.publish("$SYS/broker/uptime", { retain: true, payload: "1" });
  assertEquals(mounted.take(), []);
  mounted.send(publish("$SYS/own"));
  assertEquals([mounted.take(), topics(whole.take())], [
    [publish("$SYS/own")],
    ["t/é/$SYS/own"],
  ]);
});

test("A Will is published behind the mount point", () => {
  const { broker, whole, mounted } = scene();
  broker.connect({ clientId: "dying", will: will("w") }, at("t/é/")).drop();
  assertEquals([topics(whole.take()), topics(mounted.take())], [["t/é/w"], ["w"]]);
});

test("A session that comes back elsewhere gets nothing that is not mounted there", () => {
  const { broker, mounted } = scene();
  mounted.drop();
  broker.publish("t/é/a", { qos: 1 });
  const elsewhere = broker.connect({ ...LASTING, clientId: "mounted" }, at("u/"));
  assertEquals(elsewhere.take(), []);
  broker.publish("t/é/b");
  broker.publish("u/c");
  assertEquals(elsewhere.take(), []);
  elsewhere.drop();
  broker.publish("t/é/d", { qos: 1 });
  const back = broker.connect({ ...LASTING, clientId: "mounted" }, at("t/é/"));
  assertEquals(topics(back.take()), ["d"]);
});

test("The policy is asked about whole names on every way", () => {
  const asked: string[] = [];
  const policy: Policy = {
    ...OPEN_POLICY,
    publish: (client, topic) => (asked.push(`${client.clientId} publishes ${topic}`), 0),
    subscribe: (client, filter) => (asked.push(`${client.clientId} subscribes ${filter}`), 0),
    unsubscribe: (client, filter) => (asked.push(`${client.clientId} leaves ${filter}`), 0),
    deliver: (client, topic) => asked.push(`${client.clientId} gets ${topic}`) > 0,
    hasRetained: (publisher, topic) => asked.push(`${publisher.clientId} has ${topic}`) > 0,
  };
  const broker = new VirtualBroker({ policy });
  const client = broker.connect({ will: will("w") }, at("t/"));
  client.send(
    publish("a", { retain: true, payload: "x" }),
    subscribe(1, [request("a"), request("$share/g/b")]),
    unsubscribe(2, ["a", "$share/g/b"]),
  );
  client.send(disconnect(4));
  assertEquals(asked.filter((line) => !line.endsWith("t/w")), [
    "client publishes t/a",
    "client subscribes t/a",
    "client subscribes $share/g/t/b",
    "client has t/a",
    "client gets t/a",
    "client leaves t/a",
    "client leaves $share/g/t/b",
  ]);
  assertEquals(
    new Set(asked.filter((line) => line.endsWith("w"))),
    new Set(["client publishes t/w"]),
  );
});

test("A mounted name must be one that there can be [MQTT-4.7.3-3] [MQTT-4.7.1-2]", () => {
  const broker = new VirtualBroker();
  for (
    const [mountPoint, packet] of [
      ["t/", publish("x".repeat(65_534))],
      ["t/", publish("/".repeat(200))],
      ["t/", subscribe(1, [request("x".repeat(65_534))])],
      ["t/", subscribe(1, [request("/".repeat(200))])],
      ["t", subscribe(1, [request("+")])],
      ["t", unsubscribe(1, ["#"])],
    ] as const
  ) {
    const client = broker.connect({}, at(mountPoint));
    assertEquals([client.exchange(packet), client.isClosed], [[disconnect(0x81)], true]);
  }
});
