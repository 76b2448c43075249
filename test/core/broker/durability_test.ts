// Brokers that are killed at any moment and come back from their store: what they have acknowledged
// is there, and nothing of QoS 2 comes twice. The clients are honest and remember everything.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { DEFAULT_LISTENER } from "../../../src/core/broker/limits.ts";
import { ASK, OPEN_POLICY, type Policy } from "../../../src/core/broker/question.ts";
import type { QoS } from "../../../src/core/codec/protocol.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { MemoryStore } from "../../../src/store/memory_store.ts";
import { test } from "../../harness.ts";
import { HonestClient } from "../../support/honest_client.ts";
import { ack, bytesOf, publish, request, subscribe } from "../../support/packets.ts";
import { VirtualBroker } from "../../support/virtual_broker.ts";

const LIMITS = {
  inflightMessagesMax: 3,
  queuedMessagesMax: 0,
  queueWindowMessagesMax: 3,
  queueWindowBytesTotalMax: 400,
};

const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };

type Step =
  | { readonly kind: "publish"; readonly who: number; readonly qos: QoS; readonly retain: boolean }
  | { readonly kind: "read" | "drop" | "connect"; readonly who: number }
  | { readonly kind: "begin commit" | "commit" }
  | {
    readonly kind: "kill";
    /** What was on its way to the clients arrives after its sender has died. */
    readonly isHeard: boolean;
    /** What was on its way to the store becomes durable all the same. */
    readonly isCommitted: boolean;
  };

const who = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      who: fc.nat(1),
      qos: fc.constantFrom<QoS>(1, 2),
      retain: fc.boolean(),
    }),
  },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant("read" as const), who }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("drop" as const, "connect" as const), who }),
  },
  {
    weight: 9,
    arbitrary: fc.record({ kind: fc.constantFrom("begin commit" as const, "commit" as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("kill" as const),
      isHeard: fc.boolean(),
      isCommitted: fc.boolean(),
    }),
  },
);

/** A broker on a store, its clients, and what they have published. */
class World {
  readonly store = new MemoryStore();
  readonly published: string[] = [];
  /** The last one of each topic that was to be retained. */
  readonly retained: Map<string, string> = new Map();
  readonly clients = [
    new HonestClient("one"),
    new HonestClient("two"),
    new HonestClient("exact", "a/+", 2),
    new HonestClient("often", "a/+", 1),
  ];
  broker: VirtualBroker;
  #life = 0;

  constructor() {
    this.broker = this.#start(0);
    for (const client of this.clients) client.connect(this.broker);
    this.settle();
  }

  act(step: Step): void {
    switch (step.kind) {
      case "publish":
        return this.#publish(step.who, step.qos, step.retain);
      case "read":
        this.clients[step.who]!.read();
        return;
      case "drop":
        return this.clients[step.who]!.drop();
      case "connect":
        return this.clients[step.who]!.connect(this.broker);
      case "begin commit":
        return this.broker.beginCommit();
      case "commit":
        return this.broker.commit();
      case "kill":
        for (const client of this.clients) {
          if (step.isHeard) client.read();
          client.forget();
        }
        if (step.isCommitted) this.broker.commitUnheard();
        this.broker = this.#start(this.broker.now);
        for (const client of this.clients) client.connect(this.broker);
    }
  }

  /** Everybody comes back, and goes on until nobody has anything left to say. */
  settle(): void {
    for (const client of this.clients) client.connect(this.broker);
    for (let isBusy = true; isBusy;) {
      this.broker.commit();
      const haveRead = this.clients.map((client) => client.read());
      isBusy = haveRead.includes(true) || this.broker.core.hasChanges;
    }
  }

  /** What a stranger is given who asks for all that is retained. */
  askRetained(): string[] {
    const stranger = this.broker.connect({ clientId: "stranger" });
    this.broker.commit();
    return stranger.exchange(subscribe(1, [request("a/+")])).flatMap((packet) =>
      packet.type === "publish" ? new TextDecoder().decode(packet.payload) : []
    );
  }

