/**
 * What it costs to find packets in a stream: many in one chunk, one in many chunks, and a stream
 * that chunks cut anywhere. The control is the least that could be done: a loop over lengths that
 * takes the whole stream to be in memory, and never checks, keeps or refuses anything.
 *
 * Run with `deno run -A bench/core/framer_bench.ts`.
 *
 * @module
 */

import { Framer } from "../../src/core/codec/framer.ts";
import { compare } from "../harness.ts";

const PACKETS = 10_000;
const CONTROL = "a loop over lengths";

for (const size of [2, 80, 1000]) {
  const stream = makeStream(size, PACKETS);
  const result = compare(`${PACKETS} packets of ${size} bytes: per packet`, [
    { name: CONTROL, run: (iterations) => repeat(iterations, () => walk(stream)) },
    row("one chunk", stream, stream.length),
    row("chunks of 64 KiB", stream, 65_536),
    row("chunks of 1460 bytes", stream, 1460),
  ], { control: CONTROL, iterations: 4 * PACKETS });
  for (const { name, minNs } of result.rows) {
    console.log(`${name}: ${Math.round(size / minNs * 1000)} MB/s`);
  }
}

const large = makeStream(1 << 20, 1);
const result = compare("one packet of 1 MiB: per packet", [
  { name: CONTROL, run: (iterations) => walkMany(large, iterations) },
  { name: "copied once", run: (iterations) => copyMany(large, iterations) },
  feedMany("chunks of 64 KiB", large, 65_536),
  feedMany("chunks of 1460 bytes", large, 1460),
  feedMany("chunks of 64 bytes", large, 64),
], { control: "copied once" });
for (const { name, minNs } of result.rows) {
  console.log(`${name}: ${Math.round(large.length / minNs * 1000)} MB/s`);
}

/** Runs a whole stream as often as makes up the iterations, which are counted in packets. */
function repeat(iterations: number, once: () => number): number {
  let sum = 0;
  for (let done = 0; done < iterations; done += PACKETS) sum += once();
  return sum;
}

function row(name: string, stream: Uint8Array, chunkSize: number) {
  const chunks = cut(stream, chunkSize);
  const framer = new Framer();
  return {
    name,
    run: (iterations: number) => repeat(iterations, () => feedAll(framer, chunks)),
  };
}

function feedMany(name: string, stream: Uint8Array, chunkSize: number) {
  const chunks = cut(stream, chunkSize);
  const framer = new Framer();
  return {
    name,
    run: (iterations: number) => {
      let sum = 0;
      for (let i = 0; i < iterations; i++) sum += feedAll(framer, chunks);
      return sum;
    },
  };
}

function feedAll(framer: Framer, chunks: readonly Uint8Array[]): number {
  let sum = 0;
  for (const chunk of chunks) {
    framer.feed(chunk);
    while (framer.next()) sum += framer.end - framer.bodyStart;
    framer.keepRest();
  }
  return sum;
}

function walkMany(stream: Uint8Array, iterations: number): number {
  let sum = 0;
  for (let i = 0; i < iterations; i++) sum += walk(stream);
  return sum;
}

function copyMany(stream: Uint8Array, iterations: number): number {
  let sum = 0;
  for (let i = 0; i < iterations; i++) sum += stream.slice().length;
  return sum;
}

function walk(stream: Uint8Array): number {
  let sum = 0;
  let at = 0;
  while (at < stream.length) {
    let size = 0;
    let shift = 0;
    let byte = 0x80;
    at++;
    for (; byte >= 0x80; shift += 7) {
      byte = stream[at++]!;
      size |= (byte & 0x7f) << shift;
    }
    sum += size;
    at += size;
  }
  return sum;
}

/** As many PUBLISH packets of so many bytes each, header included. */
function makeStream(size: number, count: number): Uint8Array {
  const stream = new Uint8Array(size * count);
  const header = [0x30];
  let rest = size - 2;
  if (rest >= 0x80) rest = size - (size <= 0x4002 ? 3 : 4);
  for (let left = rest; header.length === 1 || left > 0; left >>>= 7) {
    header.push(left & 0x7f | (left > 0x7f ? 0x80 : 0));
  }
  for (let at = 0; at < stream.length; at += size) stream.set(header, at);
  return stream;
}

function cut(stream: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += size) chunks.push(stream.slice(at, at + size));
  return chunks;
}
