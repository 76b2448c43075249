/**
 * What a message costs the client library, beside MQTT.js: CPU time of this process per message of
 * 64 bytes, user and system, over TCP. The broker runs in a process of its own, which also publishes
 * what is to be received; rounds of the two clients alternate, and the best of each counts.
 *
 * @module
 */

import { spawn } from "node:child_process";
import process from "node:process";
import mqtt from "mqtt";
import { Broker } from "../../mod.ts";
import { Client } from "../../src/client/client.ts";
import { currentRuntime, currentRuntimeName } from "../../src/runtime/current.ts";

const PAYLOAD = new Uint8Array(64).fill(120);
const ROUNDS = 5;
/** Messages that MQTT.js may be behind; it tells by a callback when each is written. */
const BATCH = 1000;
const INFLIGHT = 100;
/** Messages that are sent to a receiver at a time: more than it can take would be dropped. */
const ORDER = 2000;

type Row = (count: number) => Promise<void>;

interface Clients {
  readonly midge: Readonly<Record<string, Row>>;
  readonly other: Readonly<Record<string, Row>>;
  close(): Promise<void>;
}

const COUNTS: Readonly<Record<string, number>> = {
  "publish, QoS 0": 300_000,
  "publish, QoS 0, with a promise each": 300_000,
  "publish, QoS 1, 100 in flight": 40_000,
  "receive by callback, QoS 0": 300_000,
  "receive by iteration, QoS 0": 300_000,
};

async function main(): Promise<void> {
  const { port, stop } = await startPeer();
  const clients = await connect(port);
  console.log("µs of CPU per message         midge   MQTT.js   ratio");
  for (const [name, count] of Object.entries(COUNTS)) {
    const midge = clients.midge[name]!;
    const other = clients.other[name]!;
    const best = [Infinity, Infinity];
    await midge(count / 10);
    await other(count / 10);
    for (let round = 0; round < ROUNDS; round++) {
      best[0] = Math.min(best[0]!, await cpuOf(midge, count));
      best[1] = Math.min(best[1]!, await cpuOf(other, count));
    }
    const [own, theirs] = best.map((cost) => cost / count);
    const figures = [own!.toFixed(2), theirs!.toFixed(2), (own! / theirs!).toFixed(2)];
    console.log(`${name.padEnd(36)}${figures.map((text) => text.padStart(8)).join("")}`);
  }
  await clients.close();
  stop();
}

async function cpuOf(row: Row, count: number): Promise<number> {
  const before = process.cpuUsage();
  await row(count);
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

async function connect(port: number): Promise<Clients> {
  let onMessage = (): void => {};
  const url = `mqtt://127.0.0.1:${port}`;
  const options = { runtime: currentRuntime };
  const client = await Client.connect(url, options);
  const receiver = await Client.connect(url, { ...options, onMessage: () => onMessage() });
  await receiver.subscribe("midge");
  const iterating = await Client.connect(url, options);
  const messages = iterating.messages();
  await iterating.subscribe("iterated");
  const theirs = await mqtt.connectAsync(url, { protocolVersion: 5 });
  const theirReceiver = await mqtt.connectAsync(url, { protocolVersion: 5 });
  await theirReceiver.subscribeAsync("other");

  const received = async (topic: string, count: number, listen: (each: () => void) => void) => {
    for (let at = 0; at < count; at += ORDER) {
      let left = ORDER;
      const done = new Promise<void>((resolve) =>
        listen(() => {
          if (--left === 0) resolve();
        })
      );
      await client.publish("go", topic);
      await done;
    }
  };
  const theirsReceived: Row = (count) =>
    received(
      "other",
      count,
      (each) => theirReceiver.removeAllListeners("message").on("message", each),
    );
  return {
    midge: {
      async "publish, QoS 0"(count) {
        for (let i = 0; i < count; i++) {
          if (!client.hasRoom) await client.ready();
          client.publish("load", PAYLOAD);
        }
        await client.publish("load", PAYLOAD, { qos: 1 });
      },
      async "publish, QoS 0, with a promise each"(count) {
        for (let i = 0; i < count; i++) await client.publish("load", PAYLOAD);
        await client.publish("load", PAYLOAD, { qos: 1 });
      },
      "publish, QoS 1, 100 in flight": (count) =>
        inParallel(count, () => client.publish("load", PAYLOAD, { qos: 1 })),
      "receive by callback, QoS 0": (count) => received("midge", count, (each) => onMessage = each),
      async "receive by iteration, QoS 0"(count) {
        for (let i = 0; i < count; i++) {
          if (i % ORDER === 0) await client.publish("go", "iterated");
          await messages.next();
        }
      },
    },
    other: {
      async "publish, QoS 0"(count) {
        for (let i = 0; i < count; i++) {
          if (i % BATCH !== 0) theirs.publish("load", PAYLOAD as never);
          else await theirs.publishAsync("load", PAYLOAD as never);
        }
        await theirs.publishAsync("load", PAYLOAD as never, { qos: 1 });
      },
      async "publish, QoS 0, with a promise each"(count) {
        for (let i = 0; i < count; i++) await theirs.publishAsync("load", PAYLOAD as never);
      },
      "publish, QoS 1, 100 in flight": (count) =>
        inParallel(count, () => theirs.publishAsync("load", PAYLOAD as never, { qos: 1 })),
      "receive by callback, QoS 0": theirsReceived,
      "receive by iteration, QoS 0": theirsReceived,
    },
    async close() {
      for (const each of [client, receiver, iterating]) await each.disconnect();
      for (const each of [theirs, theirReceiver]) await each.endAsync();
    },
  };
}

async function inParallel(count: number, publish: () => Promise<unknown>): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await publish();
  };
  await Promise.all(Array.from({ length: INFLIGHT }, lane));
}

/** The broker, in a process of its own. */
async function startPeer(): Promise<{ port: number; stop: () => void }> {
  // As it was started, which may be a bundle.
  const file = process.argv[1]!;
  const words = currentRuntimeName() === "deno"
    ? ["run", "-A", "-q", "--lock=test/deno.lock", file, "peer"]
    : [file, "peer"];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise<number>((resolve) =>
    child.stdout.once(
      "data",
      (chunk: Uint8Array) => resolve(Number(new TextDecoder().decode(chunk))),
    )
  );
  return { port, stop: () => void child.kill() };
}

/** The other process: a broker, and somebody who publishes to the topics it is told. */
async function runPeer(): Promise<void> {
  const broker = new Broker();
  const { port } = await broker.listen({ port: 0 });
  const publisher = await Client.connect(`mqtt://127.0.0.1:${port}`, { runtime: currentRuntime });
  const orders = publisher.messages("go");
  await publisher.subscribe("go", { qos: 1 });
  console.log(port);
  for await (const { payload } of orders) {
    const topic = new TextDecoder().decode(payload);
    for (let i = 0; i < ORDER; i++) {
      if (!publisher.hasRoom) await publisher.ready();
      publisher.publish(topic, PAYLOAD);
    }
  }
}

if (process.argv.includes("peer")) await runPeer();
else await main();
