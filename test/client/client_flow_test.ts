// What the client library does when somebody is slow, gives up or says no: back-pressure, aborts at
// everything that waits, time limits, authentication, requests; and no timer that outlives it.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Client } from "../../src/client/client.ts";
import { ClientError } from "../../src/client/client_error.ts";
import type { ClientOptions } from "../../src/client/client_options.ts";
import type { MessageStream } from "../../src/client/message_stream.ts";
import type { ReasonCode } from "../../src/core/codec/reason_code.ts";
import type { Properties } from "../../src/core/codec/property.ts";
import { test } from "../harness.ts";
import { FakeTimers } from "../support/fake_timers.ts";
import { ack, auth, bytesOf, connack, disconnect, publish } from "../support/packets.ts";
import { until } from "../support/wait.ts";
import { openSite, pipeTo } from "./client_site.ts";
import { ScriptedBroker } from "./scripted_broker.ts";

const decoder = new TextDecoder();

async function connected(
  options: ClientOptions = {},
  properties: Properties = {},
): Promise<{ broker: ScriptedBroker; client: Client }> {
  const broker = new ScriptedBroker();
  const client = new Client(broker.dial, { reconnect: false, ...options });
  const opened = client.open();
  await broker.hear();
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

async function take(stream: MessageStream, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const { value } = await stream.next();
    texts.push(decoder.decode(value!.payload));
  }
  return texts;
}

test("Client does not read while a reader is full, and reads again when half is free", async () => {
  const { broker, client } = await connected();
  const slow = client.messages("a", { bufferMessagesMax: 4 });
  const other = client.messages("b");
  const { calls } = broker.transport;
  broker.say(publish("a", { payload: "1" }), publish("b", { payload: "x" }));
  broker.say(publish("a", { payload: "2" }), publish("a", { payload: "3" }));
  assertEquals(calls, []);
  broker.say(publish("a", { payload: "4" }), publish("a", { payload: "5" }));
  assertEquals(calls, ["pause"]);
  assertEquals(await take(other, 1), ["x"]);
  assertEquals(await take(slow, 2), ["1", "2"]);
  assertEquals(calls, ["pause"]);
  assertEquals(await take(slow, 1), ["3"]);
  assertEquals(calls, ["pause", "resume"]);
  await close(broker, client);
  assertEquals(await take(slow, 2), ["4", "5"]);
  assertEquals(await slow.next(), { done: true, value: undefined });
});

test("Client does not read while too many bytes wait, and a reader that ends makes room", async () => {
  const { broker, client } = await connected();
  const slow = client.messages(undefined, { bufferBytesMax: 10 });
  broker.say(publish("a", { payload: "0123456789" }));
  assertEquals(broker.transport.calls, ["pause"]);
  await slow.return();
  assertEquals(broker.transport.calls, ["pause", "resume"]);
  await close(broker, client);
});

test("Client acknowledges when the readers have done with a message, in the order in which they came [MQTT-4.6.0-2]", async () => {
  const { broker, client } = await connected();
  const first = client.messages("a");
  const second = client.messages("+");
  broker.say(
    publish("a", { payload: "1", qos: 1, packetId: 7 }),
    publish("b", { payload: "2", qos: 2, packetId: 8 }),
    publish("nobody/here", { qos: 1, packetId: 9 }),
  );
  assertEquals(await take(second, 2), ["1", "2"]);
  assertEquals(await broker.heard(), []);
  void second.next();
  assertEquals(await broker.heard(), []);
  assertEquals(await take(first, 1), ["1"]);
  assertEquals(await broker.heard(), []);
  await first.return();
  assertEquals(await broker.heard(), [ack("puback", 7), ack("pubrec", 8), ack("puback", 9)]);
  await close(broker, client);
});

test("Client.publish() waits while the transport is busy, and goes on when it is not", async () => {
  const { broker, client } = await connected();
  const { transport } = broker;
  transport.isFast = false;
  const payload = new Uint8Array(40_000);
  const sent = [1, 2, 3, 4, 5].map(() => client.publish("a", payload));
  let done = 0;
  for (const each of sent) void each.then(() => done++);
  await broker.heard();
  assertEquals(client.queuedCount, 1);
  assertEquals(done, 4);
  transport.drain();
  await until(() => done === 5, "the last has been taken");
  transport.isFast = true;
  transport.drain();
  await close(broker, client);
});

