// The broker sleeps and wakes between any two inputs, and no client notices: whatever is drawn, a
// broker that has lost its memory after every step says the same as one that never has.

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Packet } from "../../../src/core/codec/packet.ts";
import type { ProtocolVersion, QoS } from "../../../src/core/codec/protocol.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { encodePacket } from "../../../src/core/codec/encode.ts";
import { AssertionError } from "../../../src/core/base/assert.ts";
import { BrokerCore } from "../../../src/core/broker/broker_core.ts";
import { DEFAULT_LIMITS, DEFAULT_LISTENER } from "../../../src/core/broker/limits.ts";
import { ASK, OPEN_POLICY } from "../../../src/core/broker/question.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { MemoryStore } from "../../../src/store/memory_store.ts";
import { test } from "../../harness.ts";
import {
  ack,
  connack,
  connect,
  disconnect,
  publish,
  request,
  suback,
  subscribe,
  unsubscribe,
  will,
} from "../../support/packets.ts";
import {
  VirtualBroker,
  type VirtualBrokerOptions,
  type VirtualClient,
} from "../../support/virtual_broker.ts";

const LIMITS = {
  inflightMessagesMax: 3,
  queuedMessagesMax: 6,
  publishRateCount: 2,
  publishRateSeconds: 5,
};

function brokerOf(options: VirtualBrokerOptions = {}): VirtualBroker {
  return new VirtualBroker({ store: new MemoryStore(), hibernates: true, ...options });
}

/** Somebody who has connected in one of several ways. */
interface Person {
  readonly name: string;
  readonly version: ProtocolVersion;
  readonly cleanStart: boolean;
  readonly expiry: number;
}

const PEOPLE: readonly Person[] = [
  { name: "clean 4", version: 4, cleanStart: true, expiry: 0 },
  { name: "kept 4", version: 4, cleanStart: false, expiry: 0 },
  { name: "clean 5", version: 5, cleanStart: true, expiry: 0 },
  { name: "kept 5", version: 5, cleanStart: false, expiry: 60_000 },
];

type Step =
  | { readonly kind: "connect"; readonly who: number; readonly hasWill: boolean }
  | { readonly kind: "drop" | "leave" | "ping" | "unsubscribe"; readonly who: number }
  | { readonly kind: "subscribe"; readonly who: number; readonly filter: string; readonly qos: QoS }
  | {
    readonly kind: "publish";
    readonly who: number;
    readonly topic: string;
    readonly qos: QoS;
    readonly retain: boolean;
    /** After how many bytes the packet is cut in two. */
    readonly cut: number;
    readonly alias: number;
  }
  | { readonly kind: "acknowledge"; readonly who: number; readonly count: number }
  | { readonly kind: "release"; readonly who: number; readonly packetId: number }
  | { readonly kind: "wait"; readonly ms: number };

const who = fc.nat(PEOPLE.length - 1);
const qos = fc.constantFrom<QoS>(0, 1, 2);
const kind = <K extends string>(...kinds: K[]): fc.Arbitrary<K> => fc.constantFrom(...kinds);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: kind("connect"), who, hasWill: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: kind("drop", "leave", "ping", "unsubscribe"), who }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: kind("subscribe"),
      who,
      filter: fc.constantFrom("a", "b/+", "#", "will"),
      qos,
    }),
  },
  {
    weight: 14,
    arbitrary: fc.record({
      kind: kind("publish"),
      who,
      topic: fc.constantFrom("a", "b/c", "b/d"),
      qos,
      retain: fc.boolean(),
      cut: fc.nat(12),
      alias: fc.nat(2),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ kind: kind("acknowledge"), who, count: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind("release"),
      who,
      packetId: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: kind("wait"),
      ms: fc.constantFrom(10_000, 4_000_000, 30_000_000),
    }),
  },
);

/** Which free identifier a packet is given is the broker's own affair. */
function unnumbered(packet: Packet): Packet {
  const isOurs = packet.type === "publish" || packet.type === "pubrel";
  return isOurs ? { ...packet, packetId: 0 } : packet;
}

/** One world: a broker, and what becomes of the steps there. */
class World {
  readonly #broker: VirtualBroker;
  readonly #isSleepy: boolean;
  readonly #clients: (VirtualClient | undefined)[] = PEOPLE.map(() => undefined);
  readonly #owed: Packet[][] = PEOPLE.map(() => []);
  readonly #aliased: Set<number>[] = PEOPLE.map(() => new Set());
  #published = 0;
  sleeps = 0;

  constructor(isSleepy: boolean) {
    this.#isSleepy = isSleepy;
    this.#broker = brokerOf({ limits: LIMITS });
  }

