/**
 * What a broker goes through in a soak, phase by phase: each begins with nobody there, counts what
 * came of it, and leaves nobody behind. Figures that depend on the machine are returned; what must
 * be exactly so is asserted.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { sleep } from "../support/wait.ts";
import { RefusedError, SoakClient } from "./soak_client.ts";

/** How many of everything. */
export interface SoakSize {
  readonly stormClients: number;
  readonly readers: number;
  /** How long latencies are gathered, with and without somebody frozen. */
  readonly listenMs: number;
  readonly fights: number;
  readonly fighters: number;
  readonly churnClients: number;
  readonly churnTimes: number;
  readonly retainedTopics: number;
}

/** Opened at a time, where it is not a storm. */
const AT_A_TIME = 200;
const CONNECT_TRIES = 20;
const PUBLISH_EVERY_MS = 100;
/** Far more than the buffers of a socket and the broker's own bound hold. */
const FLOOD_BYTES = 24 * 1024 * 1024;
const FLOOD_PAYLOAD = 64 * 1024;
/** QoS 1 messages under way. */
const WINDOW = 16;

/** All clients are cut at once, and come back at once; seconds until the last one has its session. */
export async function reconnectStorm(port: number, { stormClients }: SoakSize): Promise<number> {
  const names = Array.from({ length: stormClients }, (_, index) => `storm ${index}`);
  const arrive = (name: string) => persist(() => SoakClient.connect(port, name, KEPT));
  const first = await inBatches(names, async (name) => {
    const [client] = await arrive(name);
    await client.subscribe([`storm/${name}`], 1);
    return client;
  });
  await Promise.all(first.map((client) => client.cut()));
  const start = performance.now();
  const back = await Promise.all(names.map(arrive));
  const seconds = (performance.now() - start) / 1000;
  const resumed = back.filter(([, { sessionPresent }]) => sessionPresent);
  assertEquals(resumed.length, stormClients);
  await Promise.all(back.map(([client]) => client.leave()));
  return seconds;
}

const KEPT = { keepsSession: true } as const;

/**
 * Milliseconds within which 99 of 100 messages arrive, without and with somebody frozen. What is
 * frozen is all the difference: the same megabytes come before both, and are read before the one.
 */
export interface FrozenFigures {
  readonly without: number;
  readonly with: number;
}

/** One of many subscribers stops reading; the others go on. */
export async function frozenSubscriber(
  port: number,
  { readers, listenMs }: SoakSize,
): Promise<FrozenFigures> {
  const names = Array.from({ length: readers }, (_, index) => `reader ${index}`);
  const clients = await inBatches(names, async (name) => {
    const [client] = await SoakClient.connect(port, name);
    await client.subscribe(["news"]);
    return client;
  });
  const [frozen] = await SoakClient.connect(port, "frozen");
  await frozen.subscribe(["news", "flood"]);
  const [publisher] = await SoakClient.connect(port, "publisher");
  await flood(publisher);
  const without = await listen(publisher, clients, listenMs);
  frozen.freeze();
  await flood(publisher);
  const figures = { without, with: await listen(publisher, clients, listenMs) };
  await frozen.cut();
  await Promise.all([publisher, ...clients].map((client) => client.leave()));
  return figures;
}

async function flood(publisher: SoakClient): Promise<void> {
  const payload = new Uint8Array(FLOOD_PAYLOAD);
  for (let sent = 0; sent < FLOOD_BYTES; sent += FLOOD_PAYLOAD) {
    await publisher.publish("flood", payload, { qos: 1 });
  }
}

/** Publishes for a while; every message reaches everybody. */
async function listen(
  publisher: SoakClient,
  clients: readonly SoakClient[],
  listenMs: number,
): Promise<number> {
  const latencies: number[] = [];
  for (const client of clients) {
    client.onPublish = ({ payload }) => {
      const sentAt = new DataView(payload.buffer, payload.byteOffset).getFloat64(0);
      latencies.push(performance.now() - sentAt);
    };
  }
  const end = performance.now() + listenMs;
  let count = 0;
  do {
    const payload = new Uint8Array(64);
    new DataView(payload.buffer).setFloat64(0, performance.now());
    await publisher.publish("news", payload);
    count++;
    await sleep(PUBLISH_EVERY_MS);
  } while (performance.now() < end);
  const expected = count * clients.length;
  await until(() => latencies.length >= expected);
  assertEquals(latencies.length, expected);
  return latencies.sort((one, other) => one - other)[Math.floor(expected * 0.99)]!;
}

