// Shared subscriptions (4.8.2): each message to one member, in turn, whoever is away.

import { assertEquals } from "@std/assert";
import type { QoS } from "../../src/core/codec/protocol.ts";
import { test } from "../harness.ts";
import { ack, publish, request, subscribe, unsubscribe } from "../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../support/virtual_broker.ts";

function member(
  broker: VirtualBroker,
  clientId: string,
  filter = "$share/g/a",
  qos: QoS = 1,
): VirtualClient {
  const properties = { sessionExpiryInterval: 60 };
  const client = broker.connect({ clientId, cleanStart: false, properties });
  client.send(subscribe(1, [request(filter, { qos })]));
  client.take();
  return client;
}

/** The payloads that have arrived, joined. */
function heard(client: VirtualClient): string {
  return client.settle()
    .map((packet) => packet.type === "publish" ? new TextDecoder().decode(packet.payload) : "")
    .join("");
}

function say(broker: VirtualBroker, letters: string, qos: QoS = 1): void {
  for (const payload of letters) broker.publish("a", { qos, payload });
}

test("Members of a shared subscription take turns in the order in which they joined", () => {
  const broker = new VirtualBroker();
  const members = ["one", "two", "three"].map((clientId) => member(broker, clientId));
  say(broker, "abcdefg");
  assertEquals(members.map(heard), ["adg", "be", "cf"]);
});

test("Clients of all versions share", () => {
  const broker = new VirtualBroker();
  const members = ([3, 4, 5] as const).map((protocolVersion) => {
    const client = broker.connect({ clientId: `${protocolVersion}`, protocolVersion });
    client.send(subscribe(1, [request("$share/g/a")]));
    client.take();
    return client;
  });
  say(broker, "abc", 0);
  assertEquals(members.map(heard), ["a", "b", "c"]);
});

test("Share names and filters make different groups, and ordinary subscriptions are none [MQTT-4.8.2-1]", () => {
  const broker = new VirtualBroker();
  const one = member(broker, "one", "$share/g/a");
  const two = member(broker, "two", "$share/h/a");
  const three = member(broker, "three", "$share/g/+");
  const four = member(broker, "four", "a");
  const five = member(broker, "five", "$share//a");
  assertEquals(broker.publish("a", { qos: 1, payload: "x" }), 5);
  assertEquals([one, two, three, four, five].map(heard), ["x", "x", "x", "x", "x"]);
  assertEquals(broker.core.subscriptionCount, 5);
});

test("A client may be in a group and subscribe for itself", () => {
  const broker = new VirtualBroker();
  const client = member(broker, "one");
  client.send(subscribe(2, [request("a", { qos: 0 })]));
  client.take();
  broker.publish("a", { qos: 1, payload: "x" });
  assertEquals(heard(client), "xx");
});

test("Each member has the QoS of its own subscription [MQTT-4.8.2-3]", () => {
  const broker = new VirtualBroker();
  const members = ([0, 1, 2] as const).map((qos) => member(broker, `${qos}`, "$share/g/a", qos));
  say(broker, "abc", 2);
  const levels = members.map((client) => {
    const [packet] = client.take();
    return packet?.type === "publish" ? packet.qos : undefined;
  });
  assertEquals(levels, [0, 1, 2]);
});

test("A member that is away keeps its turn: QoS 1 waits for it, QoS 0 is lost", () => {
  const broker = new VirtualBroker();
  const one = member(broker, "one");
  const two = member(broker, "two");
  two.drop();
  say(broker, "ab");
  say(broker, "cd", 0);
  assertEquals(heard(one), "ac");
  const properties = { sessionExpiryInterval: 60 };
  assertEquals(heard(broker.connect({ clientId: "two", cleanStart: false, properties })), "b");
});

test("Whoever leaves takes no turn, and the others go on where they were", () => {
  const broker = new VirtualBroker();
  const [one, two, three] = ["one", "two", "three"].map((id) => member(broker, id)) as [
    VirtualClient,
    VirtualClient,
    VirtualClient,
  ];
  say(broker, "ab");
  two.send(unsubscribe(2, ["$share/g/a"]));
  say(broker, "cd");
  assertEquals([one, two, three].map(heard), ["ad", "b", "c"]);
  const four = member(broker, "four");
  say(broker, "efgh");
  assertEquals([one, three, four].map(heard), ["g", "eh", "f"]);
});

test("Messages in flight to a member are its own: they wait for it, and go to nobody else [MQTT-4.8.2-5] [MQTT-4.8.2-4]", () => {
  const broker = new VirtualBroker();
  const one = member(broker, "one", "$share/g/a", 2);
  const two = member(broker, "two", "$share/g/a", 2);
  say(broker, "a", 2);
  assertEquals(one.take().length, 1);
  one.drop();
  assertEquals(heard(two), "");
  const properties = { sessionExpiryInterval: 60 };
  const back = broker.connect({ clientId: "one", cleanStart: false, properties });
  assertEquals(back.take(), [
    publish("a", { qos: 2, packetId: 1, payload: "a", dup: true }),
  ]);
});

test("A member that refuses a message ends it for the group [MQTT-4.8.2-6]", () => {
  const broker = new VirtualBroker();
  const one = member(broker, "one");
  const two = member(broker, "two");
  say(broker, "a");
  one.take();
  one.send(ack("puback", 1, 0x97));
  one.drop();
  assertEquals(heard(two), "");
});

test("A group that everybody has left is gone", () => {
  const broker = new VirtualBroker();
  const one = member(broker, "one");
  const two = member(broker, "two");
  one.send(unsubscribe(2, ["$share/g/a"]));
  assertEquals(broker.core.subscriptionCount, 1);
  two.drop();
  broker.advance(60_000);
  assertEquals(broker.core.subscriptionCount, 0);
  assertEquals(broker.publish("a"), 0);
});
