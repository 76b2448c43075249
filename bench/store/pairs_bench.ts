/**
 * What durability adds to a message in one process, without sockets: fifty publishers of QoS 1, each
 * with a subscriber whose session lasts, served by the driver with no store, with one that keeps
 * nothing (what recording costs), and with SQLite that waits for no disk (what storing costs).
 * Microseconds of CPU for each message, those of the clients included.
 *
 *     deno run -A bench/store/pairs_bench.ts [rounds]
 *
 * @module
 */

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { prng } from "../../src/core/base/prng.ts";
import { BrokerCore } from "../../src/core/broker/broker_core.ts";
import { DEFAULT_LIMITS } from "../../src/core/broker/limits.ts";
import { encodePacket } from "../../src/core/codec/encode.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import { Driver } from "../../src/driver/driver.ts";
import { openDatabase } from "../../src/runtime/node/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { SqliteStore } from "../../src/store/sqlite_store.ts";
import type { Transport, TransportHandler } from "../../src/transport/transport.ts";
import { bytesOf, connect, publish, request, subscribe } from "../../test/support/packets.ts";

const PAIRS = 50;
/** Messages of each publisher in a turn: as many as a client may have in flight, or more of them. */
const BURSTS = [8, 40];
const TURNS = 300;
const WARM_UP_TURNS = 100;
const TOPIC_BYTES = 8;

/** A client that answers what it is sent when it is told to. */
class Client implements Transport {
  readonly remoteAddress = "";
  readonly remotePort = 0;
  readonly localPort = 0;
  handler: TransportHandler | undefined;
  #acks = new Uint8Array(64 * 1024);
  #length = 0;

  write(bytes: Uint8Array, length: number): boolean {
    for (let at = 0; at < length;) {
      const head = bytes[at]!;
      // No packet here is longer than one byte can say.
      const end = at + 2 + bytes[at + 1]!;
      if (head >> 4 === 3 && (head & 6) === 2) {
        const id = at + 4 + TOPIC_BYTES;
        this.#acks[this.#length++] = 0x40;
        this.#acks[this.#length++] = 2;
        this.#acks[this.#length++] = bytes[id]!;
        this.#acks[this.#length++] = bytes[id + 1]!;
      }
      at = end;
    }
    return true;
  }

  /** Acknowledges what has arrived; whether there was any. */
  answer(): boolean {
    const length = this.#length;
    this.#length = 0;
    if (length > 0) this.handler!.onBytes(this.#acks.slice(0, length));
    return length > 0;
  }

  pause(): void {}
  resume(): void {}
  close(): void {}
  abort(): void {}
}

const FORGETFUL: Store = {
  load: () => [],
  commit: () => {},
  loadDeliveries: () => [],
  close: () => {},
};

function encoded(...packets: readonly Packet[]): Uint8Array {
  const writer = new Writer(new Uint8Array(64 * 1024));
  for (const packet of packets) encodePacket(writer, packet, 4);
  return writer.bytes.slice(0, writer.length);
}

function measure(store: Store | undefined, burst: number): number {
  const core = new BrokerCore({
    limits: DEFAULT_LIMITS,
    random: prng(1),
    keepsJournal: store !== undefined,
  });
  const tasks: (() => void)[] = [];
  const host = { now: () => performance.now(), defer: (task: () => void) => tasks.push(task) };
  const onError = (_: string, error: unknown): never => {
    throw error;
  };
  const driver = new Driver({ core, host, store, onError });
  const open = (clientId: string): Client => {
    const client = new Client();
    client.handler = driver.accept(client);
    client.handler.onBytes(encoded(connect({ protocolVersion: 4, clientId, cleanStart: false })));
    return client;
  };
  const turn = (): void => {
    while (tasks.length > 0) tasks.shift()!();
  };
  const payload = bytesOf("x".repeat(64));
  const pairs = Array.from({ length: PAIRS }, (_, index) => {
    const topic = `pairs/${String(index).padStart(TOPIC_BYTES - 6, "0")}`;
    const subscriber = open(`subscriber ${index}`);
    subscriber.handler!.onBytes(encoded(subscribe(1, [request(topic, { qos: 1 })])));
    const messages = Array.from(
      { length: burst },
      (_, id) => publish(topic, { qos: 1, packetId: id + 1, payload }),
    );
    return { subscriber, publisher: open(`publisher ${index}`), chunk: encoded(...messages) };
  });
  let before = process.cpuUsage();
  for (let count = -WARM_UP_TURNS; count < TURNS; count++) {
    if (count === 0) before = process.cpuUsage();
    for (const { publisher, chunk } of pairs) publisher.handler!.onBytes(chunk);
    turn();
    // Until nobody has anything to acknowledge.
    for (let isOpen = true; isOpen; turn()) {
      isOpen = false;
      for (const { subscriber } of pairs) if (subscriber.answer()) isOpen = true;
    }
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (TURNS * PAIRS * burst);
}

async function withSqlite(burst: number): Promise<number> {
  const folder = fs.mkdtempSync(join(tmpdir(), "midge-bench-"));
  const path = join(folder, "bench.midge");
  const database = await openDatabase({ path, sync: "normal" });
  const clocks = { now: () => performance.now(), wallClock: () => Date.now() };
  const store = new SqliteStore({ database, path, clocks });
  try {
    return measure(store, burst);
  } finally {
    store.close();
    fs.rmSync(folder, { recursive: true });
  }
}

const rounds = Number(process.argv[2] ?? 3);
for (const burst of BURSTS) {
  const figures: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    figures.push([measure(undefined, burst), measure(FORGETFUL, burst), await withSqlite(burst)]);
  }
  const median = (column: number): string =>
    figures.map((row) => row[column]!).sort((a, b) => a - b)[rounds >> 1]!.toFixed(2);
  console.log(
    `bursts of ${burst}: no store ${median(0)} µs, recorded ${median(1)}, stored ${median(2)}`,
  );
}
process.exit(0);