  #publish(who: number, qos: QoS, retain: boolean): void {
    const payload = `${who}:${qos}:${this.published.length}`;
    // A QoS 1 message may come again behind a later one of QoS 2.
    const topic = `a/${who}${qos}`;
    const isSent = this.clients[who]!.publish(topic, payload, qos, retain);
    if (!isSent) return;
    this.published.push(payload);
    if (retain) this.retained.set(topic, payload);
  }

  #start(now: number): VirtualBroker {
    const { store } = this;
    const options = { limits: LIMITS, holdsCommits: true, seed: ++this.#life, now };
    const broker = new VirtualBroker({ ...options, store });
    broker.core.restore(store.load(), now);
    return broker;
  }
}

test("A broker that is killed at any moment loses nothing that it acknowledged, and QoS 2 comes once [MQTT-4.3.2-2] [MQTT-4.3.3-1] [MQTT-4.6.0-5]", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 250 }), (steps) => {
      const world = new World();
      for (const step of steps) world.act(step);
      world.settle();
      const [one, two, exact, often] = world.clients;
      assertEquals(world.clients.map(({ owed }) => owed), [0, 0, 0, 0]);
      const all = world.published;
      assertEquals(all.filter((payload) => !often!.received.includes(payload)), []);
      assertEquals(all.filter((payload) => !exact!.received.includes(payload)), []);
      // In the order of each publisher, and once.
      for (const who of ["0", "1"]) {
        const exactly = (payload: string) => payload.startsWith(`${who}:2`);
        assertEquals(exact!.received.filter(exactly), all.filter(exactly));
      }
      assertEquals([...one!.received, ...two!.received], []);
      assertEquals(world.askRetained().sort(), [...world.retained.values()].sort());
    }),
    { numRuns: 500 },
  );
});

test("B-32 QoS 2 identifiers that are open when the broker dies deliver nothing again [MQTT-4.3.3-10]", () => {
  const store = new MemoryStore();
  const count = 3000;
  const sender = { clientId: "sender", ...LASTING };
  const heir = { clientId: "heir", ...LASTING };
  const limits = { queuedMessagesMax: 0, receiveMaximum: 0 };
  let broker = new VirtualBroker({ store, limits });
  broker.connect(heir).send(subscribe(1, [request("open", { qos: 2 })]));
  const all = Array.from(
    { length: count },
    (_, i) => publish("open", { qos: 2, packetId: i + 1, payload: `${i + 1}` }),
  );
  for (let life = 0; life < 3; life++) {
    const client = broker.connect(sender);
    // All again from the first on, as whoever lost the answers has to.
    client.send(...all.slice(0, count * (life + 1) / 3));
    const answers = client.take().map((packet) => packet.type === "pubrec" && packet.reasonCode);
    assertEquals(answers, Array(count * (life + 1) / 3).fill(0));
    const { limits, now } = {
      limits: { queuedMessagesMax: 0, receiveMaximum: 0 },
      now: broker.now,
    };
    broker = new VirtualBroker({ store, limits, now });
    broker.core.restore(store.load(), now);
  }
  const got = broker.connect(heir).settle().flatMap((packet) =>
    packet.type === "publish" ? [new TextDecoder().decode(packet.payload)] : []
  );
  assertEquals(got, all.map((_, i) => `${i + 1}`));
});

test("A broker that dies while somebody is asked about a message has not received it [MQTT-4.3.3-10]", () => {
  const store = new MemoryStore();
  const policy: Policy = { ...OPEN_POLICY, publish: () => ASK };
  const message = { qos: 2, packetId: 7, payload: "precious" } as const;
  const dying = new VirtualBroker({ store, policy });
  dying.connect({ clientId: "publisher", ...LASTING }).send(publish("t", message));
  const broker = new VirtualBroker({ store, policy });
  broker.core.restore(store.load(), broker.now);
  const subscriber = broker.connect({ clientId: "subscriber" });
  subscriber.exchange(subscribe(1, [request("t")]));
  const publisher = broker.connect({ clientId: "publisher", ...LASTING });
  publisher.send(publish("t", { ...message, dup: true }));
  broker.answer({ kind: "publish", reasonCode: ReasonCode.SUCCESS });
  assertEquals(publisher.take(), [ack("pubrec", 7)]);
  assertEquals(subscriber.take(), [publish("t", { payload: "precious" })]);
});

