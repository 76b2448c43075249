// The journal read back: a fresh broker that has replayed all changes stands where the old one
// would, had all its connections merely dropped.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { DEFAULT_LISTENER } from "../../../src/core/broker/limits.ts";
import { type Client, OPEN_POLICY } from "../../../src/core/broker/question.ts";
import type { Delivery } from "../../../src/core/session/delivery.ts";
import type { ListenerSettings } from "../../../src/core/session/peer.ts";
import { MemoryStore } from "../../../src/store/memory_store.ts";
import type { StoredRecord } from "../../../src/core/broker/change.ts";
import type { Packet } from "../../../src/core/codec/packet.ts";
import type { QoS } from "../../../src/core/codec/protocol.ts";
import { test } from "../../harness.ts";
import {
  ack,
  disconnect,
  publish,
  request,
  subscribe,
  unsubscribe,
  will,
} from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

const LIMITS = { inflightMessagesMax: 4, queuedMessagesMax: 12 };
const FILTERS = ["a", "b", "+", "$share/g/a", "$share/g/+"];
const NAMES = ["one", "two", "three"];

/** One step of somebody, drawn at random. */
type Step =
  | { readonly kind: "subscribe"; readonly who: number; readonly filter: number; readonly qos: QoS }
  | { readonly kind: "unsubscribe"; readonly who: number; readonly filter: number }
  | {
    readonly kind: "publish";
    readonly topic: string;
    readonly qos: QoS;
    readonly retain: boolean;
  }
  | { readonly kind: "send"; readonly who: number; readonly packetId: number }
  | { readonly kind: "release"; readonly who: number; readonly packetId: number }
  | { readonly kind: "acknowledge"; readonly who: number; readonly count: number }
  | { readonly kind: "drop" | "resume" | "renew" | "leave"; readonly who: number }
  | { readonly kind: "wait"; readonly ms: number };

const who = fc.nat(NAMES.length - 1);
const filter = fc.nat(FILTERS.length - 1);
const qos = fc.constantFrom<QoS>(0, 1, 2);
const packetId = fc.integer({ min: 1, max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("subscribe" as const), who, filter, qos }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("unsubscribe" as const), who, filter }) },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      topic: fc.constantFrom("a", "b"),
      qos,
      retain: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("send" as const), who, packetId }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("release" as const), who, packetId }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("acknowledge" as const),
      who,
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("drop" as const, "resume" as const, "resume" as const),
      who,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("renew" as const, "leave" as const), who }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1, 400_000) }),
  },
);

/** Clients that do what the steps say. */
class Actors {
  readonly broker: VirtualBroker;
  readonly clients: (VirtualClient | undefined)[] = NAMES.map(() => undefined);
  /** What each has been sent and not acknowledged in full. */
  readonly #owed: Packet[][] = NAMES.map(() => []);
  #serial = 0;

  constructor(broker: VirtualBroker) {
    this.broker = broker;
  }

  connect(who: number, cleanStart = false): VirtualClient {
    this.drop(who);
    const client = this.broker.connect({
      clientId: NAMES[who]!,
      cleanStart,
      properties: { sessionExpiryInterval: 1000 },
    });
    this.clients[who] = client;
    return client;
  }

  drop(who: number): void {
    this.clients[who]?.drop();
    this.clients[who] = undefined;
    this.#owed[who] = [];
  }

