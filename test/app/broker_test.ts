// The broker as embedders use it: over pipes, streams and a runtime's listener, with its callbacks.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Broker } from "../../mod.ts";
import { OperationError } from "../../src/core/base/operation_error.ts";
import type { BrokerEvent } from "../../src/core/broker/event.ts";
import { ASK, OPEN_POLICY } from "../../src/core/broker/question.ts";
import { decodePacket } from "../../src/core/codec/decode.ts";
import { encodePacket } from "../../src/core/codec/encode.ts";
import { Framer } from "../../src/core/codec/framer.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import type { BrokerRuntime, Listener } from "../../src/runtime/runtime.ts";
import { openMemoryPipe } from "../../src/transport/memory_pipe.ts";
import type { Accept, Transport, TransportHandler } from "../../src/transport/transport.ts";
import { test } from "../harness.ts";
import {
  bytesOf,
  connect,
  disconnect,
  publish,
  request,
  subscribe,
  will,
} from "../support/packets.ts";
import { until } from "../support/wait.ts";

function encode(...packets: readonly Packet[]): Uint8Array {
  const writer = new Writer(new Uint8Array(64));
  for (const packet of packets) encodePacket(writer, packet, 5);
  return writer.bytes.slice(0, writer.length);
}

/** Gathers packets from chunks. */
class Reading {
  readonly packets: Packet[] = [];
  readonly #framer: Framer = new Framer();

  feed(chunk: Uint8Array): void {
    const framer = this.#framer;
    framer.feed(chunk);
    while (framer.next()) {
      const { firstByte, bytes, bodyStart, end } = framer;
      this.packets.push(decodePacket(firstByte, bytes, bodyStart, end, 5));
    }
    framer.keepRest();
  }

  async until(count: number): Promise<Packet[]> {
    await until(() => this.packets.length >= count, `${count} packets have arrived`);
    return this.packets.splice(0);
  }
}

/** A client at the far end of a memory pipe. */
class PipeClient extends Reading implements TransportHandler {
  isClosed = false;
  #transport: Transport | undefined;

  constructor(accept: Accept) {
    super();
    openMemoryPipe(accept, (transport) => {
      this.#transport = transport;
      return this;
    });
  }

  send(...packets: readonly Packet[]): void {
    const bytes = encode(...packets);
    this.#transport!.write(bytes, bytes.length);
  }

  onBytes(chunk: Uint8Array): void {
    this.feed(chunk);
  }

  onWritable(): void {}

  onClose(): void {
    this.isClosed = true;
  }
}

function pipeTo(broker: Broker): PipeClient {
  return new PipeClient((transport) => broker.accept(transport));
}

function types(packets: readonly Packet[]): string[] {
  return packets.map(({ type }) => type);
}

test("Broker.accept() serves clients over transports, and publish() reaches them", async () => {
  const broker = new Broker();
  const client = pipeTo(broker);
  client.send(connect(), subscribe(1, [request("hello", { qos: 1 })]));
  assertEquals(types(await client.until(2)), ["connack", "suback"]);
  assertEquals(broker.publish({ topic: "hello", payload: bytesOf("world"), qos: 1 }), 1);
  assertEquals(broker.publish({ topic: "nobody", payload: bytesOf("x"), retain: true }), 0);
  assertEquals(await client.until(1), [
    publish("hello", { qos: 1, packetId: 1, payload: "world" }),
  ]);
  assertEquals(broker.gauges, {
    connections: 1,
    connected: 1,
    sessions: 1,
    subscriptions: 1,
    sharedSubscriptions: 0,
    retained: 1,
    storedMessages: 1,
    storedBytes: 1,
    backlogPackets: 0,
    backlogBytes: 0,
  });
  assertEquals(broker.counters.publishSent, 1);
  await broker.close();
  assertEquals(client.isClosed, true);
});

test("Broker.serve() serves a duplex of bytes until the client leaves", async () => {
  const broker = new Broker();
  const [toBroker, fromBroker] = [
    new TransformStream<Uint8Array>(),
    new TransformStream<Uint8Array>(),
  ];
  const served = broker.serve({ readable: toBroker.readable, writable: fromBroker.writable });
  const writer = toBroker.writable.getWriter();
  const reading = new Reading();
  const read = (async () => {
    for await (const chunk of fromBroker.readable) reading.feed(chunk);
  })();
  await writer.write(encode(connect(), { type: "pingreq" }));
  assertEquals(types(await reading.until(2)), ["connack", "pingresp"]);
  await writer.write(encode(disconnect()));
  await writer.close();
  await served;
  await read;
  assertEquals(broker.gauges.connections, 0);
  await broker.close();
});

test("Broker.publish() throws for what is no topic", async () => {
  const broker = new Broker();
  assertThrows(
    () => broker.publish({ topic: "a/+", payload: bytesOf("") }),
    TypeError,
    'Cannot publish to the topic "a/+"',
  );
  await broker.close();
});

test("Broker.disconnect() sends a client away", async () => {
  const broker = new Broker();
  const client = pipeTo(broker);
  client.send(connect({ clientId: "x" }));
  await client.until(1);
  assertEquals([broker.disconnect("y"), broker.disconnect("x")], [false, true]);
  assertEquals(await client.until(1), [disconnect(ReasonCode.ADMINISTRATIVE_ACTION)]);
  await until(() => client.isClosed, "the connection is closed");
  await broker.close();
});