/**
 * Many connections want the same few identifiers. Who has one loses it to the next who comes, unless
 * it has changed hands too often of late: then who comes is told to come later. Each is one client's
 * in the end.
 */
export async function takeOverFights(
  port: number,
  { fights, fighters }: SoakSize,
): Promise<number> {
  const numbers = Array.from({ length: fights }, (_, index) => index);
  const all = await inBatches(numbers, (number) => fight(port, `fighter ${number % fighters}`));
  const clients = all.filter((client) => client !== undefined);
  const lost = (): SoakClient[] => clients.filter(({ farewell }) => farewell !== undefined);
  await until(() => lost().length === clients.length - fighters);
  const reasons = new Set(lost().map(({ farewell }) => farewell));
  assertEquals(lost().length, clients.length - fighters);
  assertEquals([...reasons], [ReasonCode.SESSION_TAKEN_OVER]);
  await Promise.all(lost().map(({ closed }) => closed));
  const winners = clients.filter(({ farewell }) => farewell === undefined);
  assertEquals(new Set(winners.map(({ clientId }) => clientId)).size, fighters);
  await Promise.all(winners.map((client) => client.leave()));
  return lost().length;
}

async function fight(port: number, clientId: string): Promise<SoakClient | undefined> {
  try {
    const [client] = await SoakClient.connect(port, clientId);
    return client;
  } catch (error) {
    if (error instanceof RefusedError && error.reasonCode === ReasonCode.SERVER_BUSY) {
      return undefined;
    }
    throw error;
  }
}

/** Filters of all kinds come and go, and each time there is a message for them. */
export async function subscriptionChurn(
  port: number,
  { churnClients, churnTimes }: SoakSize,
): Promise<number> {
  const names = Array.from({ length: churnClients }, (_, index) => index);
  let received = 0;
  await inBatches(names, async (name) => {
    const [client] = await SoakClient.connect(port, `churn ${name}`);
    let own = 0;
    client.onPublish = () => own++;
    for (let time = 0; time < churnTimes; time++) {
      const root = `churn/${name}/${time}`;
      const filters = [root, `${root}/+`, `${root}/#`, `$share/all/${root}/x`, `+/${name}/+/y`];
      await client.subscribe(filters, 1);
      const payload = new Uint8Array(32);
      await client.publish(`${root}/x`, payload, { qos: 1 });
      const expected = 3 * (time + 1);
      await until(() => own >= expected);
      assertEquals(own, expected);
      await client.unsubscribe(filters);
    }
    received += own;
    await client.leave();
  });
  return received;
}

/** Retained messages are set, replaced and cleared; nothing is left of them. */
export async function retainedChurn(
  port: number,
  { retainedTopics }: SoakSize,
): Promise<number> {
  const [publisher] = await SoakClient.connect(port, "retainer");
  const [reader] = await SoakClient.connect(port, "retained reader");
  let count = 0;
  reader.onPublish = () => count++;
  const all = async (payload: Uint8Array): Promise<void> => {
    for (let at = 0; at < retainedTopics; at += WINDOW) {
      await Promise.all(
        Array.from({ length: Math.min(WINDOW, retainedTopics - at) }, (_, index) => {
          const topic = `retained/${at + index}/${(at + index) % 7}`;
          return publisher.publish(topic, payload, { qos: 1, retain: true });
        }),
      );
    }
  };
  await all(new Uint8Array(100));
  await all(new Uint8Array(200));
  await reader.subscribe(["retained/#"]);
  await until(() => count >= retainedTopics);
  assertEquals(count, retainedTopics);
  await reader.unsubscribe(["retained/#"]);
  await all(new Uint8Array(0));
  await reader.subscribe(["retained/+/+"]);
  // What is left would have come before the answer to this.
  await reader.unsubscribe(["retained/+/+"]);
  assertEquals(count, retainedTopics);
  await Promise.all([publisher.leave(), reader.leave()]);
  return count;
}

const DEADLINE_MS = 60_000;

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!condition() && performance.now() < end) await sleep(2);
}

/** Does it for each, some at a time. */
async function inBatches<T, R>(items: readonly T[], step: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += AT_A_TIME) {
    results.push(...await Promise.all(items.slice(at, at + AT_A_TIME).map(step)));
  }
  return results;
}

/** A storm fills the queue of a listener: who is turned away comes again. */
async function persist<T>(step: () => Promise<T>): Promise<T> {
  for (let left = CONNECT_TRIES;; left--) {
    try {
      return await step();
    } catch (error) {
      if (left === 0) throw error;
      await sleep(50 * (CONNECT_TRIES - left + 1));
    }
  }
}