test("Client.ready() waits for room, and publishing with room costs no promise of its own", async () => {
  const { broker, client } = await connected();
  const { transport } = broker;
  assertEquals(client.hasRoom, true);
  await client.ready();
  transport.isFast = false;
  const payload = new Uint8Array(40_000);
  const results: Promise<unknown>[] = [];
  while (client.hasRoom) results.push(client.publish("a", payload));
  assertEquals([results.length, new Set(results).size, client.queuedCount], [4, 1, 0]);
  let isReady = false;
  const ready = client.ready().then(() => isReady = true);
  const controller = new AbortController();
  const given = assertRejects(() => client.ready({ signal: controller.signal }), Error, "enough");
  controller.abort(new Error("enough"));
  await given;
  await broker.heard();
  assertEquals([client.hasRoom, isReady], [false, false]);
  transport.drain();
  await ready;
  assertEquals(client.hasRoom, true);
  transport.isFast = true;
  transport.drain();
  await close(broker, client);
  assertEquals((await assertRejects(() => client.ready(), ClientError)).code, "closed");
});

test("Client.ready() waits for the connection, and for what was published before it", async () => {
  const broker = new ScriptedBroker();
  const client = new Client(broker.dial, { reconnect: false });
  const opened = client.open();
  let isReady = false;
  const ready = client.ready().then(() => isReady = true);
  void client.publish("a", "first");
  await broker.hear();
  assertEquals([client.hasRoom, isReady], [false, false]);
  broker.say(connack(0));
  await opened;
  await ready;
  assertEquals(await broker.hear(), [publish("a", { payload: "first" })]);
  await close(broker, client);
});

test("Client rejects with the reason of a signal wherever something waits", async () => {
  const { broker, client } = await connected({}, { receiveMaximum: 1 });
  const reason = new Error("enough");
  const aborted = AbortSignal.abort(reason);
  const calls: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => client.publish("inflight", "", { qos: 1, signal }),
    (signal) => client.publish("queued", "", { qos: 1, signal }),
    (signal) => client.subscribe("a", { signal }),
    (signal) => client.unsubscribe("a", { signal }),
    (signal) => client.request("a", "", { signal }),
    (signal) => client.messages("a", { signal }).next(),
  ];
  for (const call of calls) {
    assertEquals(await assertRejects(() => call(aborted)), reason);
  }
  for (const call of calls) {
    const controller = new AbortController();
    const outcome = assertRejects(() => call(controller.signal));
    await broker.heard();
    controller.abort(reason);
    assertEquals(await outcome, reason);
  }
  assertEquals(client.queuedCount, 0);
  // The exchange that was under way ends by itself, and its place is free again.
  broker.say(ack("puback", 1));
  const next = client.publish("next", "", { qos: 1 });
  const [packet] = await broker.hear();
  assertEquals(packet, publish("next", { payload: "", qos: 1, packetId: 5 }));
  broker.say(ack("puback", 5));
  await next;
  await close(broker, client);
});

test("Client.open() and what waits for it end with the signal of the client", async () => {
  const reason = new Error("enough");
  const before = new Client(() => new Promise(() => {}), { signal: AbortSignal.abort(reason) });
  assertEquals(await assertRejects(() => before.open()), reason);

  const controller = new AbortController();
  const dialling = Client.connect(
    (_accept, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      ),
    { signal: controller.signal },
  );
  const pending = assertRejects(() => dialling);
  await Promise.resolve();
  controller.abort(reason);
  assertEquals(await pending, reason);

  const third = new AbortController();
  const { broker, client } = await connected({ signal: third.signal });
  const stream = client.messages().next();
  third.abort(reason);
  assertEquals(broker.transport.calls, ["abort"]);
  broker.transport.end();
  assertEquals(await assertRejects(() => stream), reason);
  assertEquals(await client.closed, reason);
});

test("Client.disconnect() ends at once when it is aborted", async () => {
  const { broker, client } = await connected();
  const controller = new AbortController();
  const left = client.disconnect({ signal: controller.signal });
  assertEquals(await broker.hear(), [disconnect()]);
  assertEquals(broker.transport.calls, ["close"]);
  controller.abort();
  assertEquals(broker.transport.calls, ["close", "abort"]);
  broker.transport.end();
  await left;
});

