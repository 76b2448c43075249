// Who is given a message, and how many that were.

import { assertEquals } from "@std/assert";
import { test } from "../../harness.ts";
import { publish, request, subscribe } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

test("publish() reaches those who are subscribed at that moment, however often that changes", () => {
  const broker = new VirtualBroker();
  const counts: number[] = [];
  for (let i = 0; i < 5; i++) {
    broker.connect({ clientId: `${i}` }).send(subscribe(1, [request("a")]));
    counts.push(broker.publish("a"));
  }
  for (let i = 0; i < 5; i++) {
    broker.core.disconnect(`${i}`, 0, broker.now);
    broker.endTurn();
    counts.push(broker.publish("a"));
  }
  assertEquals(counts, [1, 2, 3, 4, 5, 4, 3, 2, 1, 0]);
});

test("publish() finds its subscribers also when few topics are remembered", () => {
  const broker = new VirtualBroker({ limits: { rememberedTopicsMax: 2 } });
  const client = broker.connect();
  client.send(subscribe(1, [request("+/x")]));
  client.take();
  const sender = broker.connect({ clientId: "sender" });
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 10; i++) sender.send(publish(`${i}/x`));
  }
  const topics = client.take().map((packet) => packet.type === "publish" && packet.topic);
  assertEquals(topics, Array.from({ length: 30 }, (_, i) => `${i % 10}/x`));
});

test("publish() retains before it delivers, so that a subscriber's SUBSCRIBE misses nothing", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  client.send(
    publish("a", { retain: true, payload: "1" }),
    subscribe(1, [request("a")]),
    publish("a", { retain: true, payload: "2" }),
  );
  const payloads = client.take().flatMap((packet) =>
    packet.type === "publish" ? new TextDecoder().decode(packet.payload) : []
  );
  assertEquals(payloads, ["1", "2"]);
});

test("publish() gives older clients one copy of a message where they are to have no second", () => {
  const filters = ["a", "+", "#"];
  for (const allowsDuplicateMessages of [false, true]) {
    for (const protocolVersion of [3, 4, 5] as const) {
      const broker = new VirtualBroker({ limits: { allowsDuplicateMessages } });
      const clients = ["one", "two"].map((clientId) => {
        const client = broker.connect({ clientId, protocolVersion });
        client.exchange(subscribe(1, filters.map((filter) => request(filter))));
        return client;
      });
      const copies = allowsDuplicateMessages || protocolVersion === 5 ? 3 : 1;
      for (let round = 0; round < 2; round++) {
        broker.publish("a", { payload: `${round}` });
        for (const client of clients) {
          assertEquals(client.take(), Array(copies).fill(publish("a", { payload: `${round}` })));
        }
      }
    }
  }
});

test("publish() counts a share, and a session that is away, among what gives a second copy", () => {
  const broker = new VirtualBroker({ limits: { allowsDuplicateMessages: false } });
  const lasting = { protocolVersion: 4, cleanStart: false } as const;
  const client = broker.connect(lasting);
  const filters = ["a", "$share/g/a", "+"].map((filter) => request(filter, { qos: 1 }));
  client.exchange(subscribe(1, filters));
  client.drop();
  broker.publish("a", { qos: 1 });
  assertEquals(broker.connect(lasting).take(), [publish("a", { qos: 1, packetId: 1 })]);
});
