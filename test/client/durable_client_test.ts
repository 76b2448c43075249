// A client with a store: nothing leaves before what it rests on is durable, and whatever instant it
// ends at, the next one with the same store goes on where it was.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Broker } from "../../mod.ts";
import { Client } from "../../src/client/client.ts";
import { ClientError } from "../../src/client/client_error.ts";
import type { ClientEvent, ClientOptions } from "../../src/client/client_options.ts";
import { MemorySessionStore } from "../../src/client/memory_session_store.ts";
import type { SessionChange, SessionStore, StoredSession } from "../../src/client/session_store.ts";
import { prng } from "../../src/core/base/prng.ts";
import { test } from "../harness.ts";
import { ack, bytesOf, connack, disconnect, publish } from "../support/packets.ts";
import { until } from "../support/wait.ts";
import { pipeTo } from "./client_site.ts";
import { ScriptedBroker } from "./scripted_broker.ts";

const decoder = new TextDecoder();
const TOTAL = 60;

const SESSION: ClientOptions = {
  clientId: "me",
  cleanStart: false,
  properties: { sessionExpiryInterval: 3600 },
  reconnect: false,
};

/** A store that commits when the test says so, and not any more after a crash. */
class SlowStore implements SessionStore {
  readonly memory: MemorySessionStore;
  readonly #due: (() => void)[] = [];
  readonly #onCommitted: (changes: readonly SessionChange[]) => void;
  #hasCrashed = false;

  constructor(
    memory: MemorySessionStore = new MemorySessionStore(),
    onCommitted: (changes: readonly SessionChange[]) => void = () => {},
  ) {
    this.memory = memory;
    this.#onCommitted = onCommitted;
  }

  get dueCount(): number {
    return this.#due.length;
  }

  load(): StoredSession {
    return this.memory.load();
  }

  commit(changes: readonly SessionChange[]): Promise<void> {
    return new Promise((resolve) => {
      this.#due.push(() => {
        if (this.#hasCrashed) return;
        this.memory.commit(changes);
        this.#onCommitted(changes);
        resolve();
      });
    });
  }

  /** The oldest commit comes back. */
  finish(): void {
    this.#due.shift()?.();
  }

  crash(): void {
    this.#hasCrashed = true;
  }
}

async function open(store: SessionStore, options: ClientOptions = {}): Promise<
  { broker: ScriptedBroker; client: Client; crash(): Promise<void> }
> {
  const broker = new ScriptedBroker();
  const controller = new AbortController();
  const client = new Client(broker.dial, {
    ...SESSION,
    store,
    signal: controller.signal,
    ...options,
  });
  const opened = client.open();
  await broker.hear();
  broker.say(connack(0, {}, true));
  await opened;
  const crash = async (): Promise<void> => {
    if (store instanceof SlowStore) store.crash();
    controller.abort();
    broker.transport.end();
    await broker.heard();
  };
  return { broker, client, crash };
}

test("Client sends nothing of QoS 1 and 2 before its store has it", async () => {
  const store = new SlowStore();
  const { broker, client } = await open(store);
  let isStored = false;
  const once = client.publish("a", "1", { qos: 2 });
  void client.stored().then(() => isStored = true);
  const free = client.publish("a", "0");
  await until(() => store.dueCount === 1, "the store is asked");
  assertEquals([await broker.heard(), isStored], [[], false]);
  store.finish();
  assertEquals(await broker.hear(2), [
    publish("a", { payload: "1", qos: 2, packetId: 1 }),
    publish("a", { payload: "0" }),
  ]);
  await until(() => isStored, "the client says that it is stored");
  await free;
  broker.say(ack("pubrec", 1), publish("b", { payload: "2", qos: 2, packetId: 7 }));
  await until(() => store.dueCount === 1, "the store is asked");
  assertEquals(await broker.heard(), []);
  assertEquals(store.memory.load().outgoing[0]!.isReceived, false);
  store.finish();
  assertEquals(await broker.hear(2), [ack("pubrel", 1), ack("pubrec", 7)]);
  assertEquals(store.memory.load().heldIds, [7]);
  broker.say(ack("pubcomp", 1), ack("pubrel", 7));
  await once;
  await until(() => store.dueCount === 1, "the store is asked");
  assertEquals(await broker.heard(), []);
  store.finish();
  assertEquals(await broker.hear(), [ack("pubcomp", 7)]);
  assertEquals(store.memory.load(), { outgoing: [], heldIds: [] });
  const left = client.disconnect();
  assertEquals(await broker.hear(), [disconnect()]);
  broker.transport.end();
  await left;
});

