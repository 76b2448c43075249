// The driver and a store that is prompt, slow, failing, or never answers: who waits for it, who does
// not, what is tried again, and what the operator is told.

import { assertEquals } from "@std/assert";
import type { BrokerEvent } from "../../src/core/broker/event.ts";
import type { Limits } from "../../src/core/broker/limits.ts";
import { type Answer, ASK, OPEN_POLICY, type Policy } from "../../src/core/broker/question.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import { test } from "../harness.ts";
import { type FakeTransport, onStage, promises, type Stage } from "../support/driver_stage.ts";
import { FakeStore, type Manner } from "../support/fake_store.ts";
import { ack, bytesOf, connect, publish, request, subscribe } from "../support/packets.ts";

const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 1000 } };

interface Scene {
  readonly stage: Stage;
  readonly store: FakeStore;
  /** What the operator is told. */
  readonly told: string[];
  /** Subscribes to `a` with QoS 1, in a session that lasts. */
  readonly lasting: FakeTransport;
  /** Subscribes to `a` with QoS 0, in one that does not. */
  readonly brief: FakeTransport;
  readonly publisher: FakeTransport;
}

function onScene(
  manner: Manner,
  body: (scene: Scene) => void | Promise<void>,
  limits: Partial<Limits> = {},
): Promise<void> {
  const store = new FakeStore();
  const told: string[] = [];
  const onEvent = (event: BrokerEvent) => {
    if (event.kind === "store-failing") told.push(`failing: ${event.detail}`);
    if (event.kind === "store-recovered") told.push("recovered");
  };
  return onStage({ store, onEvent, limits }, async (stage) => {
    const lasting = stage.connect({ ...LASTING, clientId: "lasting" });
    lasting.send(subscribe(1, [request("a", { qos: 1 })]));
    const brief = stage.connect({ clientId: "brief" });
    brief.send(subscribe(1, [request("a")]));
    const publisher = stage.connect({ clientId: "publisher" });
    stage.turn();
    for (const client of [lasting, brief, publisher]) client.take();
    store.tried.length = 0;
    store.manner = manner;
    await body({ stage, store, told, lasting, brief, publisher });
  });
}

function types(client: FakeTransport): string[] {
  return client.take().map(({ type }) => type);
}

/** Ends turns until nobody has anything to do, promises included. */
async function settle(stage: Stage): Promise<void> {
  for (let i = 0; i < 5; i++) {
    stage.turn();
    await promises();
  }
}

function message(packetId: number): Packet {
  return publish("a", { qos: 1, packetId, payload: `${packetId}` });
}

test("Driver commits once for everybody at the end of a turn, and tells them in the same turn", () =>
  onScene("prompt", ({ stage, store, lasting, brief, publisher }) => {
    const other = stage.connect({ clientId: "other" });
    store.tried.length = 0;
    publisher.send(message(1), message(2));
    other.send(message(3));
    stage.turn();
    assertEquals(store.tried, [3]);
    assertEquals([publisher, other, lasting, brief].map(types), [
      ["puback", "puback"],
      ["puback"],
      ["publish", "publish", "publish"],
      ["publish", "publish", "publish"],
    ]);
  }));

test("Driver commits acknowledgements of clients with the next batch, or after a moment alone", () =>
  onScene("prompt", ({ stage, store, lasting, publisher }) => {
    publisher.send(message(1));
    stage.turn();
    lasting.send(ack("puback", 1));
    stage.turn();
    assertEquals(store.tried, [1]);
    publisher.send(message(2));
    stage.turn();
    assertEquals(store.tried, [1, 2]);
    lasting.send(ack("puback", 2));
    stage.turn();
    stage.timers.advance(100);
    stage.turn();
    assertEquals(store.tried, [1, 2, 1]);
    stage.timers.advance(1000);
    assertEquals([store.tried.length, stage.timers.pending.length], [3, 0]);
  }));

