// The frames of clients: what is left of a stream when the frames are taken off, however it is cut;
// each rule that can be broken, with its code; and a reader that is told anything at all.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  FrameReader,
  writeClose,
  writeFrameHeader,
  writePong,
} from "../../src/transport/websocket_frames.ts";
import { test } from "../harness.ts";
import { fillPattern } from "../support/byte_pattern.ts";
import { clientFrame } from "../support/websocket_peer.ts";

interface Read {
  readonly payload: number[];
  readonly pings: number[][];
  readonly violation: number;
  readonly peerCode: number;
}

/** Reads a stream in chunks, each of which lies somewhere else in memory. */
function readAll(chunks: readonly Uint8Array[]): Read {
  const reader = new FrameReader("client");
  const payload: number[] = [];
  const pings: number[][] = [];
  for (const [index, chunk] of chunks.entries()) {
    const memory = new Uint8Array(chunk.length + 8);
    const view = memory.subarray(index % 8, index % 8 + chunk.length);
    view.set(chunk);
    const count = reader.read(view);
    for (let i = 0; i < count; i++) payload.push(view[i]!);
    if (reader.pingLength >= 0) pings.push([...reader.ping.subarray(0, reader.pingLength)]);
    reader.pingLength = -1;
  }
  return { payload, pings, violation: reader.violation, peerCode: reader.peerCode };
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  fillPattern(bytes, 0);
  return bytes;
}

const OK = { pings: [], violation: 0, peerCode: 0 };

test("FrameReader.read() leaves the payloads of all frames, whatever byte the stream is cut at [MQTT-6.0.0-2]", () => {
  const stream = joined(
    clientFrame(Uint8Array.of(1, 2, 3)),
    clientFrame(pattern(300), { isFinal: false, key: [1, 2, 3, 4] }),
    clientFrame(Uint8Array.of(7), { opcode: 9 }),
    clientFrame(pattern(126), { opcode: 0, isFinal: false }),
    clientFrame(new Uint8Array(0), { opcode: 10 }),
    clientFrame(new Uint8Array(0), { opcode: 0 }),
    clientFrame(pattern(125)),
  );
  const payload = [1, 2, 3, ...pattern(300), ...pattern(126), ...pattern(125)];
  const expected = { ...OK, payload, pings: [[7]] };
  assertEquals(readAll([stream]), expected);
  for (let at = 1; at < stream.length; at++) {
    assertEquals(readAll([stream.subarray(0, at), stream.subarray(at)]), expected);
  }
  assertEquals(readAll(Array.from(stream, (byte) => Uint8Array.of(byte))), expected);
});

test("FrameReader.read() takes frames of every form of length", () => {
  for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 200_000]) {
    const bytes = pattern(length);
    const stream = clientFrame(bytes);
    assertEquals(readAll([stream]), { ...OK, payload: [...bytes] });
    assertEquals(readAll([stream.subarray(0, 5), stream.subarray(5)]), {
      ...OK,
      payload: [...bytes],
    });
  }
});

test("FrameReader.read() takes a length in a longer form than it needs", () => {
  const long = Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 42);
  const middle = Uint8Array.of(0x82, 0xfe, 0, 1, 0, 0, 0, 0, 43);
  assertEquals(readAll([long, middle]), { ...OK, payload: [42, 43] });
});

test("FrameReader.read() gives back any messages in any frames in any chunks", () => {
  const frame = fc.record({
    payload: fc.uint8Array({ maxLength: 700 }),
    key: fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }),
    isFinal: fc.boolean(),
    hasPing: fc.boolean(),
  });
  const frames = fc.array(frame, { minLength: 1, maxLength: 8 });
  const sizes = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 5 });
  fc.assert(fc.property(frames, sizes, (all, cuts) => {
    let isFragmented = false;
    const stream = joined(...all.flatMap(({ payload, key, isFinal, hasPing }) => {
      const opcode = isFragmented ? 0 : 2;
      isFragmented = !isFinal;
      const ping = clientFrame(payload.subarray(0, 125), { opcode: 9, key });
      return [clientFrame(payload, { opcode, isFinal, key }), ...hasPing ? [ping] : []];
    }));
    const chunks: Uint8Array[] = [];
    for (let at = 0, i = 0; at < stream.length; i++) {
      const size = cuts[i % cuts.length]!;
      chunks.push(stream.subarray(at, at + size));
      at += size;
    }
    const { payload, violation, peerCode } = readAll(chunks);
    assertEquals({ payload, violation, peerCode }, {
      payload: all.flatMap((one) => [...one.payload]),
      violation: 0,
      peerCode: 0,
    });
  }));
});

const NONE = new Uint8Array(0);
const HELLO = Uint8Array.of(104, 105);