test("Client goes on where the one before it ended, in the order of publishing [MQTT-4.4.0-1]", async () => {
  const store = new MemorySessionStore();
  const first = await open(store, { inflightMax: 3 });
  const properties = { contentType: "x", messageExpiryInterval: 100 };
  for (const [payload, qos] of [["1", 1], ["2", 2], ["3", 2], ["4", 1], ["5", 2]] as const) {
    assertRejects(() => first.client.publish("a", payload, { qos, properties }));
  }
  await first.broker.hear(3);
  first.broker.say(ack("pubrec", 2), publish("b", { payload: "x", qos: 2, packetId: 9 }));
  assertEquals(await first.broker.hear(2), [ack("pubrel", 2), ack("pubrec", 9)]);
  await first.crash();

  const shown: string[] = [];
  const second = await open(store, {
    onMessage: ({ payload }) => void shown.push(decoder.decode(payload)),
  });
  const again = (payload: string, qos: 1 | 2, packetId: number, dup: boolean) =>
    publish("a", { payload, qos, packetId, dup, properties });
  assertEquals(await second.broker.hear(5), [
    again("1", 1, 1, true),
    ack("pubrel", 2),
    again("3", 2, 3, true),
    again("4", 1, 4, false),
    again("5", 2, 5, false),
  ]);
  // What was received once is not shown again, and its identifier is free after PUBREL.
  second.broker.say(publish("b", { payload: "x", qos: 2, packetId: 9, dup: true }));
  assertEquals(await second.broker.hear(), [ack("pubrec", 9)]);
  second.broker.say(ack("pubrel", 9), publish("b", { payload: "y", qos: 2, packetId: 9 }));
  assertEquals(await second.broker.hear(2), [ack("pubcomp", 9), ack("pubrec", 9)]);
  assertEquals(shown, ["y"]);
  second.broker.say(ack("puback", 1), ack("pubcomp", 2), ack("pubrec", 3), ack("puback", 4));
  assertEquals(await second.broker.hear(), [ack("pubrel", 3)]);
  second.broker.say(ack("pubcomp", 3));
  await second.client.stored();
  assertEquals(store.load().outgoing.map(({ packetId }) => packetId), [5]);
  await second.crash();
});

test("Client sends what waited before it was opened behind what the store holds", async () => {
  const store = new MemorySessionStore();
  const message = { ...{ topic: "a", payload: bytesOf("old"), qos: 1, retain: false } as const };
  store.commit([{ kind: "queued", sequence: 41, message: { ...message, properties: {} } }]);
  const broker = new ScriptedBroker();
  const client = new Client(broker.dial, { ...SESSION, store });
  assertRejects(() => client.publish("a", "new", { qos: 1 }));
  const opened = client.open();
  await client.stored();
  assertEquals(store.load().outgoing.map(({ sequence }) => sequence), [41, 42]);
  await broker.hear();
  broker.say(connack(0, {}, true));
  await opened;
  assertEquals(await broker.hear(2), [
    publish("a", { payload: "old", qos: 1, packetId: 1 }),
    publish("a", { payload: "new", qos: 1, packetId: 2 }),
  ]);
  const left = client.disconnect();
  await broker.hear();
  broker.transport.end();
  await left;
  assertEquals(store.load().outgoing.length, 2);
});

