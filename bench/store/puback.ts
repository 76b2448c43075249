/**
 * What a publisher waits for when messages are kept on disk: each broker in turn, with and without,
 *
 * - the time from a PUBLISH of QoS 1 to its PUBACK, at a rate, fifty publishers to fifty subscribers
 *   whose sessions last;
 * - how fast messages are taken that a thousand sessions have to wait for whose clients are away.
 *
 *     deno run -A bench/store/puback.ts [deno|bun|node|mosquitto]...
 *
 * @module
 */

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
      const { puback, pubackCpuMicros, awayPerSecond, awayCpuMicros } = await measure(
        source,
        isDurable,
      );
      rows.push([
        `${nameOf(source)}${isDurable ? ", durable" : ""}`,
        ...[0.5, 0.99, 0.999].map((part) => duration(puback.percentile(part))),
        digits(pubackCpuMicros),
        grouped(awayPerSecond),
        digits(awayCpuMicros),
      ]);
    }
  }
  console.log(table(rows));
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

async function measure(source: BrokerSource, isDurable: boolean): Promise<Outcome> {
  const broker = await startBroker(source, { wire: "tcp", isDurable, cpu: undefined });
  try {
    const cpu = (): number => cpuSeconds(broker.usage());
    const paced = await pace(broker.port, cpu);
    const away = await publishAway(broker.port, cpu);
    return { ...paced, ...away };
  } finally {
    await broker.stop();
  }
}

async function pace(
  port: number,
  cpu: () => number,
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
    await sleep(TICK_MS);
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