  act(step: Step): void {
    if (step.kind === "publish") {
      const { topic, qos, retain } = step;
      this.broker.publish(topic, { qos, retain, payload: `${++this.#serial}` });
      return;
    }
    if (step.kind === "wait") return this.broker.advance(step.ms);
    const client = this.clients[step.who] ?? this.connect(step.who);
    switch (step.kind) {
      case "subscribe": {
        // Retained messages are not of interest here: what is owed of them is not in the journal.
        const options = { qos: step.qos, retainHandling: 2 } as const;
        return client.send(subscribe(9, [request(FILTERS[step.filter]!, options)]));
      }
      case "unsubscribe":
        return client.send(unsubscribe(9, [FILTERS[step.filter]!]));
      case "send": {
        const payload = `${++this.#serial}`;
        return client.send(publish("a", { qos: 2, packetId: step.packetId, payload }));
      }
      case "release":
        return client.send(ack("pubrel", step.packetId));
      case "acknowledge":
        return this.#acknowledge(step.who, client, step.count);
      case "drop":
        return this.drop(step.who);
      case "resume":
        this.connect(step.who);
        return;
      case "renew":
        this.connect(step.who, true);
        return;
      case "leave":
        client.send(disconnect(0, { sessionExpiryInterval: 0 }));
        this.clients[step.who] = undefined;
        this.#owed[step.who] = [];
    }
  }

  #acknowledge(who: number, client: VirtualClient, count: number): void {
    const owed = this.#owed[who]!;
    for (let i = 0; i < count; i++) {
      owed.push(...client.take());
      const packet = owed.shift();
      if (packet?.type === "publish" && packet.qos === 1) {
        client.send(ack("puback", packet.packetId));
      }
      if (packet?.type === "publish" && packet.qos === 2) {
        client.send(ack("pubrec", packet.packetId));
      }
      if (packet?.type === "pubrel") client.send(ack("pubcomp", packet.packetId));
    }
  }
}

/** What each client gets when it comes back, and what the broker holds besides. */
function aftermath(broker: VirtualBroker): unknown {
  const observer = broker.connect({ clientId: "observer" });
  observer.send(subscribe(1, [request("again")]));
  observer.take();
  const sessions = NAMES.map((clientId) => {
    const properties = { sessionExpiryInterval: 1000 };
    const client = broker.connect({ clientId, cleanStart: false, properties });
    const first = client.take();
    const releases = first.flatMap((packet) => packet.type === "pubrel" ? packet.packetId : []);
    for (const packet of first) answer(client, packet);
    const publishes = [...first, ...client.settle()].flatMap((packet) => {
      // Whose turn it is in a share is nobody's promise, so "again" below may wait for anybody.
      if (packet.type !== "publish" || packet.topic === "again") return [];
      // Identifiers given out from now on are nobody's business.
      return [{ ...packet, packetId: packet.dup ? packet.packetId : 0 }];
    });
    // What the client sends again is a repetition if its identifier is still held.
    const again = [1, 2, 3].map((packetId) => {
      client.send(publish("again", { qos: 2, packetId, dup: true }));
      client.settle();
      return observer.take().length;
    });
    return { present: client.connack?.sessionPresent, releases, publishes, again };
  });
  const reader = broker.connect({ clientId: "reader" });
  const retained = reader.exchange(subscribe(1, [request("#")]));
  const { sessionCount, subscriptionCount, retainedCount } = broker.core;
  return { sessions, retained, sessionCount, subscriptionCount, retainedCount };
}

function answer(client: VirtualClient, packet: Packet): void {
  if (packet.type === "publish" && packet.qos === 1) client.send(ack("puback", packet.packetId));
  if (packet.type === "publish" && packet.qos === 2) client.send(ack("pubrec", packet.packetId));
  if (packet.type === "pubrel") client.send(ack("pubcomp", packet.packetId));
}

function restored(changes: readonly StoredRecord[], now: number, options = {}): VirtualBroker {
  const broker = new VirtualBroker({ limits: LIMITS, now, seed: 2, ...options });
  // The broker that has recorded them goes on with its own.
  const records = changes.map((change) =>
    "delivery" in change ? { ...change, delivery: { ...change.delivery } } : change
  );
  broker.core.restore(records, now);
  broker.endTurn();
  return broker;
}

/** A store that has lost every queue. */
class ForgetfulStore extends MemoryStore {
  override loadDeliveries(): Delivery[] {
    return [];
  }
}