test("Driver lets changes gather after a large batch, which records less", () =>
  onScene("prompt", async ({ stage, store, lasting, publisher }) => {
    const many = Array.from({ length: 300 }, (_, index) => message(index + 1));
    publisher.send(...many);
    stage.turn();
    assertEquals(store.tried, [300]);
    const sent = lasting.take().length;
    for (const client of [publisher, lasting]) client.take();
    publisher.send(message(301));
    stage.turn();
    assertEquals([store.tried, types(publisher)], [[300], []]);
    for (let packetId = 1; packetId <= sent; packetId++) lasting.send(ack("puback", packetId));
    stage.turn();
    // Until none come any more.
    stage.timers.advance(1);
    assertEquals(store.tried.length, 1);
    stage.timers.advance(1);
    await settle(stage);
    assertEquals([store.tried.length, types(publisher)], [2, ["puback"]]);
    // After a small one nobody waits.
    publisher.send(message(302));
    stage.turn();
    assertEquals([store.tried.length, types(publisher)], [3, ["puback"]]);
  }, { inflightMessagesMax: 10 }));

test("Driver lets nobody wait for long where changes never cease to gather", () =>
  onScene("prompt", async ({ stage, store, publisher }) => {
    const many = Array.from({ length: 300 }, (_, index) => message(index + 1));
    publisher.send(...many);
    stage.turn();
    publisher.take();
    let ms = 0;
    for (let packetId = 301; store.tried.length === 1 && packetId < 400; packetId++) {
      publisher.send(message(packetId));
      stage.turn();
      stage.timers.advance(1);
      await settle(stage);
      ms++;
    }
    assertEquals([ms, types(publisher).length], [30, 30]);
  }, { inflightMessagesMax: 10 }));

test("Driver holds what promises something until a slow store has it, and nothing else", () =>
  onScene("slow", async ({ stage, store, lasting, brief, publisher }) => {
    publisher.send(message(1));
    await settle(stage);
    assertEquals([publisher, lasting, brief].map(types), [[], ["publish"], ["publish"]]);
    // These are in no batch yet, and one of them is over before there is one.
    lasting.send(ack("puback", 1));
    publisher.send(message(2), publish("nobody"), { type: "pingreq" });
    await settle(stage);
    lasting.send(ack("puback", 2));
    await settle(stage);
    assertEquals([publisher, lasting, brief].map(types), [[], ["publish"], ["publish"]]);
    assertEquals(store.tried, [1]);
    store.answer();
    await settle(stage);
    assertEquals(types(publisher), ["puback"]);
    assertEquals(store.tried, [1, 1]);
    store.answer();
    await settle(stage);
    assertEquals([types(publisher), stage.core.backlogBytes], [["puback", "pingresp"], 0]);
  }));

test("Driver keeps no connection waiting for ever that is always given more", () =>
  onScene("slow", async ({ stage, store, publisher }) => {
    const exact = stage.accept();
    exact.send(
      connect({ ...LASTING, clientId: "exact" }),
      subscribe(1, [request("a", { qos: 2 })]),
    );
    await settle(stage);
    const arrived: string[] = [];
    for (let id = 1; id <= 6; id++) {
      publisher.send(publish("a", { qos: 2, packetId: id }));
      await settle(stage);
      store.answer();
      await settle(stage);
      arrived.push(types(exact).join(" "));
    }
    assertEquals(arrived, ["connack suback", ...Array(5).fill("publish")]);
  }));

test("Driver tries a failing store again at growing intervals, and says so once each way", () =>
  onScene("failing", ({ stage, store, told, lasting, brief, publisher }) => {
    publisher.send(message(1));
    stage.turn();
    publisher.send(message(2));
    stage.turn();
    assertEquals([publisher, lasting, brief].map(types), [
      [],
      ["publish", "publish"],
      ["publish", "publish"],
    ]);
    for (let i = 0; i < 20; i++) {
      stage.timers.advance(500);
      stage.turn();
    }
    // After 100 ms, 200, 400 … and the same batch each time.
    assertEquals(store.tried, [1, 1, 1, 1, 1, 1, 1]);
    assertEquals([types(publisher), told], [[], ["failing: Disk full"]]);
    store.manner = "prompt";
    stage.timers.advance(10_000);
    stage.turn();
    assertEquals(types(publisher), ["puback", "puback"]);
    assertEquals([told, store.tried.slice(7)], [["failing: Disk full", "recovered"], [1, 1]]);
    stage.driver.publish(publish("a", { qos: 1 }));
    stage.turn();
    assertEquals([told.length, types(lasting)], [2, ["publish"]]);
  }));