test("A Will that is being decided about when its session ends survives the broker", () => {
  const store = new MemoryStore();
  const asked: unknown[] = [];
  const policy: Policy = {
    ...OPEN_POLICY,
    publish: ({ clientId, username, listener }, topic) => {
      if (topic === "w") asked.push([clientId, username, listener?.name]);
      return topic === "w" ? ASK : ReasonCode.SUCCESS;
    },
  };
  const listener = { ...DEFAULT_LISTENER, name: "1884" };
  const will = {
    topic: "w",
    payload: bytesOf("gone"),
    qos: 1,
    retain: true,
    properties: {},
  } as const;
  const heir = { clientId: "heir", ...LASTING };
  const restarted = (now: number): VirtualBroker => {
    const broker = new VirtualBroker({ store, policy, now });
    broker.core.restore(store.load(), now, [listener]);
    broker.endTurn();
    return broker;
  };
  const dying = new VirtualBroker({ store, policy });
  dying.connect(heir).send(subscribe(1, [request("w", { qos: 1 })]));
  // One session expires, one is replaced by a new one of its name, one ends with its connection.
  const brief = { cleanStart: false, properties: { sessionExpiryInterval: 1 } };
  dying.connect({ clientId: "expires", username: "u", ...brief, will }, { listener }).drop();
  dying.connect({ clientId: "replaced", ...LASTING, will });
  dying.connect({ clientId: "replaced", cleanStart: true });
  dying.connect({ clientId: "ends", will }).drop();
  dying.advance(2000);
  assertEquals(dying.core.sessionCount, 2);
  asked.length = 0;
  // Nobody answers; and again nobody.
  restarted(dying.now);
  const owners = [["expires", "u", "1884"], ["replaced", undefined, undefined], [
    "ends",
    undefined,
    undefined,
  ]];
  assertEquals(asked.splice(0), owners);
  const broker = restarted(dying.now);
  assertEquals(asked.splice(0), owners);
  const reasonCodes = [ReasonCode.SUCCESS, ReasonCode.NOT_AUTHORIZED, ReasonCode.SUCCESS];
  for (const reasonCode of reasonCodes) broker.answer({ kind: "publish", reasonCode });
  const payloads = broker.connect(heir).take().filter(({ type }) => type === "publish");
  assertEquals(payloads.length, 2);
  // They are over, once and for all.
  restarted(dying.now);
  assertEquals(asked, []);
  assertEquals([...store.load()].filter(({ kind }) => kind === "undecided-will-set"), []);
});

test("That nothing is retained any more is acknowledged once it is durable, whoever removed it [MQTT-4.3.2-2]", () => {
  const store = new MemoryStore();
  const broker = new VirtualBroker({ store, holdsCommits: true });
  const client = broker.connect({ clientId: "client" });
  client.send(publish("t", { retain: true, payload: "old" }));
  broker.commit();
  client.send(publish("t", { retain: true }), publish("t", { retain: true, qos: 1, packetId: 1 }));
  assertEquals(client.take(), []);
  broker.commit();
  assertEquals(client.take(), [ack("puback", 1, ReasonCode.NO_MATCHING_SUBSCRIBERS)]);
  assertEquals([...store.load()], []);
});

test("B-34 A firehose into a session that is away takes a window of memory, and the store the rest", () => {
  const store = new MemoryStore();
  const limits = { queuedMessagesMax: 20_000, queueWindowMessagesMax: 50 };
  const broker = new VirtualBroker({ store, limits });
  const client = broker.connect({ clientId: "away", ...LASTING });
  client.send(subscribe(1, [request("hose", { qos: 1 })]));
  client.drop();
  for (let i = 0; i < 25_000; i++) broker.publish("hose", { qos: 1, payload: "12345678" });
  const { core } = broker;
  assertEquals([core.storedCount, core.storedBytes], [20_000, 160_000]);
  assertEquals(client.connection.session!.queue.loadedCount, 50);
  assertEquals(core.counters.publishDropped, 5000);
  const back = broker.connect({ clientId: "away", ...LASTING });
  let most = 0;
  let count = 0;
  for (let packets = back.take(); packets.length > 0; packets = back.take()) {
    most = Math.max(most, back.connection.session!.queue.loadedCount);
    for (const packet of packets) {
      if (packet.type !== "publish") continue;
      count++;
      back.send(ack("puback", packet.packetId));
    }
  }
  assertEquals([count, most <= 50, core.storedCount, core.storedBytes], [20_000, true, 0, 0]);
});