test("restore() gives what was there, whatever has happened: nothing is lost, nothing comes twice [MQTT-4.1.0-1] [MQTT-4.3.3-10]", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), (steps) => {
      const broker = new VirtualBroker({ limits: LIMITS, keepsJournal: true });
      const actors = new Actors(broker);
      for (const step of steps) actors.act(step);
      const fresh = restored([...broker.changes], broker.now);
      NAMES.forEach((_, who) => actors.drop(who));
      assertEquals(aftermath(fresh), aftermath(broker));
    }),
    { numRuns: 150 },
  );
});

test("restore() of a restored broker's journal goes on where the first one ended", () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 60 }),
      fc.array(step, { minLength: 1, maxLength: 60 }),
      (before, after) => {
        const first = new VirtualBroker({ limits: LIMITS, keepsJournal: true });
        const actors = new Actors(first);
        for (const step of before) actors.act(step);
        const second = restored([...first.changes], first.now, { keepsJournal: true });
        // Replaying is no change but in that connections are gone now.
        const ends = ["session-set", "will-set"];
        assertEquals(second.changes.filter(({ kind }) => !ends.includes(kind)), []);
        const successors = new Actors(second);
        for (const step of after) successors.act(step);
        const third = restored([...first.changes, ...second.changes], second.now);
        NAMES.forEach((_, who) => successors.drop(who));
        assertEquals(aftermath(third), aftermath(second));
      },
    ),
    { numRuns: 60 },
  );
});

test("restore() lets sessions end when they would have, those that were connected from now on", () => {
  const broker = new VirtualBroker({ keepsJournal: true });
  const lasting = (clientId: string) =>
    broker.connect({ clientId, properties: { sessionExpiryInterval: 10 } });
  lasting("away").drop();
  lasting("here");
  broker.connect({ clientId: "for ever", protocolVersion: 4, cleanStart: false });
  broker.connect({ clientId: "brief" });
  broker.advance(4000);
  const fresh = restored(broker.changes, broker.now);
  assertEquals(fresh.core.sessionCount, 3);
  fresh.advance(5999);
  assertEquals(fresh.core.sessionCount, 3);
  fresh.advance(1);
  assertEquals(fresh.core.sessionCount, 2);
  fresh.advance(4000);
  assertEquals([fresh.core.sessionCount, fresh.core.nextDeadline], [1, Infinity]);
});

test("restore() records when those end that were connected, so that a second one does not start anew", () => {
  const store = new MemoryStore();
  const broker = new VirtualBroker({ keepsJournal: true });
  broker.connect({
    clientId: "here",
    will: will("w", { properties: { willDelayInterval: 5 } }),
    properties: { sessionExpiryInterval: 10 },
  });
  store.commit(broker.takeChanges());
  const second = new VirtualBroker({ keepsJournal: true });
  second.core.restore(store.load(), 0);
  second.endTurn();
  store.commit(second.takeChanges());
  const ends = [...store.load()].flatMap((record) =>
    record.kind === "session-set"
      ? [record.endsAt]
      : record.kind === "will-set"
      ? [record.dueAt]
      : []
  );
  assertEquals(ends, [10_000, 5000]);
});

test("restore() publishes Wills after their delay, of those that were connected from now on", () => {
  const broker = new VirtualBroker({ keepsJournal: true });
  const leave = (clientId: string, willDelayInterval: number, expiry = 60) =>
    broker.connect({
      clientId,
      will: will("w", { payload: clientId, properties: { willDelayInterval } }),
      properties: { sessionExpiryInterval: expiry },
    });
  leave("waiting", 10).drop();
  leave("delayed", 10);
  leave("now", 0);
  leave("brief", 0, 0);
  leave("calm", 0).send(disconnect());
  broker.connect({ clientId: "heir", cleanStart: false, properties: { sessionExpiryInterval: 60 } })
    .send(subscribe(1, [request("w")]));
  broker.advance(4000);
  const fresh = restored(broker.changes, broker.now);
  const heir = fresh.connect({ clientId: "heir", cleanStart: false });
  const published = (ms: number) => {
    fresh.advance(ms);
    return heir.take().map((packet) =>
      packet.type === "publish" && new TextDecoder().decode(packet.payload)
    );
  };
  assertEquals([published(0), published(5999), published(1)], [["now"], [], ["waiting"]]);
  assertEquals([published(3999), published(1), published(1e9)], [[], ["delayed"], []]);
});

