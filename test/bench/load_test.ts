// The load generator against brokers that do right, in this process, and against one that does not:
// its counts must say which is which.

import { assertEquals } from "@std/assert";
import { createServer, type Server, type Socket } from "node:net";
import { runConnections } from "../../bench/broker/connections.ts";
import { type LoadOptions, PAYLOAD_MIN, runLoad } from "../../bench/broker/load.ts";
import { lostOf, type Report, violationsOf } from "../../bench/broker/report.ts";
import { runRetained } from "../../bench/broker/retained.ts";
import { type Scenario, scenario } from "../../bench/broker/scenario.ts";
import { Broker } from "../../src/app/broker.ts";
import { decodePacket } from "../../src/core/codec/decode.ts";
import { encodePacket } from "../../src/core/codec/encode.ts";
import { Framer } from "../../src/core/codec/framer.ts";
import type { Packet, PublishPacket } from "../../src/core/codec/packet.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import { test } from "../harness.ts";
import { connack, suback } from "../support/packets.ts";
import { runtime } from "../support/current_runtime.ts";

function optionsFor(port: number, load: Scenario): LoadOptions {
  return {
    target: { host: "127.0.0.1", port, wire: "tcp", version: 4 },
    scenario: load,
    seconds: 0.1,
    warmupSeconds: 0.05,
    inflightMax: 10,
    usage: () => undefined,
  };
}

async function onMidge(
  load: Scenario,
  run: (options: LoadOptions) => Promise<Report> = runLoad,
): Promise<Report> {
  const broker = new Broker({ runtime });
  try {
    const { port } = await broker.listen({ port: 0 });
    return await run(optionsFor(port, load));
  } finally {
    await broker.close();
  }
}

const FEW = { publishers: 3, subscribers: 3 } as const;

for (
  const load of [
    scenario({ ...FEW, name: "pairs", silent: 2, otherFilters: 20 }),
    scenario({ ...FEW, name: "pairs at QoS 1", qos: 1 }),
    scenario({ ...FEW, name: "pairs at QoS 2", qos: 2 }),
    scenario({ ...FEW, name: "a mix of QoS", pattern: "qos-mix" }),
    scenario({ ...FEW, name: "fan-out", pattern: "fan-out" }),
    scenario({ ...FEW, name: "fan-in", pattern: "fan-in", subscribers: 1 }),
    scenario({ ...FEW, name: "a shared subscription", pattern: "shared" }),
    scenario({ ...FEW, name: "a fixed rate", rate: 500 }),
  ]
) {
  test(`runLoad() accounts for every message of ${load.name}`, async () => {
    const report = await onMidge(load);
    assertEquals(violationsOf(report), []);
    assertEquals(lostOf(report), 0);
    const copies = load.pattern === "fan-out" ? 3 : 1;
    assertEquals(report.received, report.published * copies);
    assertEquals(report.latency.total, report.received);
    if (load.rate > 0) assertEquals(report.published, 50);
    assertEquals(report.published > 10, true);
  });
}

test("runRetained() gets every retained message with each subscription", async () => {
  const load = scenario({ pattern: "retained", publishers: 20, subscribers: 2 });
  const report = await onMidge(load, runRetained);
  assertEquals(violationsOf(report), []);
  assertEquals(report.received, report.expected);
  assertEquals(report.received % 20, 0);
  assertEquals(report.received >= 40, true);
});

test("runConnections() opens as many connections as it was asked for", async () => {
  const load = scenario({ pattern: "connections", silent: 30 });
  const report = await onMidge(load, runConnections);
  assertEquals([report.received, report.latency.total], [30, 30]);
});

test("runLoad() rejects when the broker refuses it, and when there is none", async () => {
  const broker = new FaultyBroker(() => []);
  broker.refuses = true;
  const port = await broker.listen();
  const reason = await runLoad(optionsFor(port, scenario(FEW))).catch((error) => error.message);
  await broker.close();
  assertEquals(reason, "The broker refused the connection: 0x87");
  const load = runLoad(optionsFor(port, scenario(FEW)));
  assertEquals(await load.then(() => false, () => true), true);
});

