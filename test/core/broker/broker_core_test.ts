// The machine as a whole: what it shows of itself, that nothing is left when all have gone, and
// that two of them share nothing.

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AssertionError } from "../../../src/core/base/assert.ts";
import { ASK, OPEN_POLICY, type Policy } from "../../../src/core/broker/question.ts";
import { encodePacket } from "../../../src/core/codec/encode.ts";
import type { QoS } from "../../../src/core/codec/protocol.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
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
  will,
} from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

interface Leftovers {
  readonly connections: number;
  readonly sessions: number;
  readonly subscriptions: number;
  readonly retained: number;
  readonly backlogBytes: number;
  readonly nextDeadline: number;
}

function leftovers({ core }: VirtualBroker): Leftovers {
  return {
    connections: core.connectionCount,
    sessions: core.sessionCount,
    subscriptions: core.subscriptionCount,
    retained: core.retainedCount,
    backlogBytes: core.backlogBytes,
    nextDeadline: core.nextDeadline,
  };
}

const NOTHING: Leftovers = {
  connections: 0,
  sessions: 0,
  subscriptions: 0,
  retained: 0,
  backlogBytes: 0,
  nextDeadline: Infinity,
};

test("BrokerCore shows what there is", () => {
  const broker = new VirtualBroker();
  assertEquals(leftovers(broker), NOTHING);
  const client = broker.connect({ keepAlive: 10 });
  client.send(subscribe(1, [request("a"), request("b"), request("$share/g/a")]));
  broker.connect({ clientId: "other", properties: { sessionExpiryInterval: 9 } }).drop();
  broker.open();
  broker.publish("x", { retain: true, payload: "x" });
  client.freeze();
  broker.publish("a", { payload: "12345" });
  assertEquals(leftovers(broker), {
    connections: 2,
    sessions: 2,
    subscriptions: 3,
    retained: 1,
    // Two copies of a packet of ten bytes with its properties.
    backlogBytes: 22,
    nextDeadline: broker.now + 9000,
  });
});

/** Everything that somebody may do, and how he goes in the end. */
const life = fc.record({
  clientId: fc.constantFrom("a", "b", "c", "d"),
  version: fc.constantFrom(3 as const, 4 as const, 5 as const),
  cleanStart: fc.boolean(),
  keepAlive: fc.constantFrom(0, 10),
  expiry: fc.constantFrom(0, 5, 500),
  hasWill: fc.boolean(),
  filters: fc.array(fc.constantFrom("a", "+/b", "#", "$share/g/a", "asked"), { maxLength: 3 }),
  publishes: fc.array(
    fc.record({ topic: fc.constantFrom("a", "a/b", "asked"), qos: fc.constantFrom<QoS>(0, 1, 2) }),
    { maxLength: 5 },
  ),
  isFrozen: fc.boolean(),
  isAcknowledging: fc.boolean(),
  answers: fc.boolean(),
  end: fc.constantFrom("drop", "disconnect", "malformed", "stay", "takeover"),
});

test("BrokerCore has nothing left when everybody has gone and every session has ended", () => {
  const policy: Policy = {
    ...OPEN_POLICY,
    connect: ({ clientId }) => clientId === "d" ? ASK : ReasonCode.SUCCESS,
    publish: (_client, topic) => topic === "asked" ? ASK : ReasonCode.SUCCESS,
    subscribe: (_client, filter) => filter === "asked" ? ASK : ReasonCode.SUCCESS,
  };
  fc.assert(
    fc.property(fc.array(life, { maxLength: 15 }), (lives) => {
      const broker = new VirtualBroker({
        policy,
        limits: { sessionExpiryIntervalMax: 1000, backlogBytesMax: 500, inflightMessagesMax: 3 },
      });
      const clients: VirtualClient[] = [];
      for (const { clientId, version, cleanStart, keepAlive, expiry, ...rest } of lives) {
        const client = broker.open(version);
        clients.push(client);
        const properties = version === 5 ? { sessionExpiryInterval: expiry } : {};
        client.send(connect({
          clientId,
          protocolVersion: version,
          cleanStart,
          keepAlive,
          properties,
          ...rest.hasWill
            ? { will: will("a", { properties: version === 5 ? { willDelayInterval: 7 } : {} }) }
            : {},
        }));
        if (rest.isFrozen) client.freeze();
        for (const filter of rest.filters) client.send(subscribe(1, [request(filter, { qos: 2 })]));
        rest.publishes.forEach(({ topic, qos }, i) => {
          client.send(publish(topic, { qos, packetId: qos === 0 ? 0 : i + 1, payload: "x" }));
        });
        if (rest.answers) {
          while (broker.questions.length > 0) {
            const { kind } = broker.questions[0]!;
            const reasonCode = ReasonCode.SUCCESS;
            if (kind === "subscribe") broker.answer({ kind, reasonCodes: [reasonCode] });
            else broker.answer({ kind, reasonCode });
          }
        }
        if (rest.isAcknowledging) client.settle();
        broker.advance(1000);
        if (rest.end === "drop") client.drop();
        if (rest.end === "disconnect") client.send(disconnect());
        if (rest.end === "malformed") client.sendBytes(Uint8Array.of(0, 0));
        if (rest.end === "takeover") broker.connect({ clientId });
      }
      for (const client of clients) client.drop();
      // Those that took over in passing go with the broker.
      broker.stop();
      broker.advance(2_000_000);
      assertEquals(leftovers(broker), NOTHING);
      for (const question of broker.questions) {
        assertEquals(broker.answer({ kind: "publish", reasonCode: 0 }, question), false);
      }
    }),
    { numRuns: 100 },
  );
});

