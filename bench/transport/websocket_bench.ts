/**
 * What a WebSocket costs per message beside the copy of its bytes: taking the frames off and
 * unmasking, one or many in a chunk, and putting a frame around what leaves. The control copies the
 * same bytes from one buffer to another.
 *
 * Run with `deno run -A bench/transport/websocket_bench.ts`.
 *
 * @module
 */

import type { Transport, TransportHandler } from "../../src/transport/transport.ts";
import { withWebSocket } from "../../src/transport/websocket.ts";
import { FrameReader } from "../../src/transport/websocket_frames.ts";
import { compare } from "../harness.ts";

const CONTROL = "a copy of the bytes";

for (const size of [64, 1024, 65_536]) {
  const single = chunkOf(size, 1);
  const many = chunkOf(size, 16);
  compare(`Reading frames of ${size} bytes: per frame`, [
    { name: CONTROL, run: (iterations) => copy(single, iterations) },
    { name: "one in a chunk", run: (iterations) => read(single, 1, iterations) },
    { name: "sixteen in a chunk", run: (iterations) => read(many, 16, iterations) },
  ], { control: CONTROL });
}

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const REQUEST = new TextEncoder().encode(
  `GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: ${KEY}\r\n` +
    "Sec-WebSocket-Protocol: mqtt\r\n\r\n",
);
const socket = await openSocket();

for (const size of [64, 1024, 65_536]) {
  const bytes = new Uint8Array(size).fill(7);
  compare(`Writing ${size} bytes: per write`, [
    { name: CONTROL, run: (iterations) => copy(bytes, iterations) },
    { name: "into a frame", run: (iterations) => write(socket, bytes, iterations) },
  ], { control: CONTROL });
}
socket.abort();

function copy(bytes: Uint8Array, iterations: number): number {
  const target = new Uint8Array(bytes.length);
  for (let i = 0; i < iterations; i++) target.set(bytes);
  return target[0]!;
}

/** The chunk is spoilt by reading it, so each round begins with a copy of it. */
function read(chunk: Uint8Array, frames: number, iterations: number): number {
  const reader = new FrameReader("client");
  const borrowed = new Uint8Array(chunk.length);
  let sum = 0;
  for (let done = 0; done < iterations; done += frames) {
    borrowed.set(chunk);
    sum += reader.read(borrowed);
  }
  return sum;
}

function write(transport: Transport, bytes: Uint8Array, iterations: number): number {
  let sum = 0;
  for (let i = 0; i < iterations; i++) sum += transport.write(bytes, bytes.length) ? 1 : 0;
  return sum;
}

function chunkOf(size: number, frames: number): Uint8Array {
  const mask = [0x12, 0x34, 0x56, 0x78];
  const header = size < 126
    ? [0x82, 0x80 | size]
    : size < 65_536
    ? [0x82, 0xfe, size >> 8, size & 255]
    : [0x82, 0xff, 0, 0, 0, 0, 0, size >> 16, size >> 8 & 255, size & 255];
  const frame = [...header, ...mask, ...new Array<number>(size).fill(0x55)];
  return Uint8Array.from(new Array<number[]>(frames).fill(frame).flat());
}

/** A WebSocket whose transport takes whatever it is given at once. */
async function openSocket(): Promise<Transport> {
  let opened: Transport | undefined;
  const nowhere: Transport = {
    remoteAddress: "",
    remotePort: 0,
    localPort: 0,
    write: () => true,
    pause: () => {},
    resume: () => {},
    close: () => {},
    abort: () => handler.onClose(),
  };
  const handler: TransportHandler = withWebSocket((transport) => {
    opened = transport;
    return { onBytes: () => {}, onWritable: () => {}, onClose: () => {} };
  }, { headBytesMax: 4096 })(nowhere);
  handler.onBytes(REQUEST);
  while (opened === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
  return opened;
}