test("Client says what becomes of stored messages when the broker has lost the session [MQTT-3.2.2-5]", async () => {
  const store = new MemorySessionStore();
  const first = await open(store);
  for (const [payload, qos] of [["1", 2], ["2", 2], ["3", 1]] as const) {
    assertRejects(() => first.client.publish("a", payload, { qos }));
  }
  await first.broker.hear(3);
  first.broker.say(ack("pubrec", 2), publish("b", { qos: 2, packetId: 9 }));
  await first.broker.hear(2);
  await first.crash();

  const broker = new ScriptedBroker();
  const abandoned: [string, unknown][] = [];
  const onEvent = (event: ClientEvent): void => {
    if (event.kind !== "abandoned") return;
    abandoned.push([decoder.decode(event.message.payload), (event.error as ClientError).code]);
  };
  const client = new Client(broker.dial, { ...SESSION, store, onEvent });
  const opened = client.open();
  await broker.hear();
  broker.say(connack(0));
  await opened;
  // Nobody knows whether the first has arrived; the second has.
  assertEquals(await broker.hear(), [publish("a", { payload: "3", qos: 1, packetId: 1 })]);
  assertEquals(abandoned, [["1", "session-lost"]]);
  assertEquals(store.load().heldIds, []);
  broker.say(ack("puback", 1, 0x97));
  await broker.heard();
  assertEquals(abandoned, [["1", "session-lost"], ["3", "refused"]]);
  await client.stored();
  assertEquals(store.load().outgoing, []);
  const left = client.disconnect();
  await broker.hear();
  broker.transport.end();
  await left;
});

test("Client forgets a message whose identifier the broker has forgotten, for it had the message", async () => {
  const store = new MemorySessionStore();
  const message = {
    topic: "a",
    payload: bytesOf("1"),
    qos: 2,
    retain: false,
    properties: {},
  } as const;
  store.commit([
    { kind: "queued", sequence: 1, message },
    { kind: "sent", sequence: 1, packetId: 4, sentAt: Date.now() },
    { kind: "received", sequence: 1 },
  ]);
  const events: string[] = [];
  const { broker, client, crash } = await open(store, { onEvent: ({ kind }) => events.push(kind) });
  assertEquals(await broker.hear(), [ack("pubrel", 4)]);
  broker.say(ack("pubcomp", 4, 0x92));
  await client.stored();
  assertEquals([store.load().outgoing, events], [[], ["connected"]]);
  await crash();
});

test("Client stores the end of exchanges soon, although nothing else is to be stored", async () => {
  const store = new MemorySessionStore();
  const { broker, client, crash } = await open(store);
  const sent = client.publish("a", "1", { qos: 1 });
  await broker.hear();
  assertEquals(store.load().outgoing.length, 1);
  broker.say(ack("puback", 1));
  await sent;
  await until(() => store.load().outgoing.length === 0, "the store has been told");
  await crash();
});

test("Client takes an aborted message out of its store, unless it has been sent", async () => {
  const store = new MemorySessionStore();
  const { client, broker, crash } = await open(store, { inflightMax: 1 });
  const controller = new AbortController();
  const { signal } = controller;
  const calls = ["sent", "waits"].map((payload) =>
    assertRejects(() => client.publish("a", payload, { qos: 1, signal }))
  );
  await broker.hear();
  assertEquals(store.load().outgoing.length, 2);
  controller.abort();
  await Promise.all(calls);
  await client.stored();
  const texts = store.load().outgoing.map(({ message }) => decoder.decode(message.payload));
  assertEquals(texts, ["sent"]);
  await crash();
});