test("A Will whose client is back in time after restore() is not published", () => {
  const broker = new VirtualBroker({ keepsJournal: true });
  const properties = { sessionExpiryInterval: 60 };
  const properties10 = { willDelayInterval: 10 };
  broker.connect({ properties, will: will("w", { retain: true, properties: properties10 }) });
  const fresh = restored(broker.changes, broker.now);
  fresh.connect({ properties, cleanStart: false });
  fresh.advance(1e9);
  assertEquals(fresh.core.retainedCount, 0);
});

test("restore() gives retained messages to new subscriptions, and their removal counts", () => {
  const broker = new VirtualBroker({ keepsJournal: true });
  for (const topic of ["a", "b", "c"]) broker.publish(topic, { retain: true, payload: "1" });
  broker.publish("a", { retain: true, payload: "2" });
  broker.publish("b", { retain: true });
  const fresh = restored(broker.changes, broker.now);
  assertEquals(fresh.core.retainedCount, 2);
  const client = fresh.connect();
  const given = client.exchange(subscribe(1, [request("a"), request("b"), request("c")])).slice(1);
  assertEquals(given, [
    publish("a", { retain: true, payload: "2" }),
    publish("c", { retain: true, payload: "1" }),
  ]);
});

test("restore() goes on with retained messages that a subscription is owed, where it was [MQTT-3.3.1-9]", () => {
  const limits = { inflightMessagesMax: 2 };
  const store = new MemoryStore();
  const broker = new VirtualBroker({ store, limits });
  const topics = Array.from({ length: 9 }, (_, i) => `r/${i}`);
  for (const topic of topics) broker.publish(topic, { retain: true, qos: 2, payload: topic });
  const lasting = { clientId: "reader", properties: { sessionExpiryInterval: 60 } };
  const reader = broker.connect({ ...lasting, cleanStart: true });
  reader.send(subscribe(1, [request("r/+", { qos: 2 })]));
  const first = reader.take();
  for (const packet of first) answer(reader, packet);
  // It is given no more than it has room for, and now these are replaced: they went out live.
  const again = reader.take();
  broker.publish("r/0", { retain: true, qos: 2, payload: "new" });
  const fresh = restored([...store.load()], broker.now, { limits, store });
  const back = fresh.connect({ ...lasting, cleanStart: false });
  const given = [...first, ...again, ...back.settle()].flatMap((packet) =>
    packet.type === "publish" ? [new TextDecoder().decode(packet.payload)] : []
  );
  assertEquals([...new Set(given)].sort(), ["new", ...topics].sort());
  const repeated = back.settle();
  assertEquals(repeated, []);
  const late = fresh.connect({ clientId: "late" });
  assertEquals(late.exchange(subscribe(1, [request("r/0")])).slice(1), [
    publish("r/0", { retain: true, payload: "new" }),
  ]);
});

test("restore() judges sessions by the listener that they came in by, or by one that grants nothing", () => {
  const seen: (ListenerSettings | undefined)[] = [];
  const policy = {
    ...OPEN_POLICY,
    deliver: (client: Client) => {
      seen.push(client.listener);
      return true;
    },
  };
  const store = new MemoryStore();
  const broker = new VirtualBroker({ store });
  const named = (name: string) => ({ ...DEFAULT_LISTENER, name });
  const [kept, gone, first, second] = ["1883", "1884", "1885", "1885"].map(named);
  for (const [clientId, listener] of Object.entries({ kept, gone, twice: first, own: undefined })) {
    const client = broker.connect(
      { clientId, properties: { sessionExpiryInterval: 60 } },
      listener === undefined ? {} : { listener },
    );
    client.send(subscribe(1, [request("a", { qos: 1 })]));
  }
  const fresh = new VirtualBroker({ policy });
  fresh.core.restore(store.load(), broker.now, [kept!, first!, second!]);
  fresh.publish("a", { qos: 1 });
  const names = seen.map((listener) => listener?.name ?? "").sort();
  assertEquals(names, ["", "1883", "1884", "1885"]);
  assertEquals([kept, gone, first, second].map((one) => seen.includes(one)), [
    true,
    false,
    false,
    false,
  ]);
});

