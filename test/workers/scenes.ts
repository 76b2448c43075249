// What clients may expect of the broker, scene by scene, whether it sleeps meanwhile or not: all
// that a connection or a session has to remember stands in one of them.

import {
  ack,
  connect,
  disconnect,
  publish,
  request,
  subscribe,
  unsubscribe,
  will,
} from "../support/packets.ts";
import type { Scene } from "./stage.ts";

const KEPT = { cleanStart: false, properties: { sessionExpiryInterval: 600 } } as const;

export const SCENES: readonly Scene[] = [
  {
    name: "a message passes at each quality of service, in each version [MQTT-4.3.3-2]",
    async play(stage) {
      for (const version of [3, 4, 5] as const) {
        const reader = await stage.enter(`r${version}`, { protocolVersion: version });
        await reader.send(subscribe(1, [request(`t${version}/#`, { qos: 2 })]));
        const writer = await stage.enter(`w${version}`, { protocolVersion: version });
        for (const qos of [0, 1, 2] as const) {
          const packetId = qos === 0 ? 0 : 10 + qos;
          await writer.send(publish(`t${version}/a`, { qos, packetId, payload: `${qos}` }));
          await writer.settle();
          await reader.settle();
        }
      }
    },
    expected: Object.fromEntries([3, 4, 5].flatMap((version) => [
      [`r${version}`, [
        "connack 0",
        "suback #1 2",
        `publish t${version}/a 0`,
        `publish t${version}/a 1 qos1 #1`,
        `publish t${version}/a 2 qos2 #2`,
        "pubrel #2",
      ]],
      [`w${version}`, ["connack 0", "puback #11", "pubrec #12", "pubcomp #12"]],
    ])),
  },
  {
    name: "a message of QoS 2 that is sent again counts once [MQTT-4.3.3-10]",
    async play(stage) {
      const reader = await stage.enter("reader");
      await reader.send(subscribe(1, [request("t")]));
      const writer = await stage.enter("writer");
      const message = publish("t", { qos: 2, packetId: 7, payload: "x" });
      await writer.send(message, { ...message, dup: true });
      await writer.send(ack("pubrel", 7), ack("pubrel", 7));
      await writer.send(message);
    },
    expected: {
      reader: ["connack 0", "suback #1 0", "publish t x", "publish t x"],
      writer: ["connack 0", "pubrec #7", "pubrec #7", "pubcomp #7", "pubcomp #7", "pubrec #7"],
    },
  },
  {
    name: "the Receive Maximum of a client holds, and what waits keeps its order [MQTT-3.3.4-9]",
    async play(stage) {
      const reader = await stage.enter("reader", { properties: { receiveMaximum: 1 } });
      await reader.send(subscribe(1, [request("t", { qos: 2 })]));
      const writer = await stage.enter("writer", { protocolVersion: 4 });
      for (const [i, qos] of ([1, 2, 1, 0] as const).entries()) {
        await writer.send(publish("t", { qos, packetId: qos === 0 ? 0 : 20 + i, payload: `${i}` }));
        await writer.settle();
      }
      await reader.settle();
    },
    expected: {
      reader: [
        "connack 0",
        "suback #1 2",
        "publish t 0 qos1 #1",
        "publish t 3",
        "publish t 1 qos2 #2",
        "pubrel #2",
        "publish t 2 qos1 #3",
      ],
      writer: ["connack 0", "puback #20", "pubrec #21", "pubcomp #21", "puback #22"],
    },
  },
  {
    name: "a Topic Alias means what it meant, both ways [MQTT-3.3.2-12]",
    async play(stage) {
      const reader = await stage.enter("reader", { properties: { topicAliasMaximum: 2 } });
      await reader.send(subscribe(1, [request("long/topic/#")]));
      const writer = await stage.enter("writer");
      const named = (topic: string, topicAlias: number) =>
        publish(topic, { properties: { topicAlias }, payload: `${topicAlias}` });
      await writer.send(named("long/topic/a", 1), named("long/topic/b", 2));
      await writer.send(named("", 1), named("", 2), named("long/topic/c", 1), named("", 1));
    },
    expected: {
      reader: [
        "connack 0",
        "suback #1 0",
        "publish long/topic/a 1 topicAlias=1",
        "publish long/topic/b 2 topicAlias=2",
        "publish  1 topicAlias=1",
        "publish  2 topicAlias=2",
        "publish long/topic/c 1",
        "publish long/topic/c 1",
      ],
      writer: ["connack 0"],
    },
  },
  {
    name: "an alias that was never given is a fault of its sender's [MQTT-3.3.2-7]",
    async play(stage) {
      const writer = await stage.enter("writer");
      await writer.send(publish("", { properties: { topicAlias: 3 } }));
    },
    expected: { writer: ["connack 0", "disconnect 130", "end"] },
  },
  {
    name: "subscriptions keep their options and identifiers [MQTT-3.3.4-3]",
    async play(stage) {
      const reader = await stage.enter("reader");
      await reader.send(
        subscribe(1, [request("a/+", { noLocal: true })], { subscriptionIds: [5] }),
        subscribe(2, [request("b", { retainAsPublished: true })], { subscriptionIds: [6] }),
        subscribe(3, [request("c", { qos: 1 })]),
      );
      await reader.send(publish("a/own", { payload: "mine" }));
      const writer = await stage.enter("writer", { protocolVersion: 4 });
      await writer.send(
        publish("a/x", { payload: "1" }),
        publish("b", { payload: "2", retain: true }),
        publish("c", { payload: "3", retain: true }),
      );
      await reader.send(unsubscribe(4, ["a/+", "nothing"]));
      await writer.send(publish("a/x", { payload: "4" }));
    },
    expected: {
      reader: [
        "connack 0",
        "suback #1 0",
        "suback #2 0",
        "suback #3 1",
        "publish a/x 1 subscriptionIds=5",
        "publish b 2 retained subscriptionIds=6",
        "publish c 3",
        "unsuback #4 0 17",
      ],
      writer: ["connack 0"],
    },
  },
  {
    name: "a shared subscription serves its members in turn [MQTT-4.8.2-4]",
    async play(stage) {
      for (const name of ["member 1", "member 2"]) {
        const member = await stage.enter(name);
        await member.send(subscribe(1, [request("$share/g/t", { qos: 1 })]));
      }
      const all = await stage.enter("all");
      await all.send(subscribe(1, [request("$share/h/t")]));
      const writer = await stage.enter("writer");
      for (let i = 0; i < 3; i++) await writer.send(publish("t", { payload: `${i}` }));
    },
    expected: {
      all: ["connack 0", "suback #1 0", "publish t 0", "publish t 1", "publish t 2"],
      members: ["publish t 0", "publish t 1", "publish t 2"],
      writer: ["connack 0"],
    },
  },
  {
    name: "a message is retained until an empty one comes [MQTT-3.3.1-6]",
    async play(stage) {
      const writer = await stage.enter("writer");
      await writer.send(
        publish("r/a", { payload: "first", retain: true }),
        publish("r/a", { payload: "second", retain: true }),
        publish("r/b", { payload: "gone", retain: true }),
        publish("r/b", { retain: true }),
      );
      const reader = await stage.enter("reader", { protocolVersion: 4 });
      await reader.send(subscribe(1, [request("r/#", { qos: 1 })]));
    },
    expected: {
      reader: ["connack 0", "suback #1 1", "publish r/a second retained"],
      writer: ["connack 0"],
    },
  },
  {
    name: "a Will is published when its client vanishes, and only then [MQTT-3.1.2-8]",
    async play(stage) {
      const reader = await stage.enter("reader");
      await reader.send(subscribe(1, [request("w/#", { qos: 1 })]));
      const lost = await stage.enter("lost", { will: will("w/lost", { qos: 1 }) });
      const polite = await stage.enter("polite", { will: will("w/polite") });
      const asking = await stage.enter("asking", { will: will("w/asking") });
      await lost.vanish();
      await polite.send(disconnect());
      await asking.send(disconnect(4));
      await reader.settle();
    },
    expected: {
      reader: ["connack 0", "suback #1 1", "publish w/lost gone qos1 #1", "publish w/asking gone"],
      lost: ["connack 0", "end"],
      polite: ["connack 0", "end"],
      asking: ["connack 0", "end"],
    },
  },
  {
    name: "a Will waits for its delay, and not for one who is back [MQTT-3.1.3-9]",
    takesTime: true,
    async play(stage) {
      const reader = await stage.enter("reader");
      await reader.send(subscribe(1, [request("w/#")]));
      for (const name of ["late", "back"]) {
        const client = await stage.enter(name, {
          ...KEPT,
          will: will(`w/${name}`, { properties: { willDelayInterval: 60 } }),
        });
        await client.vanish();
      }
      await stage.advance(59_000);
      await stage.enter("back", KEPT);
      await reader.take();
      await stage.advance(2000);
    },
    expected: {
      reader: ["connack 0", "suback #1 0", "publish w/late gone"],
      late: ["connack 0", "end"],
      back: ["connack 0", "end", "connack 0 present"],
    },
  },
  {
    name:
      "a client that is silent for too long is sent away, one that pings is not [MQTT-3.1.2-22]",
    takesTime: true,
    async play(stage) {
      const reader = await stage.enter("reader", { protocolVersion: 4 });
      await reader.send(subscribe(1, [request("w")]));
      await stage.enter("silent", { keepAlive: 10, will: will("w") });
      const pinging = await stage.enter("pinging", { keepAlive: 10 });
      await stage.advance(9000);
      await pinging.send({ type: "pingreq" });
      await stage.advance(7000);
    },
    expected: {
      reader: ["connack 0", "suback #1 0", "publish w gone"],
      silent: ["connack 0", "end"],
      pinging: ["connack 0", "pingresp"],
    },
  },
  {
    name: "a session goes on where it was, with all that came meanwhile [MQTT-4.4.0-1]",
    async play(stage) {
      const before = await stage.enter("reader", KEPT);
      await before.send(subscribe(1, [request("t", { qos: 2 })]));
      const writer = await stage.enter("writer");
      await writer.send(publish("t", { qos: 2, packetId: 1, payload: "open" }));
      await writer.settle();
      const [, , open] = await before.take();
      if (open?.type === "publish") await before.send(ack("pubrec", open.packetId));
      await before.vanish();
      await writer.send(publish("t", { qos: 1, packetId: 2, payload: "meanwhile" }));
      await writer.send(publish("t", { payload: "lost" }));
      const after = await stage.enter("reader", KEPT);
      await after.settle();
    },
    expected: {
      reader: [
        "connack 0",
        "suback #1 2",
        "publish t open qos2 #1",
        "pubrel #1",
        "end",
        "connack 0 present",
        "pubrel #1",
        "publish t meanwhile qos1 #2",
      ],
      writer: ["connack 0", "pubrec #1", "pubcomp #1", "puback #2"],
    },
  },
  {
    name: "a session is over when its time is, or with its connection [MQTT-3.1.2-23]",
    takesTime: true,
    async play(stage) {
      const ends: readonly [string, number][] = [["short", 10], ["long", 600], ["none", 0]];
      for (const [name, sessionExpiryInterval] of ends) {
        const client = await stage.enter(name, {
          cleanStart: false,
          properties: { sessionExpiryInterval },
        });
        await client.vanish();
      }
      await stage.advance(11_000);
      for (const [name] of ends) await stage.enter(name, { cleanStart: false });
    },
    expected: {
      short: ["connack 0", "end", "connack 0"],
      long: ["connack 0", "end", "connack 0 present"],
      none: ["connack 0", "end", "connack 0"],
    },
  },
  {
    name: "a message that has expired is not delivered any more [MQTT-3.3.2-5]",
    takesTime: true,
    async play(stage) {
      const before = await stage.enter("reader", KEPT);
      await before.send(subscribe(1, [request("t", { qos: 1 })]));
      await before.vanish();
      const writer = await stage.enter("writer");
      const lasting = (messageExpiryInterval: number, packetId: number) =>
        publish("t", { qos: 1, packetId, properties: { messageExpiryInterval } });
      await writer.send(lasting(10, 1), lasting(100, 2));
      await stage.advance(20_000);
      await stage.enter("reader", KEPT);
    },
    expected: {
      reader: [
        "connack 0",
        "suback #1 1",
        "end",
        "connack 0 present",
        "publish t  qos1 #1 messageExpiryInterval=80",
      ],
      writer: ["connack 0", "puback #1", "puback #2"],
    },
  },
  {
    name: "whoever comes with the same name takes over [MQTT-3.1.4-3]",
    async play(stage) {
      const first = await stage.enter("twin", KEPT);
      await first.send(subscribe(1, [request("t", { qos: 1 })]));
      const second = await stage.enter("twin", KEPT);
      await first.look();
      await second.send(publish("t", { qos: 1, packetId: 9, payload: "own" }));
      await second.settle();
    },
    expected: {
      twin: [
        "connack 0",
        "suback #1 1",
        "disconnect 142",
        "end",
        "connack 0 present",
        "publish t own qos1 #1",
        "puback #9",
      ],
    },
  },
  {
    name: "a clean session in version 3.1.1 has all it needs while it lasts [MQTT-3.1.2-6]",
    async play(stage) {
      const reader = await stage.enter("reader", { protocolVersion: 4 });
      await reader.send(subscribe(1, [request("t", { qos: 2 })]));
      const writer = await stage.enter("writer", { protocolVersion: 4 });
      await writer.send(publish("t", { qos: 1, packetId: 1, payload: "one" }));
      await writer.send(publish("t", { qos: 1, packetId: 2, payload: "two" }));
      await reader.settle();
      await reader.vanish();
      await stage.enter("reader", { protocolVersion: 4, cleanStart: false });
    },
    expected: {
      reader: [
        "connack 0",
        "suback #1 2",
        "publish t one qos1 #1",
        "publish t two qos1 #2",
        "end",
        "connack 0",
      ],
      writer: ["connack 0", "puback #1", "puback #2"],
    },
  },
  {
    name: "no two clients are given the same name [MQTT-3.1.3-6]",
    async play(stage) {
      await stage.enter("first", { clientId: "" });
      await stage.enter("second", { clientId: "" });
    },
    expected: { first: ["connack 0 assigned"], second: ["connack 0 assigned"] },
  },
  {
    name: "large messages pass, larger than an attachment may be [MQTT-3.3.1-1]",
    async play(stage) {
      const reader = await stage.enter("reader");
      await reader.send(subscribe(1, [request("t", { qos: 1 })]));
      const writer = await stage.enter("writer");
      const payload = new Uint8Array(100_000).fill(120);
      await writer.send(publish("t", { qos: 1, packetId: 1, payload }));
      await reader.settle();
      await writer.send(publish("t", { payload: "small" }));
    },
    expected: {
      reader: ["connack 0", "suback #1 1", "publish t 100000 bytes qos1 #1", "publish t small"],
      writer: ["connack 0", "puback #1"],
    },
  },
  {
    name: "a second CONNECT ends a connection, as does one that never comes [MQTT-3.1.0-2]",
    takesTime: true,
    async play(stage) {
      const twice = await stage.enter("twice");
      await twice.send(connect({ clientId: "twice" }));
      const silent = await stage.open("silent");
      await stage.advance(600_000);
      await silent.look();
    },
    expected: { twice: ["connack 0", "end"], silent: ["end"] },
  },
];
