/**
 * The hot path without a socket: a chunk of QoS 0 messages arrives in the broker core, and what
 * comes of it is taken out of the outboxes. The control is a bare loop that does the least anybody
 * could do with the same bytes: find each packet's end and copy it once per subscriber.
 *
 * Run with `deno run -A bench/core/hot_path_bench.ts [rounds]`.
 *
 * @module
 */

import { MemoryBroker } from "../../test/bench/memory_broker.ts";
import { compare } from "../harness.ts";

const MESSAGES_PER_TURN = 50;

for (
  const { subscribers, payloadBytes } of [
    { subscribers: 1, payloadBytes: 16 },
    { subscribers: 1, payloadBytes: 64 },
    { subscribers: 100, payloadBytes: 16 },
    { subscribers: 100, payloadBytes: 64 },
    { subscribers: 100, payloadBytes: 1024 },
  ]
) {
  const broker = new MemoryBroker({
    subscribers,
    payloadBytes,
    messagesPerTurn: MESSAGES_PER_TURN,
  });
  const { chunk } = broker;
  const outboxes = Array.from({ length: subscribers }, () => new Uint8Array(chunk.length));
  const unit = subscribers === 1 ? "1 subscriber" : `${subscribers} subscribers`;
  compare(
    `a turn of ${MESSAGES_PER_TURN} messages of ${payloadBytes} bytes, ${unit}`,
    [
      {
        name: "bare parse and copy",
        run: (iterations) => {
          let sum = 0;
          for (let i = 0; i < iterations; i++) sum += parseAndCopy(chunk, outboxes);
          return sum;
        },
      },
      {
        name: "BrokerCore",
        run: (iterations) => {
          let sum = 0;
          for (let i = 0; i < iterations; i++) {
            broker.turn();
            sum += broker.bytesOut;
          }
          return sum;
        },
      },
    ],
    { control: "bare parse and copy", rounds: rounds() },
  );
}

/** Copies each packet of a chunk into each outbox; returns how many bytes that were. */
function parseAndCopy(chunk: Uint8Array, outboxes: readonly Uint8Array[]): number {
  let copied = 0;
  for (let start = 0; start < chunk.length;) {
    let size = 0;
    let at = start + 1;
    for (let shift = 0;; shift += 7) {
      const byte = chunk[at++]!;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const packet = chunk.subarray(start, at + size);
    for (const outbox of outboxes) outbox.set(packet, start);
    copied += packet.length * outboxes.length;
    start = at + size;
  }
  return copied;
}

/** How often each row runs; a few rounds are enough to print a ratio beside a change. */
function rounds(): number {
  const runtime: { Deno?: { args: string[] }; process?: { argv: string[] } } = globalThis;
  const words = runtime.Deno?.args ?? runtime.process?.argv.slice(2) ?? [];
  return Number(words[0] ?? 15);
}