const VIOLATIONS: readonly (readonly [name: string, stream: Uint8Array, code: number])[] = [
  ["a text frame", clientFrame(HELLO, { opcode: 1 }), 1003],
  ["a fragmented text frame", clientFrame(HELLO, { opcode: 1, isFinal: false }), 1003],
  ["an unmasked frame", clientFrame(HELLO, { isMasked: false }), 1002],
  ["an unmasked ping", clientFrame(HELLO, { opcode: 9, isMasked: false }), 1002],
  ["the reserved bit of compression", clientFrame(HELLO, { reserved: 4 }), 1002],
  ["another reserved bit", clientFrame(HELLO, { reserved: 2 }), 1002],
  ["the last reserved bit", clientFrame(HELLO, { reserved: 1 }), 1002],
  ["a reserved bit of a ping", clientFrame(HELLO, { opcode: 9, reserved: 4 }), 1002],
  ["opcode 3", clientFrame(HELLO, { opcode: 3 }), 1002],
  ["opcode 7", clientFrame(HELLO, { opcode: 7 }), 1002],
  ["opcode 11", clientFrame(HELLO, { opcode: 11 }), 1002],
  ["opcode 15", clientFrame(HELLO, { opcode: 15 }), 1002],
  ["a fragmented ping", clientFrame(HELLO, { opcode: 9, isFinal: false }), 1002],
  ["a fragmented close", clientFrame(NONE, { opcode: 8, isFinal: false }), 1002],
  ["a ping of 126 bytes", clientFrame(new Uint8Array(126), { opcode: 9 }), 1002],
  ["a close of 126 bytes", clientFrame(new Uint8Array(126), { opcode: 8 }), 1002],
  ["a continuation of nothing", clientFrame(HELLO, { opcode: 0 }), 1002],
  [
    "a message within a message",
    joined(clientFrame(NONE, { isFinal: false }), clientFrame(HELLO)),
    1002,
  ],
  ["a length of 2^63", clientFrame(HELLO, { length: 1n << 63n }), 1002],
  ["a length of 2^64 - 1", clientFrame(HELLO, { length: (1n << 64n) - 1n }), 1002],
  ["a length of 2^63 - 1", clientFrame(HELLO, { length: (1n << 63n) - 1n }), 1009],
  ["a length of 2^28", clientFrame(HELLO, { length: 1n << 28n }), 1009],
  ["a close of one byte", clientFrame(Uint8Array.of(3), { opcode: 8 }), 1002],
  ["a close with code 999", clientFrame(Uint8Array.of(3, 231), { opcode: 8 }), 1002],
  ["a close with code 1005", clientFrame(Uint8Array.of(3, 237), { opcode: 8 }), 1002],
  ["a close with code 1015", clientFrame(Uint8Array.of(3, 247), { opcode: 8 }), 1002],
  ["a close with code 2999", clientFrame(Uint8Array.of(11, 183), { opcode: 8 }), 1002],
  ["a close with code 5000", clientFrame(Uint8Array.of(19, 136), { opcode: 8 }), 1002],
  ["a close whose reason is no text", clientFrame(Uint8Array.of(3, 232, 255), { opcode: 8 }), 1007],
];

for (const [name, stream, violation] of VIOLATIONS) {
  test(`FrameReader.read() closes with ${violation} for ${name}, and reads no further (B-57)`, () => {
    const whole = joined(clientFrame(Uint8Array.of(1)), stream, clientFrame(Uint8Array.of(2)));
    const expected = { ...OK, payload: [1], violation };
    assertEquals(readAll([whole]), expected);
    assertEquals(readAll(Array.from(whole, (byte) => Uint8Array.of(byte))), expected);
  });
}

test("FrameReader.read() takes the longest frame that is allowed, as far as it comes", () => {
  const stream = clientFrame(HELLO, { length: (1n << 28n) - 1n });
  assertEquals(readAll([stream]), { ...OK, payload: [...HELLO] });
});

const CLOSES: readonly (readonly [name: string, payload: Uint8Array, code: number])[] = [
  ["no code", NONE, 1000],
  ["1000", Uint8Array.of(3, 232), 1000],
  ["1014 and a reason", Uint8Array.of(3, 246, 195, 188), 1014],
  ["3000", Uint8Array.of(11, 184), 3000],
  ["4999", Uint8Array.of(19, 135), 4999],
];

for (const [name, payload, peerCode] of CLOSES) {
  test(`FrameReader.read() understands a close with ${name}, and reads no further`, () => {
    const stream = joined(clientFrame(payload, { opcode: 8 }), clientFrame(HELLO));
    assertEquals(readAll([stream]), { ...OK, payload: [], peerCode });
    assertEquals(
      readAll(Array.from(stream, (byte) => Uint8Array.of(byte))),
      { ...OK, payload: [], peerCode },
    );
  });
}

test("FrameReader.read() keeps the newest of many pings and nothing of the others (B-57)", () => {
  const reader = new FrameReader("client");
  for (let i = 0; i < 1000; i++) reader.read(clientFrame(Uint8Array.of(i & 255), { opcode: 9 }));
  // One that has only begun does not touch the one that is due.
  reader.read(clientFrame(Uint8Array.of(9, 9, 9), { opcode: 9 }).subarray(0, 8));
  assertEquals([...reader.ping.subarray(0, reader.pingLength)], [231]);
});

test("FrameReader.read() has an answer to any bytes and never more payload than bytes", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 })), (chunks) => {
    const { payload, violation, peerCode } = readAll(chunks);
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    assertEquals(payload.length <= length, true);
    assertEquals(violation === 0 || [1002, 1003, 1007, 1009].includes(violation), true);
    assertEquals(violation === 0 || peerCode === 0, true);
  }));
});

test("writeFrameHeader(), writePong() and writeClose() write what a server sends", () => {
  const bytes = new Uint8Array(8);
  const written = (size: number): number[] => [...bytes.subarray(0, size)];
  assertEquals(written(writeFrameHeader(bytes, 0)), [0x82, 0]);
  assertEquals(written(writeFrameHeader(bytes, 125)), [0x82, 125]);
  assertEquals(written(writeFrameHeader(bytes, 126)), [0x82, 126, 0, 126]);
  assertEquals(written(writeFrameHeader(bytes, 65_535)), [0x82, 126, 255, 255]);
  assertEquals(written(writePong(bytes, Uint8Array.of(5, 6))), [0x8a, 2, 5, 6]);
  assertEquals(written(writeClose(bytes, 1009)), [0x88, 2, 3, 241]);
});