test("Client ends when its store fails, and sends nothing that rests on it", async () => {
  const cause = new Error("disk full");
  const failing = (fails: () => boolean, isSlow: boolean): SessionStore => ({
    load: () => ({ outgoing: [], heldIds: [] }),
    commit() {
      if (!fails()) return;
      if (isSlow) return Promise.reject(cause);
      throw cause;
    },
  });
  for (const isSlow of [false, true]) {
    let isFull = false;
    const { broker, client } = await open(failing(() => isFull, isSlow));
    isFull = true;
    const call = assertRejects(() => client.publish("a", "1", { qos: 1 }), ClientError);
    const stored = assertRejects(() => client.stored(), ClientError);
    await until(() => broker.transport.calls.length > 0, "the client gives up");
    broker.transport.end();
    const error = await client.closed as ClientError;
    assertEquals([error.code, error.cause], ["store-failed", cause]);
    assertEquals(await broker.heard(), []);
    assertEquals([(await call).code, (await stored).code], ["store-failed", "store-failed"]);
  }
  const unreadable: SessionStore = {
    load() {
      throw cause;
    },
    commit() {},
  };
  const client = new Client(new ScriptedBroker().dial, { ...SESSION, store: unreadable });
  const waits = assertRejects(() => client.stored(), ClientError);
  const error = await assertRejects(() => client.open(), ClientError);
  assertEquals([error.code, error.message], [
    "store-failed",
    "The session store failed: disk full",
  ]);
  assertEquals((await waits).code, "store-failed");
});

test("Client wants a session that lasts for its store", () => {
  const store = new MemorySessionStore();
  const { dial } = new ScriptedBroker();
  for (
    const options of [
      { ...SESSION, clientId: "" },
      { ...SESSION, cleanStart: true },
      { ...SESSION, properties: {} },
      { protocolVersion: 4, clientId: "me" },
    ] as const
  ) {
    const fault = assertThrows(() => new Client(dial, { ...options, store }), ClientError);
    assertEquals(fault.code, "invalid-argument");
  }
  new Client(dial, { protocolVersion: 4, clientId: "me", cleanStart: false, store });
});

/** Publishes numbers by clients that end after any commit; gives what a subscriber received. */
async function publishThroughCrashes(seed: number, qos: 1 | 2): Promise<[number[], number]> {
  const random = prng(seed);
  const broker = new Broker();
  const received: number[] = [];
  const reader = await Client.connect(pipeTo(broker), {
    onMessage: ({ payload }) => void received.push(Number(decoder.decode(payload))),
  });
  await reader.subscribe("a", { qos });
  const memory = new MemorySessionStore();
  let queued = 0;
  let crashes = 0;
  const isDone = (): boolean => queued === TOTAL && memory.load().outgoing.length === 0;
  while (!isDone()) {
    const store = new SlowStore(memory, (changes) => {
      queued += changes.filter(({ kind }) => kind === "queued").length;
    });
    const controller = new AbortController();
    const client = new Client(pipeTo(broker), { ...SESSION, store, signal: controller.signal });
    client.open().catch(() => {});
    for (let number = queued; number < Math.min(TOTAL, queued + 5); number++) {
      client.publish("a", String(number), { qos }).catch(() => {});
    }
    for (let commits = 1 + random() % 6; commits > 0 && !isDone();) {
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
      if (store.dueCount === 0 && client.isConnected && client.queuedCount === 0) {
        if (memory.load().outgoing.length === 0) break;
      }
      if (store.dueCount > 0) commits--;
      store.finish();
    }
    store.crash();
    controller.abort();
    crashes++;
  }
  await reader.disconnect();
  await broker.close();
  return [received, crashes];
}

const NUMBERS = Array.from({ length: TOTAL }, (_, number) => number);

for (const seed of [1, 2, 3]) {
  test(`Client delivers QoS 2 exactly once over processes that end at any commit, seed ${seed}`, async () => {
    const [received, crashes] = await publishThroughCrashes(seed, 2);
    assertEquals(received, NUMBERS);
    assertEquals(crashes > 10, true);
  });

  test(`Client delivers QoS 1 at least once over processes that end at any commit, seed ${seed}`, async () => {
    const [received] = await publishThroughCrashes(seed, 1);
    assertEquals([...new Set(received)], NUMBERS);
  });
}
