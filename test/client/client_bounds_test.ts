// What the client library does at its bounds: peers that take nothing, ways and stores that never
// answer, more requests than there are numbers, and requests larger than the broker takes.

import { assertEquals, assertRejects } from "@std/assert";
import { Client } from "../../src/client/client.ts";
import { ClientError } from "../../src/client/client_error.ts";
import type { ClientEvent, ClientOptions, Dial } from "../../src/client/client_options.ts";
import type { SubscribePacket } from "../../src/core/codec/packet.ts";
import type { Properties } from "../../src/core/codec/property.ts";
import type { Accept } from "../../src/transport/transport.ts";
import { test } from "../harness.ts";
import { FakeTimers } from "../support/fake_timers.ts";
import { connack, disconnect, suback } from "../support/packets.ts";
import { ScriptedTransport } from "../support/scripted_transport.ts";
import { ScriptedBroker } from "./scripted_broker.ts";

async function connected(
  options: ClientOptions = {},
  properties: Properties = {},
): Promise<{ broker: ScriptedBroker; client: Client }> {
  const broker = new ScriptedBroker();
  const client = new Client(broker.dial, { reconnect: false, ...options });
  const opened = client.open();
  await broker.heard();
  broker.say(connack(0, properties));
  await opened;
  return { broker, client };
}

async function close(broker: ScriptedBroker, client: Client): Promise<void> {
  const left = client.disconnect();
  await broker.heard();
  broker.transport.end();
  await left;
}

test("Client.disconnect() waits a few seconds for a network that takes nothing, and no longer", async () => {
  const timers = new FakeTimers();
  await timers.run(async () => {
    const now = (): number => timers.now;
    const runtime = { now, defer: queueMicrotask, dial: () => Promise.reject() };
    const { broker, client } = await connected({ runtime, keepAlive: 0 });
    const { transport } = broker;
    transport.isFast = false;
    void client.publish("a", "");
    await broker.heard();
    const left = client.disconnect();
    await broker.heard();
    timers.advance(4000);
    assertEquals(transport.calls, []);
    timers.advance(2000);
    assertEquals(transport.calls, ["abort"]);
    transport.end();
    await left;
    assertEquals(timers.pending, []);
  });
});

test("Client ends although its way to the broker never answers, and wants nothing from it later", async () => {
  let late: Accept | undefined;
  const dial: Dial = (accept) => {
    late = accept;
    return new Promise(() => {});
  };
  const client = new Client(dial);
  const opened = assertRejects(() => client.open(), ClientError);
  while (late === undefined) await Promise.resolve();
  await client.disconnect();
  assertEquals((await opened).code, "closed");
  const transport = new ScriptedTransport().accept(late);
  await Promise.resolve();
  assertEquals([transport.calls, transport.written], [["abort"], []]);
  transport.end();
});

test("Client ends although its runtime or its store never answers", async () => {
  const never = (): Promise<never> => new Promise(() => {});
  const session = {
    clientId: "me",
    cleanStart: false,
    properties: { sessionExpiryInterval: 60 },
  };
  const store = { load: never, commit() {} };
  for (const options of [{ runtime: never }, { ...session, store }]) {
    const client = new Client(new ScriptedBroker().dial, options);
    const opened = assertRejects(() => client.open(), ClientError);
    await Promise.resolve();
    await client.disconnect();
    assertEquals([(await opened).code, await client.closed], ["closed", undefined]);
  }
});

test("Client makes a thousand requests at once and no more, and each gets its answer", async () => {
  const { broker, client } = await connected();
  const count = 3000;
  const answers = Array.from({ length: count }, (_, index) => client.subscribe(`f/${index}`));
  const sizes: number[] = [];
  for (let heard = 0; heard < count;) {
    const requests = await broker.heard() as SubscribePacket[];
    if (requests.length === 0) continue;
    heard += requests.length;
    sizes.push(requests.length);
    broker.say(...requests.map(({ packetId }) => suback(packetId, [0])));
  }
  assertEquals(sizes[0], 960);
  for (const answer of answers) assertEquals((await answer).reasonCodes, [0]);
  await close(broker, client);
});

test("Client refuses requests that the broker would not take [MQTT-3.2.2-15]", async () => {
  const { broker, client } = await connected({}, { maximumPacketSize: 40 });
  const filters = ["one/filter/of/a/few", "another/filter/of/them"];
  const calls = [() => client.subscribe(filters), () => client.unsubscribe(filters)];
  for (const call of calls) {
    assertEquals((await assertRejects(call, ClientError)).code, "too-large");
  }
  assertEquals(await broker.heard(), []);
  await close(broker, client);
});

test("Client subscribes again in packets that the broker takes, and tells what it does not get", async () => {
  const events: ClientEvent[] = [];
  const { broker, client } = await connected({
    reconnect: { initialMs: 1 },
    onEvent: (event) => void (event.kind === "unsubscribed" && events.push(event)),
  });
  const filters = ["aaaaaaaa", "bbbbbbbb", "cccccccc"];
  const subscribed = client.subscribe(filters, { qos: 1 });
  await broker.hear();
  broker.say(suback(1, [1, 1, 1]));
  await subscribed;
  const reconnect = async (): Promise<SubscribePacket[]> => {
    broker.transport.end(new Error("cut"));
    await broker.hear();
    broker.say(connack(0, { maximumPacketSize: 32 }));
    return await broker.heard() as SubscribePacket[];
  };
  const told = (packets: SubscribePacket[]): string[][] =>
    packets.map(({ subscriptions }) => subscriptions.map(({ filter }) => filter));
  const again = await reconnect();
  assertEquals(told(again), [filters.slice(0, 2), filters.slice(2)]);
  broker.say(suback(again[0]!.packetId, [1, 0x87]), suback(again[1]!.packetId, [1]));
  await broker.heard();
  assertEquals(events, [{ kind: "unsubscribed", filter: "bbbbbbbb", reasonCode: 0x87 }]);
  assertEquals(told(await reconnect()), [["aaaaaaaa", "cccccccc"]]);
  const left = client.disconnect();
  assertEquals(await broker.hear(), [disconnect()]);
  broker.transport.end();
  await left;
});
