// Readers that do not read: what they do not take waits or is dropped, and nobody else notices.

import { assertEquals } from "@std/assert";
import { OPEN_POLICY, type Policy } from "../../../src/core/broker/question.ts";
import type { Packet } from "../../../src/core/codec/packet.ts";
import type { QoS } from "../../../src/core/codec/protocol.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import { ack, publish, request, suback, subscribe, unsubscribe } from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };

const LIMITS = { backlogBytesMax: 10_000, inflightMessagesMax: 5, queuedMessagesMax: 10 };

function say(broker: VirtualBroker, count: number, qos: QoS, first = 0): void {
  for (let i = 0; i < count; i++) {
    const payload = new Uint8Array(1000);
    payload[0] = first + i;
    broker.publish("a", { qos, payload });
  }
}

function numbers(packets: readonly Packet[]): number[] {
  return packets.flatMap((packet) => packet.type === "publish" ? packet.payload[0]! : []);
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** One client that does not read, and one that does. */
function slowScene(
  qos: QoS,
  limits = LIMITS,
): { broker: VirtualBroker; slow: VirtualClient; quick: VirtualClient } {
  const broker = new VirtualBroker({ limits });
  const [slow, quick] = ["slow", "quick"].map((clientId) => {
    const client = broker.connect({ ...LASTING, clientId });
    client.send(subscribe(1, [request("a", { qos })]));
    client.take();
    return client;
  }) as [VirtualClient, VirtualClient];
  return { broker, slow, quick };
}

test("A reader that does not read makes nobody else wait", () => {
  for (const qos of [0, 1, 2] as const) {
    const { broker, slow, quick } = slowScene(qos);
    slow.freeze();
    for (let i = 0; i < 200; i++) {
      say(broker, 1, qos, i);
      assertEquals(numbers(quick.settle()), [i]);
    }
    assertEquals(slow.take(), []);
  }
});

test("QoS 0 to a reader beyond its backlog is dropped, and what is within arrives in order", () => {
  const { broker, slow } = slowScene(0);
  slow.freeze();
  say(broker, 100, 0);
  const { publishDropped } = broker.core.counters;
  const { backlogBytes } = broker.core;
  assertEquals(backlogBytes > LIMITS.backlogBytesMax && backlogBytes < 12_000, true);
  slow.thaw();
  assertEquals(numbers(slow.take()), range(0, 100 - publishDropped));
  assertEquals(broker.core.backlogBytes, 0);
  // From now on it reads again.
  say(broker, 5, 0, 100);
  assertEquals(numbers(slow.take()), range(100, 5));
});

test("QoS 1 and 2 to a reader beyond its backlog wait, then the newest are dropped, and thawing gives the rest in order", () => {
  for (const qos of [1, 2] as const) {
    const { broker, slow, quick } = slowScene(qos, { ...LIMITS, inflightMessagesMax: 20 });
    quick.send(unsubscribe(2, ["a"]));
    slow.freeze();
    say(broker, 100, qos);
    // Eleven until the backlog was full, thirty in the queue of somebody who is connected.
    assertEquals(broker.core.counters.publishDropped, 100 - 10 - 30);
    slow.thaw();
    assertEquals(numbers(slow.settle()), range(0, 40));
    assertEquals(broker.core.backlogBytes, 0);
    say(broker, 3, qos, 100);
    assertEquals(numbers(slow.settle()), range(100, 3));
  }
});

test("A reader beyond its backlog is not read from, and both go on when it reads", () => {
  const { broker, slow, quick } = slowScene(0);
  slow.freeze();
  say(broker, 20, 0);
  quick.settle();
  slow.send({ type: "pingreq" }, publish("a", { payload: Uint8Array.of(99) }));
  // Its first packets were read to find out; none after them is.
  assertEquals([slow.isPaused, numbers(quick.take())], [true, [99]]);
  slow.send(publish("a", { payload: Uint8Array.of(98) }));
  assertEquals(quick.take(), []);
  slow.thaw();
  assertEquals([slow.isPaused, numbers(quick.take())], [false, [98]]);
  assertEquals(slow.take().some((packet) => packet.type === "pingresp"), true);
});

test("A reader that never reads is closed when its Keep Alive is over, and takes its backlog with it", () => {
  const broker = new VirtualBroker({ limits: LIMITS });
  const slow = broker.connect({ keepAlive: 10 });
  slow.send(subscribe(1, [request("a")]));
  slow.freeze();
  say(broker, 20, 0);
  slow.send({ type: "pingreq" });
  broker.advance(15_000);
  // Its last bytes are still with the transport.
  assertEquals([broker.core.connectionCount, slow.isClosed], [0, false]);
  slow.drop();
  assertEquals([broker.core.backlogBytes, slow.isClosed], [0, true]);
});

test("A burst beyond the backlog within one turn goes on as soon as the transport has taken it", () => {
  for (const qos of [0, 1] as const) {
    const broker = new VirtualBroker({
      limits: { ...LIMITS, inflightMessagesMax: 100, queuedMessagesMax: 100 },
    });
    const client = broker.connect();
    client.send(subscribe(1, [request("a", { qos })]));
    client.take();
    // The client's own messages, in one chunk: more than its backlog before the turn ends.
    const burst = range(0, 50).map((i) => {
      const payload = new Uint8Array(1000);
      payload[0] = i;
      return publish("a", { qos, packetId: qos === 0 ? 0 : i + 1, payload });
    });
    const arrived = numbers(client.exchange(...burst));
    assertEquals(arrived, range(0, qos === 0 ? arrived.length : 50));
    assertEquals([client.isPaused, broker.core.backlogBytes], [false, 0]);
    assertEquals(client.exchange({ type: "pingreq" }), [{ type: "pingresp" }]);
  }
});

test("Retained messages beyond the backlog follow as the reader takes them", () => {
  const broker = new VirtualBroker({ limits: LIMITS });
  for (let i = 0; i < 50; i++) {
    const payload = new Uint8Array(1000);
    payload[0] = i;
    broker.publish(`a/${i}`, { retain: true, payload });
  }
  const slow = broker.connect();
  slow.freeze();
  slow.send(subscribe(1, [request("a/+")]));
  const count = () => numbers(slow.take()).length;
  slow.thaw();
  assertEquals(count(), 50);
  assertEquals(broker.core.backlogBytes, 0);
});

/** So many readers, all frozen, under a total of forty thousand bytes. */
function crowd(
  count: number,
  qos: QoS = 0,
  backlogBytesTotalMax = 40_000,
): { broker: VirtualBroker; readers: VirtualClient[] } {
  const broker = new VirtualBroker({ limits: { backlogBytesMax: 160_000, backlogBytesTotalMax } });
  const readers = range(0, count).map((i) => {
    const client = broker.connect({ clientId: `${i}`, keepAlive: 0 });
    client.send(subscribe(1, [request("a", { qos })]));
    client.take();
    client.freeze();
    return client;
  });
  return { broker, readers };
}

test("Beyond the total backlog messages wait by reference, and nobody who reads loses any", () => {
  for (const qos of [0, 1] as const) {
    const { broker, readers } = crowd(10, qos);
    say(broker, 15, qos);
    // Not one packet more than it takes to exceed the total, also within one turn.
    assertEquals(broker.core.backlogBytes <= 41_100, true);
    for (const reader of readers) reader.thaw();
    for (const reader of readers) assertEquals(numbers(reader.settle()), range(0, 15));
    assertEquals([broker.core.backlogBytes, broker.core.counters.publishDropped], [0, 0]);
  }
});

test("A total backlog that stays is made to go: who takes nothing for long is sent away", () => {
  const { broker, readers } = crowd(10);
  const frozen = readers.slice(1);
  readers[0]!.thaw();
  say(broker, 15, 0);
  // The only one who reads waits for the others.
  broker.advance(5_000);
  assertEquals(broker.core.connectionCount, 10);
  broker.advance(10_000);
  assertEquals(broker.core.connectionCount, 1);
  for (const reader of frozen) reader.drop();
  assertEquals(numbers(readers[0]!.settle()), range(0, 15));
  assertEquals(broker.core.backlogBytes, 0);
});

test("Who leaves while his messages wait for the total backlog leaves nothing behind", () => {
  for (const backlogBytesTotalMax of [36_000, 38_000, 40_000, 42_000]) {
    const { broker, readers } = crowd(10, 0, backlogBytesTotalMax);
    say(broker, 15, 0);
    for (const reader of readers) reader.drop();
    assertEquals([broker.core.connectionCount, broker.core.backlogBytes], [0, 0]);
  }
});

test("Who is not listened to because of what others have not taken is heard once they have", () => {
  const { broker, readers } = crowd(10);
  const [talker, newcomer] = [broker.connect({ clientId: "talker" }), broker.open()];
  say(broker, 15, 0);
  talker.send(publish("b", { qos: 1, packetId: 1 }));
  newcomer.sendBytes(new Uint8Array([0x10]));
  assertEquals([talker.isPaused, newcomer.isPaused], [true, true]);
  talker.send(publish("b", { qos: 1, packetId: 2 }));
  talker.take();
  for (const reader of readers) reader.thaw();
  assertEquals([talker.isPaused, newcomer.isPaused], [false, false]);
  assertEquals(talker.take(), [ack("puback", 2, ReasonCode.NO_MATCHING_SUBSCRIBERS)]);
});

test("Who takes nothing and is below the total does not make others wait for long", () => {
  const broker = new VirtualBroker({ limits: { backlogBytesTotalMax: 10_000 } });
  const [first, second] = ["first", "second"].map((clientId) => {
    const reader = broker.connect({ clientId });
    reader.exchange(subscribe(1, [request(clientId)]));
    reader.freeze();
    return reader;
  }) as [VirtualClient, VirtualClient];
  const talker = broker.connect({ clientId: "talker" });
  const payload = new Uint8Array(1000);
  for (let i = 0; i < 7; i++) broker.publish("first", { payload });
  for (let i = 0; i < 4; i++) broker.publish("second", { payload });
  talker.send(publish("b"));
  second.drop();
  assertEquals([first.isClosed, broker.core.backlogBytes > 5_000, talker.isPaused], [
    false,
    true,
    true,
  ]);
  broker.advance(5_000);
  assertEquals(talker.isPaused, false);
});

test("What a lent buffer holds up leaves when the buffer returns, also while packets wait for an answer", () => {
  const policy: Policy = { ...OPEN_POLICY, publish: () => -1 };
  const broker = new VirtualBroker({ policy });
  const client = broker.connect();
  client.send(subscribe(1, [request("a")]));
  client.take();
  client.freeze();
  broker.publish("a", { payload: "1" });
  broker.publish("a", { payload: "2" });
  client.send(publish("b"));
  client.thaw();
  assertEquals(client.take(), [publish("a", { payload: "1" }), publish("a", { payload: "2" })]);
  assertEquals(client.isPaused, true);
});

test("A frozen reader that is sent away is closed when its last bytes have left", () => {
  const broker = new VirtualBroker();
  const client = broker.connect();
  client.freeze();
  client.send(subscribe(1, [request("a")]));
  client.sendBytes(Uint8Array.of(0, 0));
  assertEquals([client.isClosed, broker.core.connectionCount], [false, 0]);
  client.thaw();
  const types = client.take().map((packet) => packet.type);
  assertEquals([client.isClosed, types], [true, [suback(1, [0]).type, "disconnect"]]);
  assertEquals(broker.core.backlogBytes, 0);
});