test("Client.disconnect() says why, keeps what it cannot encode to itself, and may come first", async () => {
  const { broker, client } = await connected();
  const wrong = { receiveMaximum: 1 };
  const fault = await assertRejects(() => client.disconnect({ properties: wrong }), ClientError);
  assertEquals([fault.code, await broker.heard()], ["invalid-argument", []]);
  const properties = { sessionExpiryInterval: 9, reasonString: "tired" };
  const left = client.disconnect({ reasonCode: 4 as ReasonCode, properties });
  assertEquals(await broker.hear(), [disconnect(4, properties)]);
  broker.transport.end();
  await left;
  const unopened = new Client(broker.dial);
  await unopened.disconnect();
  assertEquals((await assertRejects(() => unopened.open(), ClientError)).code, "closed");
});

test("Client refuses what the protocol has no form for, before anything is sent", async () => {
  const { broker, client } = await connected({}, { maximumPacketSize: 50, maximumQos: 1 });
  const codes: string[] = [];
  const calls = [
    () => client.publish("a/+", ""),
    () => client.publish("", ""),
    () => client.publish("a", "", { properties: { topicAlias: 70_000 } }),
    () => client.publish("a", "", { properties: { willDelayInterval: 1 } }),
    () => client.publish("a", "x".repeat(60)),
    () => client.publish("a", "", { qos: 2 }),
    () => client.subscribe("a#"),
    () => client.subscribe([]),
    () => client.subscribe("a", { properties: { subscriptionIds: [0] } }),
    () => client.unsubscribe(["$share/x"]),
    () =>
      client.respond({
        topic: "a",
        payload: bytesOf(""),
        qos: 0,
        retain: false,
        dup: false,
        properties: {},
      }, ""),
    () => client.reauthenticate(),
  ];
  for (const call of calls) {
    codes.push((await assertRejects(call, ClientError)).code);
  }
  const invalid = "invalid-argument";
  assertEquals(codes, [
    ...[invalid, invalid, invalid, invalid, "too-large", "not-supported"],
    ...[invalid, invalid, invalid, invalid, invalid, "not-supported"],
  ]);
  assertEquals(await broker.heard(), []);
  await close(broker, client);
  for (
    const options of [
      { keepAlive: -1 },
      { protocolVersion: 4, password: "only" },
      { protocolVersion: 4, authentication: { method: "m", answer: () => undefined } },
      { properties: { topicAlias: 1 } },
    ] as const
  ) {
    const fault = assertThrows(() => new Client(broker.dial, options), ClientError);
    assertEquals(fault.code, invalid);
  }
});

test("Client answers the steps of an enhanced authentication, and repeats it [MQTT-4.12.0-3] [MQTT-3.15.2-2] [MQTT-3.15.2-3]", async () => {
  const broker = new ScriptedBroker();
  const client = new Client(broker.dial, {
    reconnect: false,
    authentication: {
      method: "M",
      begin: () => bytesOf("hello"),
      answer: (challenge) => Promise.resolve(bytesOf(`${decoder.decode(challenge)}!`)),
    },
  });
  const step = (code: number, text: string) =>
    auth(code, { authenticationMethod: "M", authenticationData: bytesOf(text) });
  const opened = client.open();
  const [connect] = await broker.hear();
  assertEquals("properties" in connect! && connect.properties, {
    authenticationMethod: "M",
    authenticationData: bytesOf("hello"),
  });
  broker.say(step(0x18, "one"));
  assertEquals(await broker.hear(), [step(0x18, "one!")]);
  broker.say(connack(0, { authenticationMethod: "M" }));
  await opened;
  const again = client.reauthenticate();
  assertEquals(await broker.hear(), [step(0x19, "hello")]);
  broker.say(step(0x18, "two"));
  assertEquals(await broker.hear(), [step(0x18, "two!")]);
  broker.say(auth(0, { authenticationMethod: "M" }));
  await again;
  await close(broker, client);
});