test("Driver takes a promise that is broken for a failure too, and tries the same again", () =>
  onScene("slow", async ({ stage, store, told, publisher }) => {
    publisher.send(message(1));
    await settle(stage);
    store.refuse();
    await settle(stage);
    assertEquals([types(publisher), told], [[], ["failing: Disk full"]]);
    stage.timers.advance(100);
    await settle(stage);
    store.answer();
    await settle(stage);
    assertEquals([types(publisher), store.tried], [["puback"], [1, 1]]);
    assertEquals(told, ["failing: Disk full", "recovered"]);
  }));

test("B-55 Driver reads nothing more once too much waits for a store that never answers", () =>
  onScene("slow", async ({ stage, store, told, publisher, brief }) => {
    const payload = "x".repeat(100);
    for (let id = 1; id <= 50; id++) {
      publisher.send(publish("a", { qos: 1, packetId: id, payload }));
    }
    await settle(stage);
    assertEquals(publisher.calls, ["pause"]);
    const counted = brief.take().length;
    assertEquals(counted < 20, true);
    publisher.send({ type: "pingreq" });
    stage.timers.advance(60_000);
    await settle(stage);
    assertEquals([publisher.calls, types(publisher)], [["pause"], []]);
    assertEquals(told, ["failing: It has not answered for long"]);
    while (store.waiting > 0) {
      store.answer();
      await settle(stage);
    }
    assertEquals(types(publisher), [...Array(50).fill("puback"), "pingresp"]);
    assertEquals([counted + brief.take().length, publisher.calls.at(-1)], [50, "resume"]);
    assertEquals(told, ["failing: It has not answered for long", "recovered"]);
  }, { uncommittedBytesMax: 3000 }));

test("B-55 Driver closes connections whose last bytes the store holds back, without them", () =>
  onScene("failing", async ({ stage, publisher, store }) => {
    publisher.send(message(1));
    stage.turn();
    publisher.handler!.onBytes(Uint8Array.of(0, 0));
    stage.turn();
    assertEquals(publisher.calls, []);
    stage.timers.advance(5000);
    assertEquals([publisher.calls, types(publisher)], [["abort"], []]);
    publisher.end();
    store.manner = "prompt";
    stage.timers.advance(20_000);
    await settle(stage);
    assertEquals([stage.core.hasChanges, stage.core.backlogBytes], [false, 0]);
  }));

test("Driver forgets bytes that were held for somebody who has gone", () =>
  onScene("slow", async ({ stage, store, publisher }) => {
    publisher.send(message(1));
    await settle(stage);
    publisher.end();
    store.answer();
    await settle(stage);
    assertEquals([types(publisher), stage.core.backlogBytes, stage.core.connectionCount], [
      [],
      0,
      2,
    ]);
  }));

test("Driver.stop() is the end of turns, also for what is recorded after it", () =>
  onScene("prompt", async ({ stage, lasting, brief, publisher }) => {
    for (const transport of [lasting, brief, publisher]) transport.end();
    await settle(stage);
    await stage.driver.stop();
    stage.driver.publish({ topic: "late", payload: new Uint8Array(1), retain: true });
    for (let i = 0; i < 10; i++) stage.tasks.shift()?.();
    assertEquals(stage.tasks.length, 0);
  }, { uncommittedBytesMax: 1 }));