test("Two brokers in one process share nothing", () => {
  const [one, two] = [new VirtualBroker({ seed: 1 }), new VirtualBroker({ seed: 1 })];
  const first = one.connect();
  first.send(subscribe(1, [request("#", { qos: 1 })]));
  one.publish("a", { qos: 1, retain: true, payload: "x" });
  assertEquals(leftovers(two), NOTHING);
  assertEquals(two.core.counters, new VirtualBroker().core.counters);
  const second = two.connect();
  assertEquals(first.isClosed, false);
  assertEquals(second.exchange(subscribe(1, [request("#")])), [suback(1, [0])]);
  assertEquals(two.publish("a"), 1);
  assertEquals(first.take().length, 2);
  two.stop();
  assertEquals([first.isClosed, second.isClosed], [false, true]);
});

test("BrokerCore.fail() costs one connection, and tells version 5", () => {
  for (const version of [3, 4, 5] as const) {
    const broker = new VirtualBroker();
    const client = broker.connect({ protocolVersion: version });
    const other = broker.connect({ clientId: "other" });
    broker.core.fail(client.connection, broker.now);
    broker.endTurn();
    assertEquals(client.take(), version === 5 ? [disconnect(ReasonCode.UNSPECIFIED_ERROR)] : []);
    assertEquals([client.isClosed, other.isClosed, broker.core.counters.internalErrors], [
      true,
      false,
      1,
    ]);
  }
});

test("BrokerCore.fail() before a CONNECT just closes", () => {
  const broker = new VirtualBroker();
  const client = broker.open();
  broker.core.fail(client.connection, broker.now);
  broker.endTurn();
  assertEquals([client.isClosed, client.takeBytes().length], [true, 0]);
});

test("A fault of our own while bytes are handled leaves everybody else well", () => {
  const policy: Policy = {
    ...OPEN_POLICY,
    publish: (_client, topic) => {
      if (topic === "bad") throw new AssertionError("Broken");
      return ReasonCode.SUCCESS;
    },
  };
  const broker = new VirtualBroker({ policy });
  const [client, other] = ["client", "other"].map((clientId) => {
    const each = broker.connect({ clientId });
    each.send(subscribe(1, [request("#")]));
    each.take();
    return each;
  }) as [VirtualClient, VirtualClient];
  assertThrows(() => client.send(publish("good"), publish("bad"), publish("good")), AssertionError);
  broker.core.fail(client.connection, broker.now);
  broker.endTurn();
  assertEquals(client.take(), [publish("good"), disconnect(ReasonCode.UNSPECIFIED_ERROR)]);
  assertEquals(other.exchange(publish("good")), [publish("good"), publish("good")]);
});

test("BrokerCore.publish() counts subscriptions and groups, and knows what is no topic", () => {
  const broker = new VirtualBroker();
  for (const clientId of ["one", "two"]) {
    broker.connect({ clientId }).send(
      subscribe(1, [request("a"), request("#"), request("$share/g/+")]),
    );
  }
  assertEquals(broker.publish("a"), 5);
  assertEquals(broker.publish("a/b"), 2);
  assertEquals(broker.publish("$SYS/x"), 0);
  const wrong = ["", "a/+", "#", "\ud800", "a\u0000", "x".repeat(65_536), "/".repeat(201)];
  assertEquals(wrong.map((topic) => broker.publish(topic)), wrong.map(() => -1));
});

test("BrokerCore.publish() does not hold on to the host's bytes", () => {
  const broker = new VirtualBroker();
  const payload = Uint8Array.of(1, 2, 3);
  broker.core.publish({ topic: "a", payload, retain: true }, broker.now);
  payload.fill(9);
  const client = broker.connect();
  assertEquals(client.exchange(subscribe(1, [request("a")])), [
    suback(1, [0]),
    publish("a", { retain: true, payload: Uint8Array.of(1, 2, 3) }),
  ]);
});