test("Client without an authentication sends no AUTH [MQTT-4.12.0-7]", async () => {
  const broker = new ScriptedBroker();
  const client = new Client(broker.dial, { reconnect: false });
  const opened = client.open();
  await broker.hear();
  broker.say(connack(0));
  await opened;
  await assertRejects(() => client.reauthenticate(), ClientError, "There is no enhanced");
  client.publish("a", "x");
  assertEquals((await broker.hear()).map(({ type }) => type), ["publish"]);
  await close(broker, client);
});

test("Client ends when its authentication throws", async () => {
  const broker = new ScriptedBroker();
  const client = new Client(broker.dial, {
    reconnect: false,
    authentication: {
      method: "M",
      answer() {
        throw new Error("not you");
      },
    },
  });
  const opened = assertRejects(() => client.open(), Error, "not you");
  await broker.hear();
  broker.say(auth(0x18, { authenticationMethod: "M" }));
  await until(() => broker.transport.calls.length > 0, "the client has closed");
  broker.transport.end();
  await opened;
});

test("Client.request() gets the response of Client.respond(), and gives up in time", async () => {
  const site = await openSite("pipe");
  const asking = await Client.connect(site.address, { clientId: "asking" });
  const answering = await Client.connect(pipeTo(site.broker), { clientId: "answering" });
  const requests = answering.messages("double");
  await answering.subscribe("double");
  const served = (async () => {
    for await (const request of requests) {
      const number = Number(decoder.decode(request.payload));
      if (number > 0) await answering.respond(request, String(number * 2));
    }
  })();
  const answers = await Promise.all([1, 2, 3].map((n) => asking.request("double", String(n))));
  assertEquals(answers.map(({ topic, payload }) => [topic, decoder.decode(payload)]), [
    ["response/asking", "2"],
    ["response/asking", "4"],
    ["response/asking", "6"],
  ]);
  const late = () => asking.request("double", "0", { timeoutMs: 20 });
  assertEquals((await assertRejects(late, ClientError)).code, "timed-out");
  const older = await Client.connect(pipeTo(site.broker), { protocolVersion: 4 });
  const unable = await assertRejects(() => older.request("double", "1"), ClientError);
  assertEquals(unable.code, "not-supported");
  await Promise.all([asking.disconnect(), answering.disconnect(), older.disconnect()]);
  await served;
  await site.close();
});

test("Client pings, forgives silence while it does not read, and ends it otherwise [MQTT-3.1.2-20]", async () => {
  const timers = new FakeTimers();
  await timers.run(async () => {
    const broker = new ScriptedBroker();
    const now = (): number => timers.now;
    const client = new Client(broker.dial, {
      reconnect: false,
      keepAlive: 4,
      answerTimeoutMs: 1000,
      runtime: { now, defer: queueMicrotask, dial: () => Promise.reject() },
    });
    const opened = client.open();
    const settled = async (): Promise<unknown[]> => await broker.heard();
    await settled();
    broker.say(connack(0));
    await opened;
    const stream = client.messages(undefined, { bufferMessagesMax: 1 });
    broker.say(publish("a"));
    await settled();
    timers.advance(3000);
    assertEquals(await settled(), [{ type: "pingreq" }]);
    timers.advance(2500);
    assertEquals(broker.transport.calls, ["pause"]);
    await stream.next();
    assertEquals(broker.transport.calls, ["pause", "resume"]);
    timers.advance(2000);
    assertEquals(broker.transport.calls, ["pause", "resume", "abort"]);
    broker.transport.end();
    assertEquals((await client.closed as ClientError).code, "timed-out");
    assertEquals(timers.pending, []);
  });
});

test("Client leaves no timer behind, whenever it is closed", async () => {
  const timers = new FakeTimers();
  await timers.run(async () => {
    const site = await openSite("pipe");
    const client = await Client.connect(site.address, { keepAlive: 10 });
    const request = assertRejects(() => client.request("a", ""), ClientError);
    await client.publish("a", "", { qos: 2 });
    await client.disconnect();
    assertEquals((await request).code, "closed");
    const waiting = new Client(() => Promise.reject(new Error("no")), {
      reconnect: { atFirst: true },
    });
    const opened = assertRejects(() => waiting.open(), ClientError);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    assertEquals(timers.pending.length, 1);
    await waiting.disconnect();
    assertEquals((await opened).code, "closed");
    assertEquals(timers.pending, []);
    await site.close();
  });
});
