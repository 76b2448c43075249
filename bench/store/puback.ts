/**
 * What a publisher waits for when messages are kept on disk: each broker in turn, with and without,
 *
 * - the time from a PUBLISH of QoS 1 to its PUBACK, at a rate, fifty publishers to fifty subscribers
 *   whose sessions last;
 * - how fast messages are taken that a thousand sessions have to wait for whose clients are away.
 *
 * Where there are two cores the broker has one and this program the other. Two rows say what is not
 * the broker's: what a tick of this program is late by, in which nothing can be heard, and how long
 * the disk takes to flush a page that is overwritten, in the folder where the databases are.
 *
 *     deno run -A bench/store/puback.ts [deno|bun|node|mosquitto]...
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Packet } from "../../src/core/codec/packet.ts";
import { WireClient } from "../../test/support/wire_client.ts";
import { type BrokerSource, nameOf, prepare, startBroker } from "../broker/brokers.ts";
import { Histogram } from "../broker/histogram.ts";
import type { Usage } from "../broker/process_usage.ts";
import { digits, duration, grouped, table } from "../broker/text_plot.ts";

const RATE = 5000;
const PAIRS = 50;
const WARM_UP_MS = 2000;
const PHASE_MS = 5000;
const TICK_MS = 2;

const FLUSHES = 500;
const PAGE_BYTES = 4096;

const SESSIONS_AWAY = 1000;
/** Fewer than any broker here lets wait for one client. */
const MESSAGES_AWAY = 90;
const PAYLOAD = new Uint8Array(64);

interface Outcome {
  readonly puback: Histogram;
  readonly pubackCpuMicros: number;
  readonly awayPerSecond: number;
  readonly awayCpuMicros: number;
}

async function main(names: readonly string[]): Promise<void> {
  const sources = names.map(sourceOf);
  await prepare(sources);
  const cpu = pinned();
  const lateness = new Histogram();
  const rows = [[
    "broker",
    `PUBACK at ${grouped(RATE)}/s: p50`,
    "p99",
    "p99.9",
    "CPU µs",
    `into ${grouped(SESSIONS_AWAY)} sessions, deliveries/s`,
    "CPU µs",
  ]];
  for (const source of sources) {
    for (const isDurable of [false, true]) {
      const outcome = await measure(source, { isDurable, cpu, lateness });
      const { puback, pubackCpuMicros, awayPerSecond, awayCpuMicros } = outcome;
      rows.push([
        `${nameOf(source)}${isDurable ? ", durable" : ""}`,
        ...percentiles(puback),
        digits(pubackCpuMicros),
        grouped(awayPerSecond),
        digits(awayCpuMicros),
      ]);
    }
  }
  rows.push(["this program's ticks, late by", ...percentiles(lateness), "", "", ""]);
  rows.push(["a flush of one page", ...percentiles(flushes()), "", "", ""]);
  console.log(table(rows));
}

function percentiles(histogram: Histogram): string[] {
  return [0.5, 0.99, 0.999].map((part) => duration(histogram.percentile(part)));
}

/** Keeps this program to the second core; the first is the broker's. */
function pinned(): string | undefined {
  if (navigator.hardwareConcurrency < 2) return undefined;
  const { status } = spawnSync("taskset", ["-a", "-c", "-p", "1", `${Deno.pid}`]);
  return status === 0 ? "0" : undefined;
}

/** What the disk takes by itself. */
function flushes(): Histogram {
  const histogram = new Histogram();
  const folder = fs.mkdtempSync(join(tmpdir(), "midge-bench-"));
  const file = fs.openSync(join(folder, "page"), "w");
  const page = new Uint8Array(PAGE_BYTES);
  for (let count = 0; count < FLUSHES; count++) {
    fs.writeSync(file, page.fill(count), 0, PAGE_BYTES, 0);
    const start = performance.now();
    fs.fdatasyncSync(file);
    histogram.add((performance.now() - start) * 1000);
  }
  fs.closeSync(file);
  fs.rmSync(folder, { recursive: true });
  return histogram;
}

function sourceOf(name: string): BrokerSource {
  switch (name) {
    case "mosquitto":
      return { kind: "mosquitto" };
    case "deno":
    case "bun":
    case "node":
      return { kind: "midge", runtime: name };
    default:
      throw new Error(`There is no broker "${name}"`);
  }
}