test("Broker asks, reports events and failures through its callbacks", async () => {
  const events: BrokerEvent["kind"][] = [];
  const failures: unknown[] = [];
  const failure = new Error("Deaf");
  const broker = new Broker({
    policy: { ...OPEN_POLICY, connect: () => ASK },
    ask: (question) =>
      Promise.resolve({
        kind: "connect",
        reasonCode: question.kind === "connect" && question.request.clientId === "good"
          ? 0
          : ReasonCode.BANNED,
      }),
    onEvent: (event) => {
      events.push(event.kind);
      if (event.kind === "closed") throw failure;
    },
    onError: (stage, error) => failures.push([stage, error]),
    tracesPackets: true,
    listener: { topicAliasMaximum: 3 },
  });
  const [good, bad] = [pipeTo(broker), pipeTo(broker)];
  good.send(connect({ clientId: "good" }));
  bad.send(connect({ clientId: "bad" }));
  const [connack] = await good.until(1);
  assertEquals(connack?.type === "connack" && connack.properties.topicAliasMaximum, 3);
  const [refusal] = await bad.until(1);
  assertEquals(refusal?.type === "connack" && refusal.reasonCode, ReasonCode.BANNED);
  await broker.close();
  assertEquals(events.filter((kind) => kind !== "packet").sort(), [
    "closed",
    "closed",
    "connected",
    "opened",
    "opened",
  ]);
  assertEquals(events.filter((kind) => kind === "packet").length, 2);
  assertEquals(failures, [["event", failure], ["event", failure]]);
});

test("Broker.close() publishes the Wills, may be called twice, and ends all else", async () => {
  const broker = new Broker();
  const heir = pipeTo(broker);
  heir.send(connect({ clientId: "heir" }), subscribe(1, [request("w")]));
  await heir.until(2);
  const client = pipeTo(broker);
  client.send(connect({ will: will("w") }));
  await client.until(1);
  await Promise.all([broker.close(), broker.close()]);
  assertEquals(heir.packets, [publish("w", { payload: "gone" })]);
  assertEquals([heir.isClosed, client.isClosed, broker.gauges.connections], [true, true, 0]);
  const payload = bytesOf("");
  const closed = [
    () => broker.publish({ topic: "a", payload }),
    () => pipeTo(broker),
    () => broker.serve({ readable: new ReadableStream(), writable: new WritableStream() }),
  ];
  for (const call of closed) {
    const error = assertThrows(call, OperationError);
    assertEquals(error.code, "closed");
  }
  await assertRejects(() => broker.listen(), OperationError);
});

/** A runtime whose listener is in the test's hands. */
class FakeRuntime implements BrokerRuntime {
  readonly calls: string[] = [];
  accept: Accept | undefined;
  turns = 0;
  opened: Promise<void> = Promise.resolve();

  listenUnix(): Promise<never> {
    return Promise.reject(new Error("Not used here"));
  }

  async listenTcp(
    { hostname, port }: { readonly hostname: string; readonly port: number },
    accept: Accept,
  ): Promise<Listener> {
    this.calls.push(`listen ${hostname} ${port}`);
    this.accept = accept;
    await this.opened;
    const close = () => {
      this.calls.push("close");
      return Promise.resolve();
    };
    return { hostname, port: port === 0 ? 49_152 : port, close };
  }

  now(): number {
    return performance.now();
  }

  defer(flush: () => void): void {
    this.turns++;
    queueMicrotask(flush);
  }
}

test("Broker.listen() listens with the runtime that it was given, until it is closed", async () => {
  const runtime = new FakeRuntime();
  const broker = new Broker({ runtime });
  const { port, hostname } = await broker.listen({ port: 0, hostname: "::1" });
  await broker.listen();
  const third = await broker.listen({ port: 1 });
  assertEquals([hostname, port], ["::1", 49_152]);
  const client = new PipeClient(runtime.accept!);
  client.send(connect());
  assertEquals(types(await client.until(1)), ["connack"]);
  await third.close();
  await broker.close();
  assertEquals(runtime.calls, [
    "listen ::1 0",
    "listen 127.0.0.1 1883",
    "listen 127.0.0.1 1",
    "close",
    "close",
    "close",
  ]);
  assertEquals(client.isClosed, true);
});

test("Broker.listen() that is overtaken by close() leaves nothing open", async () => {
  const runtime = new FakeRuntime();
  let open = () => {};
  runtime.opened = new Promise((resolve) => open = resolve);
  const broker = new Broker({ runtime });
  const listening = assertRejects(() => broker.listen(), OperationError);
  await broker.close();
  open();
  await listening;
  assertEquals(runtime.calls.at(-1), "close");
});

test("Broker ends turns as its runtime does, once it has found one to listen with", async () => {
  const runtime = new FakeRuntime();
  const broker = new Broker({ runtime: () => Promise.resolve(runtime) });
  const client = pipeTo(broker);
  client.send(connect());
  await client.until(1);
  assertEquals(runtime.turns, 0);
  await broker.listen();
  client.send({ type: "pingreq" });
  await client.until(1);
  assertEquals(runtime.turns > 0, true);
  await broker.close();
});

test("Broker.close() leaves nobody in whose connection was still being opened", async () => {
  const runtime = new FakeRuntime();
  const broker = new Broker({ runtime });
  await broker.listen();
  await broker.close();
  const client = new PipeClient(runtime.accept!);
  await until(() => client.isClosed, "the connection is closed");
  assertEquals(broker.gauges.connections, 0);
});

test("Two Brokers share nothing", async () => {
  const [one, two] = [new Broker(), new Broker()];
  const client = pipeTo(one);
  client.send(connect(), subscribe(1, [request("#")]));
  await client.until(2);
  assertEquals([two.publish({ topic: "a", payload: bytesOf("") }), two.gauges.connections], [0, 0]);
  await two.close();
  assertEquals(one.publish({ topic: "a", payload: bytesOf("") }), 1);
  await one.close();
});