/** A broker that hands every message to all who have subscribed, after it has been tampered with. */
class FaultyBroker {
  refuses = false;
  readonly #tamper: (message: PublishPacket) => readonly PublishPacket[];
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  readonly #subscribers: Socket[] = [];

  constructor(tamper: (message: PublishPacket) => readonly PublishPacket[]) {
    this.#tamper = tamper;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        resolve(typeof address === "object" ? address!.port : 0);
      });
    });
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    const framer = new Framer();
    socket.on("data", (chunk: Uint8Array) => {
      framer.feed(chunk);
      while (framer.next()) {
        const { firstByte, bytes, bodyStart, end } = framer;
        this.#handle(socket, decodePacket(firstByte, bytes, bodyStart, end, 4));
      }
      framer.keepRest();
    });
  }

  #handle(socket: Socket, packet: Packet): void {
    switch (packet.type) {
      case "connect":
        return send(socket, connack(this.refuses ? 0x87 : 0));
      case "subscribe":
        this.#subscribers.push(socket);
        return send(socket, suback(packet.packetId, packet.subscriptions.map(() => 0)));
      case "publish":
        for (const each of this.#tamper(packet)) {
          for (const subscriber of this.#subscribers) send(subscriber, each);
        }
    }
  }
}

function send(socket: Socket, packet: Packet): void {
  const writer = new Writer(new Uint8Array(64));
  encodePacket(writer, packet, 4);
  socket.write(writer.bytes.slice(0, writer.length));
}

function sequenceOf({ payload }: PublishPacket): number {
  assertEquals(payload.length >= PAYLOAD_MIN, true);
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0);
}

/** One publisher and one subscriber at a fixed rate, and the counts of what went wrong. */
async function onFaulty(
  tamper: (message: PublishPacket) => readonly PublishPacket[],
): Promise<Pick<Report, "duplicates" | "reordered" | "foreign"> & { lost: number }> {
  const broker = new FaultyBroker(tamper);
  const port = await broker.listen();
  const load = scenario({ publishers: 1, subscribers: 1, rate: 200 });
  const report = await runLoad({ ...optionsFor(port, load), warmupSeconds: 0 });
  await broker.close();
  assertEquals(report.published, 20);
  const { duplicates, reordered, foreign } = report;
  return { duplicates, reordered, foreign, lost: lostOf(report) };
}

test("runLoad() counts what is lost", async () => {
  const counts = await onFaulty((message) => sequenceOf(message) % 10 === 3 ? [] : [message]);
  assertEquals(counts, { duplicates: 0, reordered: 0, foreign: 0, lost: 2 });
});

test("runLoad() counts what comes twice", async () => {
  const counts = await onFaulty((message) =>
    sequenceOf(message) === 5 ? [message, message] : [message]
  );
  assertEquals(counts, { duplicates: 1, reordered: 0, foreign: 0, lost: 0 });
});

test("runLoad() counts what comes out of order, and not as lost", async () => {
  let held: PublishPacket[] = [];
  const counts = await onFaulty((message) => {
    if (sequenceOf(message) === 5) {
      held = [message];
      return [];
    }
    const late = held;
    held = [];
    return [message, ...late];
  });
  assertEquals(counts, { duplicates: 0, reordered: 1, foreign: 0, lost: 0 });
});

test("runLoad() counts what nobody sent", async () => {
  const counts = await onFaulty((message) => {
    const strange = { ...message, payload: new Uint8Array(3) };
    return sequenceOf(message) === 5 ? [message, strange] : [message];
  });
  assertEquals(counts, { duplicates: 0, reordered: 0, foreign: 1, lost: 0 });
});