test("restore() knows of which version a client was, where that decides about copies", () => {
  const limits = { allowsDuplicateMessages: false };
  const store = new MemoryStore();
  const broker = new VirtualBroker({ store, limits });
  const stays = { clientId: "old", protocolVersion: 4, cleanStart: false } as const;
  const client = broker.connect(stays);
  client.send(subscribe(1, [request("a", { qos: 1 }), request("+", { qos: 1 })]));
  const fresh = restored([...store.load()], broker.now, { limits });
  fresh.publish("a", { qos: 1 });
  assertEquals(fresh.connect(stays).take().length, 1);
});

test("A long queue waits in the store, in its order, over restarts and while more comes", () => {
  const limits = { queueWindowMessagesMax: 4, queuedMessagesMax: 0, inflightMessagesMax: 2 };
  const store = new MemoryStore();
  let broker = new VirtualBroker({ store, limits });
  const stays = { clientId: "away", cleanStart: false, properties: { sessionExpiryInterval: 60 } };
  broker.connect(stays).send(subscribe(1, [request("#", { qos: 1 })]));
  let sent = 0;
  const publishSome = () => {
    for (let i = 0; i < 10; i++) broker.publish("a", { qos: 1, payload: `${++sent}` });
  };
  const restart = () => {
    broker = new VirtualBroker({ store, limits, now: broker.now });
    broker.core.restore(store.load(), broker.now);
  };
  const got: string[] = [];
  const read = (client: VirtualClient, count: number) => {
    for (let i = 0; i < count; i++) {
      for (const packet of client.take()) {
        if (packet.type === "publish") got.push(new TextDecoder().decode(packet.payload));
        answer(client, packet);
      }
    }
  };
  restart();
  publishSome();
  publishSome();
  assertEquals(broker.core.storedCount, 20);
  restart();
  assertEquals(broker.core.storedCount, 20);
  const client = broker.connect(stays);
  read(client, 3);
  publishSome();
  read(client, 3);
  client.drop();
  restart();
  publishSome();
  read(broker.connect(stays), 100);
  // What was in flight may come again, nothing else.
  const once = got.filter((payload, i) => got.indexOf(payload) === i);
  assertEquals(once, Array.from({ length: sent }, (_, i) => `${i + 1}`));
  assertEquals([got.length - sent <= 4, broker.core.storedCount], [true, 0]);
});

test("What is missing in the store is counted and reported, and the session goes on", () => {
  const limits = { queueWindowMessagesMax: 2 };
  const broker = new VirtualBroker({ store: new ForgetfulStore(), limits });
  const stays = { clientId: "away", cleanStart: false, properties: { sessionExpiryInterval: 60 } };
  const client = broker.connect(stays);
  client.send(subscribe(1, [request("a", { qos: 1 })]));
  client.drop();
  for (let i = 0; i < 5; i++) broker.publish("a", { qos: 1, payload: `${i}` });
  broker.takeEvents();
  const back = broker.connect(stays);
  assertEquals(back.settle().length, 2);
  const lost = broker.takeEvents().filter(({ kind }) => kind === "deliveries-lost");
  assertEquals(lost, [{ kind: "deliveries-lost", clientId: "away", count: 3 }]);
  assertEquals(broker.core.counters.publishDropped, 3);
  broker.publish("a", { qos: 1, payload: "5" });
  assertEquals(back.settle().length, 1);
});