interface Conditions {
  readonly isDurable: boolean;
  /** That of the broker. */
  readonly cpu: string | undefined;
  /** Takes how late the ticks were that a PUBACK was measured by. */
  readonly lateness: Histogram;
}

async function measure(
  source: BrokerSource,
  { isDurable, cpu, lateness }: Conditions,
): Promise<Outcome> {
  const broker = await startBroker(source, { wire: "tcp", isDurable, cpu });
  try {
    const used = (): number => cpuSeconds(broker.usage());
    const paced = await pace(broker.port, used, lateness);
    const away = await publishAway(broker.port, used);
    return { ...paced, ...away };
  } finally {
    await broker.stop();
  }
}

async function pace(
  port: number,
  cpu: () => number,
  lateness: Histogram,
): Promise<Pick<Outcome, "puback" | "pubackCpuMicros">> {
  const subscribers = await Promise.all(
    range(PAIRS).map(async (index) => {
      const client = await connect(port, `subscriber ${index}`);
      await client.subscribe([`pair/${index}`], 1);
      client.onPacket = (packet) => acknowledge(client, packet);
      return client;
    }),
  );
  let puback = new Histogram();
  const publishers = await Promise.all(
    range(PAIRS).map(async (index) => {
      const client = await connect(port, `publisher ${index}`);
      const sentAt: Map<number, number> = new Map();
      client.onPacket = (packet) => {
        if (packet.type !== "puback") return;
        puback.add((performance.now() - sentAt.get(packet.packetId)!) * 1000);
        sentAt.delete(packet.packetId);
      };
      return { client, sentAt, topic: `pair/${index}` };
    }),
  );
  const start = performance.now();
  let sent = 0;
  let warmSent = 0;
  let cpuStart = 0;
  let isWarm = false;
  for (;;) {
    const now = performance.now();
    if (!isWarm && now - start > WARM_UP_MS) {
      isWarm = true;
      puback = new Histogram();
      warmSent = sent;
      cpuStart = cpu();
    }
    if (now - start > WARM_UP_MS + PHASE_MS) break;
    for (const due = (now - start) * RATE / 1000; sent < due; sent++) {
      const { client, sentAt, topic } = publishers[sent % PAIRS]!;
      const packetId = client.nextPacketId();
      sentAt.set(packetId, performance.now());
      client.publish(topic, PAYLOAD, { qos: 1, packetId });
    }
    const slept = performance.now();
    await sleep(TICK_MS);
    if (isWarm) lateness.add(Math.max(0, performance.now() - slept - TICK_MS) * 1000);
  }
  const pubackCpuMicros = (cpu() - cpuStart) * 1e6 / (sent - warmSent);
  for (const client of [...subscribers, ...publishers.map(({ client }) => client)]) {
    client.destroy();
  }
  return { puback, pubackCpuMicros };
}

async function publishAway(
  port: number,
  cpu: () => number,
): Promise<Pick<Outcome, "awayPerSecond" | "awayCpuMicros">> {
  for (const index of range(SESSIONS_AWAY)) {
    const client = await connect(port, `away ${index}`);
    await client.subscribe(["away"], 1);
    client.leave();
  }
  const publisher = await connect(port, "publisher");
  const cpuStart = cpu();
  const start = performance.now();
  for (let sent = 0; sent < MESSAGES_AWAY; sent += 10) {
    for (let count = 0; count < 10; count++) publisher.publish("away", PAYLOAD, { qos: 1 });
    for (let count = 0; count < 10; count++) await publisher.next("a PUBACK", 60_000);
  }
  const seconds = (performance.now() - start) / 1000;
  const deliveries = MESSAGES_AWAY * SESSIONS_AWAY;
  publisher.destroy();
  return {
    awayPerSecond: deliveries / seconds,
    awayCpuMicros: (cpu() - cpuStart) * 1e6 / deliveries,
  };
}

async function connect(port: number, clientId: string): Promise<WireClient> {
  const client = await WireClient.open(port, 4);
  await client.handshake({ clientId, cleanStart: false });
  return client;
}

function acknowledge(client: WireClient, packet: Packet): void {
  if (packet.type !== "publish") return;
  const { packetId } = packet;
  client.sendPacket({ type: "puback", packetId, reasonCode: 0, properties: {} });
}

function cpuSeconds(usage: Usage | undefined): number {
  return usage?.cpuSeconds ?? 0;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) await main(Deno.args.length > 0 ? Deno.args : ["deno", "mosquitto"]);