  /** What everybody was sent because of a step. */
  take(one: Step): unknown {
    // No two things are due at the same instant, whose order nobody promises, and all happens at
    // whole seconds, because that is how exactly a sleeper knows when it was heard.
    this.#broker.advance(1000);
    this.#do(one);
    return this.#clients.map((client, i) => {
      const packets = client?.take() ?? [];
      this.#owed[i]!.push(...packets);
      return { packets: packets.map(unnumbered), isClosed: client?.isClosed };
    });
  }

  rest(): void {
    if (this.#isSleepy && this.#broker.sleep()) this.sleeps++;
  }

  #do(one: Step): void {
    if (one.kind === "wait") {
      this.#broker.advance(one.ms);
      return;
    }
    const person = PEOPLE[one.who]!;
    if (one.kind === "connect") {
      this.#clients[one.who] = this.#connect(person, one.hasWill);
      this.#owed[one.who] = [];
      this.#aliased[one.who] = new Set();
      return;
    }
    const client = this.#clients[one.who];
    if (client === undefined || client.isClosed) return;
    switch (one.kind) {
      case "drop":
        client.drop();
        return;
      case "leave":
        client.send(disconnect());
        return;
      case "ping":
        client.send({ type: "pingreq" });
        return;
      case "subscribe":
        client.send(subscribe(9, [request(one.filter, { qos: one.qos })]));
        return;
      case "unsubscribe":
        client.send(unsubscribe(8, ["b/+"]));
        return;
      case "publish":
        this.#publish(client, person, one);
        return;
      case "acknowledge":
        for (let left = one.count; left > 0; left--) this.#acknowledge(client, one.who);
        return;
      case "release":
        client.send(ack("pubrel", one.packetId));
    }
  }

  #connect({ name, version, cleanStart, expiry }: Person, hasWill: boolean): VirtualClient {
    const isNewest = version === 5;
    const properties = isNewest
      ? { sessionExpiryInterval: expiry, topicAliasMaximum: 2, receiveMaximum: 2 }
      : {};
    return this.#broker.connect({
      protocolVersion: version,
      clientId: name,
      cleanStart,
      keepAlive: 20_000,
      properties,
      ...hasWill
        ? {
          will: will("will", { qos: 1, properties: isNewest ? { willDelayInterval: 5000 } : {} }),
        }
        : {},
    });
  }

  #publish(
    client: VirtualClient,
    { version }: Person,
    one: Extract<Step, { readonly kind: "publish" }>,
  ): void {
    const aliased = this.#aliased[one.who]!;
    const topicAlias = version === 5 ? one.alias : 0;
    // A topic has its own alias, so that whoever repeats it may leave it out.
    const alias = topicAlias === 0 ? 0 : one.topic === "a" ? 1 : 2;
    const isKnown = alias === 1 && aliased.has(alias);
    if (alias > 0) aliased.add(alias);
    const packet = publish(isKnown ? "" : one.topic, {
      payload: String(++this.#published),
      qos: one.qos,
      retain: one.retain,
      packetId: one.qos === 0 ? 0 : one.qos + this.#published % 2,
      properties: alias > 0 ? { topicAlias: alias } : {},
    });
    const writer = new Writer(new Uint8Array(64));
    encodePacket(writer, packet, version);
    const bytes = writer.bytes.slice(0, writer.length);
    client.sendBytes(bytes.subarray(0, one.cut));
    this.rest();
    client.sendBytes(bytes.subarray(one.cut));
  }

  #acknowledge(client: VirtualClient, index: number): void {
    const owed = this.#owed[index]!;
    for (let packet = owed.shift(); packet !== undefined; packet = owed.shift()) {
      if (packet.type === "publish" && packet.qos > 0) {
        client.send(ack(packet.qos === 1 ? "puback" : "pubrec", packet.packetId));
      } else if (packet.type === "pubrel") client.send(ack("pubcomp", packet.packetId));
      else if (packet.type === "pubrec") client.send(ack("pubrel", packet.packetId));
      else continue;
      return;
    }
  }
}

test("restore() with sleepers goes on between any two inputs as if nothing had been [MQTT-4.1.0-1]", () => {
  let sleeps = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const awake = new World(false);
      const sleepy = new World(true);
      for (const one of steps) {
        assertEquals(sleepy.take(one), awake.take(one));
        sleepy.rest();
      }
      sleeps += sleepy.sleeps;
    }),
    { numRuns: 150 },
  );
  assertEquals(sleeps > 1000, true);
});

test("restore() with sleepers asks again what was asked and not answered", () => {
  const broker = brokerOf({
    policy: {
      ...OPEN_POLICY,
      connect: () => ASK,
      publish: () => ASK,
      subscribe: () => ASK,
    },
  });
  const client = broker.open(5);
  client.send(connect({ clientId: "patient" }));
  assertEquals(broker.sleep(), true);
  assertEquals(broker.questions.map((question) => question.kind), ["connect"]);
  broker.answer({ kind: "connect", reasonCode: ReasonCode.SUCCESS });
  assertEquals(client.take(), [
    connack(0, { topicAliasMaximum: 10, maximumPacketSize: 2_000_000, receiveMaximum: 20 }),
  ]);
  client.send(subscribe(7, [request("a", { qos: 2 })]));
  assertEquals(broker.sleep(), true);
  assertEquals(broker.questions.map((question) => question.kind), ["subscribe"]);
  broker.answer({ kind: "subscribe", reasonCodes: [ReasonCode.SUCCESS] });
  assertEquals(client.take(), [suback(7, [2])]);
  // What came behind is still handled behind.
  client.send(
    publish("a", { qos: 2, packetId: 3, payload: "held", properties: { contentType: "text" } }),
    { type: "pingreq" },
  );
  assertEquals(broker.sleep(), true);
  assertEquals(broker.sleep(), true);
  assertEquals(broker.questions.map((question) => question.kind), ["publish"]);
  broker.answer({ kind: "publish", reasonCode: ReasonCode.SUCCESS });
  assertEquals(client.take(), [
    publish("a", { qos: 2, packetId: 1, payload: "held", properties: { contentType: "text" } }),
    ack("pubrec", 3),
    { type: "pingresp" },
  ]);
});