test("Driver.stop() has everything committed before it resolves, and waits for no dead store", () =>
  onScene("slow", async ({ stage, store, lasting, brief, publisher }) => {
    publisher.send(message(1));
    await settle(stage);
    const stopped = stage.driver.stop().then(() => "stopped");
    for (const client of [lasting, brief]) client.end();
    store.answer();
    await settle(stage);
    assertEquals([types(publisher), publisher.calls], [["puback"], ["close"]]);
    publisher.end();
    while (store.waiting > 0) {
      store.answer();
      await settle(stage);
    }
    assertEquals(await stopped, "stopped");
    assertEquals(stage.timers.pending, []);
    const records = [...store.load()].map(({ kind }) => kind);
    assertEquals(records, ["session-set", "subscription-set", "delivery-sent"]);
  }).then(() =>
    onScene("failing", async ({ stage, store, lasting, brief, publisher }) => {
      publisher.send(message(1));
      stage.turn();
      const stopped = stage.driver.stop().then(() => "stopped");
      for (const client of [lasting, brief]) client.end();
      stage.timers.advance(5000);
      assertEquals([types(publisher), publisher.calls], [[], ["abort"]]);
      publisher.end();
      assertEquals(await stopped, "stopped");
      assertEquals([stage.timers.pending, store.manner], [[], "failing"]);
    })
  ));

test("Driver reads a queue back from the store as it is sent, prompt, slow or failing", async () => {
  for (const manner of ["prompt", "slow", "failing"] as const) {
    await onScene("prompt", async ({ stage, store, lasting, publisher }) => {
      lasting.end();
      const all = Array.from({ length: 20 }, (_, i) => `${i + 1}`);
      all.forEach((_, i) => publisher.send(message(i + 1)));
      stage.turn();
      store.manner = manner;
      const back = stage.accept();
      back.send(connect({ ...LASTING, clientId: "lasting" }));
      const arrived: string[] = [];
      for (let i = 0; i < 100; i++) {
        await settle(stage);
        if (store.waiting > 0) store.answer();
        if (manner === "failing" && i === 10) store.manner = "prompt";
        stage.timers.advance(1000);
        for (const packet of back.take()) {
          if (packet.type !== "publish") continue;
          arrived.push(new TextDecoder().decode(packet.payload));
          back.send(ack("puback", packet.packetId));
        }
      }
      assertEquals({ manner, arrived }, { manner, arrived: all });
      assertEquals([...store.memory.load()].filter(({ kind }) => kind === "deliveries-left"), []);
    }, { queueWindowMessagesMax: 4, inflightMessagesMax: 2 });
  }
});

test("Driver ends in time what came back from the store, before anybody connects", async () => {
  const store = new FakeStore();
  await onStage({ store }, (stage) => {
    stage.connect({ ...LASTING, clientId: "away" }).end();
    stage.turn();
    // Nobody waits for that to be stored.
    stage.timers.advance(50);
  });
  await onStage({ store }, (stage) => {
    assertEquals([stage.core.sessionCount, stage.timers.pending], [1, [1_000_000]]);
    stage.timers.advance(1_000_050);
    assertEquals([stage.core.sessionCount, [...store.load()]], [0, []]);
  });
});

test("Driver asks about a Will that came back from the store, before anybody connects", async () => {
  const store = new FakeStore();
  const policy: Policy = { ...OPEN_POLICY, publish: () => ASK };
  const properties = {};
  const will = { topic: "w", payload: bytesOf("gone"), qos: 1, retain: true, properties } as const;
  await onStage({ store, policy, ask: () => new Promise(() => {}) }, (stage) => {
    stage.connect({ clientId: "gone", will }).end();
    stage.turn();
  });
  const ask = (): Promise<Answer> =>
    Promise.resolve({ kind: "publish", reasonCode: ReasonCode.SUCCESS });
  await onStage({ store, policy, ask }, async (stage) => {
    await settle(stage);
    assertEquals(stage.core.retainedCount, 1);
    assertEquals([...store.load()].map(({ kind }) => kind), ["retained-set"]);
  });
});

test("Driver goes without a store as it always did", () =>
  onStage({}, (stage) => {
    const client = stage.connect(LASTING);
    client.send(subscribe(1, [request("a", { qos: 2 })]), publish("a", { qos: 2, packetId: 1 }));
    stage.turn();
    assertEquals(types(client), ["suback", "publish", "pubrec"]);
    assertEquals(stage.core.hasChanges, false);
  }));