test("BrokerCore.publish() passes a message on as its client's, who does not hear it [MQTT-3.8.3-3]", () => {
  const asked: unknown[] = [];
  const broker = new VirtualBroker({
    limits: { checksRetainSource: true },
    policy: { ...OPEN_POLICY, hasRetained: (publisher) => asked.push(publisher) < 0 },
  });
  const own = request("a", { noLocal: true });
  const [one, two] = ["one", "two"].map((clientId) => broker.connect({ clientId }));
  for (const client of [one!, two!]) client.exchange(subscribe(1, [own]));
  const publisher = { publisherId: "one", publisherUsername: "alice" };
  const message = { topic: "a", payload: Uint8Array.of(1), retain: true, ...publisher };
  broker.core.publish(message, broker.now);
  broker.endTurn();
  assertEquals([one!.take(), two!.take()], [[], [publish("a", { payload: Uint8Array.of(1) })]]);
  assertEquals(broker.connect().exchange(subscribe(1, [request("#")])), [suback(1, [0])]);
  assertEquals(asked, [{ clientId: "one", username: "alice" }]);
});

test("BrokerCore holds on to nobody's bytes, in whatever pieces they come", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 40 })),
      fc.constantFrom<QoS>(0, 1, 2),
      (cuts, qos) => {
        const broker = new VirtualBroker({ limits: { inflightMessagesMax: 2 } });
        const client = broker.connect();
        client.send(subscribe(1, [request("a/#", { qos })]));
        client.take();
        const sent = Array.from({ length: 6 }, (_, i) =>
          publish(`a/${i}`, {
            qos,
            packetId: qos === 0 ? 0 : i + 1,
            payload: `payload ${i}`,
            retain: i === 3,
            properties: { contentType: `type ${i}` },
          }));
        // The virtual client spoils each chunk once it has been received.
        const whole = encoded(...sent);
        let at = 0;
        for (const cut of [...cuts, whole.length]) {
          client.sendBytes(whole.subarray(at, at + cut));
          at = Math.min(whole.length, at + cut);
        }
        const arrived = client.settle().filter((packet) => packet.type === "publish");
        assertEquals(
          arrived.map((packet) => ({ ...packet, packetId: 0 })),
          sent.map((packet) => ({ ...packet, packetId: 0, retain: false })),
        );
      },
    ),
    { numRuns: 50 },
  );
});

/** The bytes of packets, as a version 5 client sends them. */
function encoded(...packets: readonly ReturnType<typeof publish>[]): Uint8Array {
  const writer = new Writer(new Uint8Array(64));
  for (const packet of packets) encodePacket(writer, packet, 5);
  return writer.bytes.slice(0, writer.length);
}

test("BrokerCore.answer() knows each question once", () => {
  const policy: Policy = { ...OPEN_POLICY, publish: () => ASK };
  const broker = new VirtualBroker({ policy });
  const client = broker.connect();
  client.send(publish("a", { qos: 1, packetId: 1 }));
  const [question] = broker.questions;
  const answer = { kind: "publish", reasonCode: ReasonCode.SUCCESS } as const;
  assertEquals([broker.answer(answer), broker.answer(answer, question)], [true, false]);
  assertEquals(client.take(), [ack("puback", 1, ReasonCode.NO_MATCHING_SUBSCRIBERS)]);
});

test("BrokerCore.close() of a connection that has ended is told once", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  client.send(disconnect());
  broker.core.close(client.connection, "connection lost", undefined, broker.now);
  broker.endTurn();
  assertEquals(broker.takeEvents().filter((event) => event.kind === "closed").length, 1);
});

test("BrokerCore.stop() closes everybody without a DISCONNECT, and ends the sessions that end", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  const early = broker.open();
  broker.connect({ clientId: "lasting", properties: { sessionExpiryInterval: 9 } });
  broker.stop();
  assertEquals([client.isClosed, client.take(), early.isClosed], [true, [], true]);
  assertEquals([broker.core.connectionCount, broker.core.sessionCount], [0, 1]);
});

test("BrokerCore writes once per connection and turn", () => {
  const broker = new VirtualBroker();
  const client = broker.open();
  client.send(connect(), subscribe(1, [request("a")]), publish("a"), { type: "pingreq" });
  assertEquals(client.writes, 1);
  assertEquals(client.take().map((packet) => packet.type), [
    connack(0).type,
    "suback",
    "publish",
    "pingresp",
  ]);
});