test("A connection does not sleep while its bytes or an authentication are on their way", () => {
  const broker = brokerOf({ policy: { ...OPEN_POLICY, hasAuthenticationMethod: () => true } });
  const slow = broker.connect({ clientId: "slow" });
  slow.send(subscribe(1, [request("a")]));
  slow.freeze();
  broker.publish("a");
  assertEquals(broker.sleep(), false);
  slow.thaw();
  assertEquals(broker.sleep(), true);
  const careful = broker.open(5);
  careful.send(connect({ clientId: "careful", properties: { authenticationMethod: "X" } }));
  assertEquals(broker.sleep(), false);
  careful.drop();
  assertEquals(broker.sleep(), true);
});

test("Who has lost his connection meanwhile takes the course of one who has, also a clean session", () => {
  const store = new MemoryStore();
  const broker = brokerOf({ store });
  broker.connect({ clientId: "lost", will: will("gone/lost", { retain: true }) });
  const delayed = { sessionExpiryInterval: 60 };
  broker.connect({
    clientId: "kept",
    properties: delayed,
    will: will("gone/kept", { retain: true, properties: { willDelayInterval: 10 } }),
  });
  const later = brokerOf({ store, now: broker.now });
  later.core.restore(store.load(), later.now);
  later.advance(0);
  const reader = later.connect({ clientId: "reader" });
  const arrived = (): unknown[] =>
    reader.take().flatMap((packet) => packet.type === "publish" ? [packet.topic] : []);
  reader.send(subscribe(1, [request("gone/#")]));
  assertEquals(arrived(), ["gone/lost"]);
  assertEquals(later.core.sessionCount, 2);
  later.advance(10_000);
  assertEquals(arrived(), ["gone/kept"]);
});

test("A connection that has not said who it is has as long as it would have had awake", () => {
  const broker = brokerOf({ limits: { connectTimeoutMs: 1000 } });
  const silent = broker.open(5);
  silent.sendBytes(Uint8Array.of(0x10, 0x20, 0));
  broker.advance(600);
  assertEquals(broker.sleep(), true);
  broker.advance(399);
  assertEquals(silent.isClosed, false);
  broker.advance(1);
  assertEquals(silent.isClosed, true);
});

test("A sleeper whose session has gone to somebody else is closed", () => {
  const store = new MemoryStore();
  const broker = brokerOf({ store });
  const { connection } = broker.connect({ clientId: "one" });
  const writer = new Writer(new Uint8Array(16));
  assertEquals(broker.core.snapshot(connection, writer, broker.now), true);
  const snapshot = writer.bytes.slice(0, writer.length);
  const { peer } = connection;
  const later = brokerOf({ store, now: broker.now });
  const woken = later.core.restore(store.load(), later.now, [], [
    { peer, snapshot },
    { peer, snapshot },
  ]);
  assertEquals(woken.map(({ phase }) => phase), ["connected", "ended"]);
  assertEquals(later.core.connectionCount, 1);
  assertEquals(later.core.takeClosings(), [woken[1]!]);
});

test("Shared subscriptions are not always the first member's where each turn wakes the broker", () => {
  const broker = brokerOf();
  const members = ["one", "two", "three"].map((clientId) => broker.connect({ clientId }));
  for (const member of members) member.send(subscribe(1, [request("$share/g/a")]));
  const source = broker.connect({ clientId: "source" });
  for (let i = 0; i < 60; i++) {
    source.send(publish("a", { payload: String(i) }));
    assertEquals(broker.sleep(), true);
  }
  const counts = members.map((member) =>
    member.take().filter(({ type }) => type === "publish").length
  );
  assertEquals(counts.reduce((sum, count) => sum + count, 0), 60);
  assertEquals(counts.every((count) => count > 5), true);
});

test("BrokerCore.snapshot() and restore() know sleep only where they were given a way to wake", () => {
  const core = new BrokerCore({
    limits: DEFAULT_LIMITS,
    listener: DEFAULT_LISTENER,
    random: () => 0,
  });
  const { connection } = brokerOf().connect({ clientId: "one" });
  const message = "The broker was not made to hibernate";
  const writer = new Writer(new Uint8Array(16));
  assertThrows(() => core.snapshot(connection, writer, 0), AssertionError, message);
  assertEquals(core.restore([], 0), []);
  assertThrows(() => core.restore([], 0, [], []), AssertionError, message);
});