test("What is left in the store counts against every limit of a queue", () => {
  const limits = { queueWindowMessagesMax: 2, queuedMessagesMax: 5, queuedMessagesTotalMax: 7 };
  const broker = new VirtualBroker({ store: new MemoryStore(), limits });
  const stays = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };
  for (const clientId of ["one", "two"]) {
    const client = broker.connect({ ...stays, clientId });
    client.send(subscribe(1, [request(clientId, { qos: 1 })]));
    client.drop();
    for (let i = 0; i < 10; i++) broker.publish(clientId, { qos: 1 });
  }
  const counts = ["one", "two"].map((clientId) =>
    broker.connect({ ...stays, clientId }).settle().length
  );
  assertEquals([counts, broker.core.counters.publishDropped], [[5, 2], 13]);
  assertEquals(broker.takeEvents().filter(({ kind }) => kind === "dropping").length, 2);
});

test("A session that is to end with its connection is given all that is left in the store", () => {
  const limits = { queueWindowMessagesMax: 2, inflightMessagesMax: 1 };
  const store = new MemoryStore();
  const broker = new VirtualBroker({ store, limits });
  const lasting = {
    clientId: "last",
    cleanStart: false,
    properties: { sessionExpiryInterval: 60 },
  };
  const client = broker.connect(lasting);
  client.send(subscribe(1, [request("a", { qos: 1 })]));
  client.drop();
  const payloads = Array.from({ length: 9 }, (_, i) => `${i}`);
  for (const payload of payloads.slice(0, 7)) broker.publish("a", { qos: 1, payload });
  const last = broker.connect({ clientId: "last", cleanStart: false });
  for (const payload of payloads.slice(7)) broker.publish("a", { qos: 1, payload });
  const given = last.settle().flatMap((packet) =>
    packet.type === "publish" ? [new TextDecoder().decode(packet.payload)] : []
  );
  assertEquals(given, payloads);
  const fresh = restored([...store.load()], broker.now);
  assertEquals(fresh.connect(lasting).connack?.sessionPresent, false);
  last.drop();
  assertEquals([...store.load()], []);
});

test("stop() publishes the Wills that no store keeps; the others wait on", () => {
  const store = new MemoryStore();
  const broker = new VirtualBroker({ store });
  const leave = (clientId: string, willDelayInterval: number, sessionExpiryInterval: number) =>
    broker.connect({
      clientId,
      will: will("w", { payload: clientId, retain: true, properties: { willDelayInterval } }),
      properties: { sessionExpiryInterval },
    });
  leave("waiting", 10, 60).drop();
  leave("delayed", 10, 60);
  leave("brief", 10, 0);
  const heir = broker.connect({ clientId: "heir" });
  heir.send(subscribe(1, [request("w")]));
  heir.take();
  broker.stop();
  const heard = heir.take().flatMap((packet) =>
    packet.type === "publish" ? [new TextDecoder().decode(packet.payload)] : []
  );
  assertEquals(heard, ["brief"]);
  const fresh = restored([...store.load()], broker.now);
  fresh.advance(10_000);
  const late = fresh.connect({ clientId: "late" });
  const [, retained] = late.exchange(subscribe(1, [request("w")]));
  assertEquals(
    retained?.type === "publish" && new TextDecoder().decode(retained.payload),
    "delayed",
  );
});

test("restore() does not bring back a queued message that was denied", () => {
  const gate = { isShut: false };
  const policy = { ...OPEN_POLICY, deliver: () => !gate.isShut };
  const broker = new VirtualBroker({ policy, keepsJournal: true });
  const lasting = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };
  const client = broker.connect(lasting);
  client.send(subscribe(1, [request("a", { qos: 1 })]));
  client.drop();
  broker.publish("a", { qos: 1 });
  gate.isShut = true;
  broker.connect(lasting).drop();
  gate.isShut = false;
  const fresh = restored(broker.changes, broker.now, { policy });
  assertEquals(fresh.connect(lasting).take(), []);
});
