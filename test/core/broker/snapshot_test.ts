// What a connection is as bytes; that nothing is missing, `wake_test.ts` shows.

import { assertEquals, assertThrows } from "@std/assert";
import { Writer } from "../../../src/core/codec/writer.ts";
import { MemoryStore } from "../../../src/store/memory_store.ts";
import { test } from "../../harness.ts";
import { ack, bytesOf, publish, request, subscribe } from "../../support/packets.ts";
import { VirtualBroker, type VirtualClient } from "../../support/virtual_broker.ts";

function snapshotOf(client: VirtualClient): Uint8Array | undefined {
  const { broker, connection } = client;
  const writer = new Writer(new Uint8Array(4));
  const isWritten = broker.core.snapshot(connection, writer, broker.now);
  return isWritten ? writer.bytes.slice(0, writer.length) : undefined;
}

function brokerOf(): VirtualBroker {
  return new VirtualBroker({ store: new MemoryStore(), hibernates: true });
}

test("writeSnapshot() takes few bytes for a client that has nothing on its way", () => {
  const client = brokerOf().connect({ clientId: "client", keepAlive: 60 });
  assertEquals(snapshotOf(client)?.length, 78);
});

test("writeSnapshot() ends in the bytes of a packet that is not whole", () => {
  const client = brokerOf().connect({ clientId: "client" });
  const half = Uint8Array.of(0x30, 0x10, 0, 1, 97, 0, 120);
  client.sendBytes(half);
  assertEquals(snapshotOf(client)?.slice(-half.length), half);
});

test("writeSnapshot() has only what the store does not: no delivery, no subscription", () => {
  const broker = brokerOf();
  const properties = { sessionExpiryInterval: 60 };
  const kept = broker.connect({ clientId: "kept", properties });
  const clean = broker.connect({ clientId: "gone" });
  const before = [kept, clean].map((client) => snapshotOf(client)!.length);
  for (const client of [kept, clean]) client.send(subscribe(1, [request("a", { qos: 1 })]));
  broker.publish("a", { qos: 1, payload: bytesOf("x".repeat(1000)) });
  const after = [kept, clean].map((client) => snapshotOf(client)!.length);
  // An identifier, what it waits for, and the size of its message.
  assertEquals(after.map((length, i) => length - before[i]!), [0, 7]);
  clean.send(ack("puback", 1));
  assertEquals(snapshotOf(clean)!.length, before[1]);
});

test("writeSnapshot() says the same of who speaks again within a second [MQTT-3.1.2-22]", () => {
  const broker = brokerOf();
  for (const keepAlive of [60, 0]) {
    const client = broker.connect({ clientId: "client", keepAlive });
    const said = [1, 998, 2, 1000].map((ms) => {
      broker.advance(ms);
      client.send({ type: "pingreq" });
      return `${snapshotOf(client)}`;
    });
    const isSame = said.map((one) => one === said[0]);
    // Without a Keep Alive nobody asks when that was.
    assertEquals(isSame, keepAlive === 0 ? [true, true, true, true] : [true, true, false, false]);
  }
});

test("writeSnapshot() writes nothing of a connection that has ended", () => {
  const client = brokerOf().connect({ clientId: "client" });
  client.drop();
  assertEquals(snapshotOf(client), undefined);
});

test("readSnapshot() refuses the bytes of another version", () => {
  const broker = brokerOf();
  const client = broker.connect({ clientId: "client" });
  client.send(publish("a"));
  const snapshot = snapshotOf(client)!;
  snapshot[0] = 200;
  const { peer } = client.connection;
  const fresh = brokerOf();
  assertThrows(() => fresh.core.restore([], fresh.now, [], [{ peer, snapshot }]), RangeError);
});
