/**
 * The framer at every cut of a stream, stopped anywhere, on one shared buffer as a socket may use
 * it; then what it refuses, and how much memory it takes and returns.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BufferPool } from "../../../src/core/base/buffer_pool.ts";
import { AssertionError } from "../../../src/core/base/assert.ts";
import { MalformedPacketError, MqttError } from "../../../src/core/codec/error.ts";
import { Framer } from "../../../src/core/codec/framer.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import { fixtures, fromHex, toHex } from "./fixture.ts";

const PACKETS: readonly string[] = Object.values(fixtures).flat()
  .filter((each) => each.error === undefined)
  .map((each) => each.hex);

const STREAM = fromHex(PACKETS.join(" "));

/** The packet that the framer shows, copied; its four positions must fit together. */
function shown(framer: Framer): string {
  const { bytes, firstByte, start, bodyStart, end } = framer;
  assertEquals(firstByte, bytes[start]);
  assert(start + 2 <= bodyStart && bodyStart <= end);
  return toHex(bytes.slice(start, end));
}

function refusalOf(framer: Framer, bytes: Uint8Array): [string, number] {
  framer.feed(bytes);
  const error = assertThrows(() => framer.next(), MqttError);
  return [error.name, error.reasonCode];
}

test("Framer.unread() has the last packet found again, wherever the stream is cut", () => {
  const cuts = fc.array(fc.nat(STREAM.length), { maxLength: 30 });
  const refused = fc.array(fc.nat(PACKETS.length - 1), { maxLength: 10 });
  fc.assert(
    fc.property(cuts, refused, (places, times) => {
      const framer = new Framer();
      const found: string[] = [];
      // How often each packet is put back before it is taken; the rest of its chunk waits with it.
      const left = PACKETS.map((_, i) => times.filter((at) => at === i).length);
      let from = 0;
      for (const to of [...places, STREAM.length].sort((a, b) => a - b)) {
        const chunk = STREAM.slice(from, to);
        framer.feed(chunk);
        while (framer.next()) {
          if (left[found.length]!-- > 0) {
            const packet = shown(framer);
            framer.unread();
            framer.keepRest();
            chunk.fill(0xee);
            framer.feed(new Uint8Array(0));
            assertEquals([framer.next(), shown(framer)], [true, packet]);
            framer.unread();
          } else found.push(shown(framer));
        }
        framer.keepRest();
        from = to;
      }
      assertEquals([found, framer.bufferedBytes], [PACKETS, 0]);
    }),
    { numRuns: 200 },
  );
});

test("Framer.next() finds the same packets wherever the stream is cut", () => {
  const cuts = fc.array(fc.nat(STREAM.length), { maxLength: 60 });
  fc.assert(
    fc.property(cuts, (places) => {
      const framer = new Framer();
      const found: string[] = [];
      const ends = [...places, STREAM.length].sort((a, b) => a - b);
      // Chunks share one buffer, as those of a socket may.
      const shared = new Uint8Array(STREAM.length);
      let from = 0;
      for (const to of ends) {
        shared.fill(0xee);
        shared.set(STREAM.subarray(from, to));
        framer.feed(shared.subarray(0, to - from));
        while (framer.next()) found.push(shown(framer));
        framer.keepRest();
        from = to;
      }
      assertEquals(found, PACKETS);
      assertEquals(framer.bufferedBytes, 0);
    }),
    { numRuns: 300 },
  );
});

test("Framer.next() finds the same packets when it is stopped between any two", () => {
  const steps = fc.array(fc.tuple(fc.nat(200), fc.nat(6)), { maxLength: 80 });
  fc.assert(
    fc.property(steps, (drawn) => {
      const framer = new Framer();
      const found: string[] = [];
      const shared = new Uint8Array(STREAM.length);
      let from = 0;
      for (const [size, packets] of [...drawn, [STREAM.length, Infinity] as const]) {
        const to = Math.min(from + size, STREAM.length);
        shared.fill(0xee);
        shared.set(STREAM.subarray(from, to));
        framer.feed(shared.subarray(0, to - from));
        for (let i = 0; i < packets && framer.next(); i++) found.push(shown(framer));
        framer.keepRest();
        from = to;
      }
      while (framer.next()) found.push(shown(framer));
      assertEquals(found, PACKETS);
    }),
    { numRuns: 300 },
  );
});

test("Framer.next() goes on from what was kept without new bytes", () => {
  const framer = new Framer();
  framer.feed(fromHex("c0 00 d0 00 e0 00"));
  assertEquals([framer.next(), shown(framer)], [true, "c0 00"]);
  framer.keepRest();
  assertEquals(framer.bufferedBytes, 4);
  assertEquals([framer.next(), shown(framer)], [true, "d0 00"]);
  framer.keepRest();
  assertEquals([framer.next(), shown(framer)], [true, "e0 00"]);
  assertEquals(framer.next(), false);
});

test("Framer.next() shows 10,000 packets of one chunk where they lie", () => {
  const chunk = new Uint8Array(20_000);
  for (let at = 0; at < chunk.length; at += 2) chunk[at] = 0xc0;
  const framer = new Framer();
  framer.feed(chunk);
  let count = 0;
  while (framer.next()) {
    assert(framer.bytes === chunk && framer.start === count * 2);
    count++;
  }
  assertEquals(count, 10_000);
});

test("Framer.next() puts one packet together out of 10,000 chunks", () => {
  const packet = new Uint8Array(10_000).fill(0x61);
  packet.set([0x30, 0x8d, 0x4e]);
  const framer = new Framer();
  for (let at = 0; at < packet.length; at++) {
    framer.feed(packet.subarray(at, at + 1));
    assertEquals(framer.next(), at === packet.length - 1);
    framer.keepRest();
  }
  assertEquals(framer.bufferedBytes, 0);
});

test("Framer grows with the bytes that arrive, not with the length that was announced", () => {
  const framer = new Framer();
  framer.feed(fromHex("30 ff ff ff 7f 61"));
  assertEquals(framer.next(), false);
  framer.keepRest();
  assertEquals([framer.bufferedBytes, framer.bytes.length <= 64], [6, true]);
  for (let received = 6; received < 5000; received += 100) {
    framer.feed(new Uint8Array(100));
    assertEquals(framer.next(), false);
    framer.keepRest();
    assertEquals(framer.bufferedBytes, received + 100);
    assert(framer.bytes.length <= 2 * (received + 100));
  }
});

test("Framer makes its buffer no larger than the packet that it is for", () => {
  const framer = new Framer();
  framer.feed(fromHex("30 c8 01 00"));
  assertEquals(framer.next(), false);
  framer.keepRest();
  framer.feed(new Uint8Array(150));
  assertEquals(framer.next(), false);
  framer.keepRest();
  assertEquals(framer.bytes.length, 203);
});

test("Framer lets go of its buffer when the packet is done", () => {
  const framer = new Framer();
  framer.feed(fromHex("30 02 00"));
  assertEquals(framer.next(), false);
  framer.keepRest();
  const chunk = fromHex("00 c0 00");
  framer.feed(chunk);
  assertEquals([framer.next(), shown(framer)], [true, "30 02 00 00"]);
  assertEquals([framer.next(), framer.bytes === chunk], [true, true]);
  assertEquals(framer.next(), false);
  framer.keepRest();
  assertEquals([framer.bytes.length, framer.bufferedBytes], [0, 0]);
});

test("Framer.next() refuses a length of more than four bytes, however it arrives", () => {
  const expected: [string, number] = ["MalformedPacketError", ReasonCode.MALFORMED_PACKET];
  assertEquals(refusalOf(new Framer(), fromHex("30 ff ff ff ff")), expected);
  assertEquals(refusalOf(new Framer(), fromHex("30 ff ff ff ff 7f")), expected);
  const framer = new Framer();
  for (const byte of [0x30, 0xff, 0xff, 0xff]) {
    framer.feed(new Uint8Array([byte]));
    assertEquals(framer.next(), false);
    framer.keepRest();
  }
  assertEquals(refusalOf(framer, new Uint8Array([0x80])), expected);
  // It stays refused.
  assertThrows(() => framer.next(), MalformedPacketError);
});

for (const hex of ["c0 80 00", "30 80 80 00", "30 82 80 80 00", "30 ff 00"]) {
  test(`Framer.next() refuses the length of ${hex}, which takes more bytes than it needs [MQTT-1.5.5-1]`, () => {
    assertEquals(refusalOf(new Framer(), fromHex(hex)), [
      "MalformedPacketError",
      ReasonCode.MALFORMED_PACKET,
    ]);
  });
}

test("Framer.next() refuses a packet above the limit of its type before it keeps any of it", () => {
  const limits = new Uint32Array(16).fill(100);
  limits[1] = 99;
  const expected: [string, number] = ["MqttError", ReasonCode.PACKET_TOO_LARGE];
  assertEquals(refusalOf(new Framer(limits), fromHex("10 64")), expected);
  assertEquals(refusalOf(new Framer(limits), fromHex("10 ff ff ff 7f")), expected);
  assertEquals(
    refusalOf(new Framer(limits), new Uint8Array([0x10, 100, ...new Uint8Array(100)])),
    expected,
  );
  const framer = new Framer(limits);
  framer.feed(new Uint8Array([0x30, 100, ...new Uint8Array(100)]));
  assertEquals(framer.next(), true);
});

test("Framer.limits may be replaced between two packets", () => {
  const framer = new Framer(new Uint32Array(16).fill(1));
  framer.feed(fromHex("30 01 00 30 02 00 00"));
  assertEquals(framer.next(), true);
  assertThrows(() => framer.next(), MqttError);
  framer.limits = new Uint32Array(16).fill(2);
  assertEquals(framer.next(), true);
});

test("Framer borrows what a cut packet of kilobytes needs, and gives it back after the packet", () => {
  const pool = new BufferPool(1 << 20);
  const framer = new Framer(undefined, pool);
  const packet = Uint8Array.from({ length: 16_388 }, (_, index) => index % 251);
  packet.set([0x30, 0x80, 0x80, 0x01]);
  const idleAfterEach: number[] = [];
  for (const cut of [3000, 16_000, 16_387, 4000]) {
    framer.feed(packet.slice(0, cut));
    assertEquals(framer.next(), false);
    framer.keepRest();
    framer.feed(packet.slice(cut));
    assertEquals(framer.next(), true);
    assertEquals(shown(framer), toHex(packet));
    assertEquals(framer.next(), false);
    framer.keepRest();
    idleAfterEach.push(pool.idleBytes);
  }
  // The first cut begins with 8 KiB and grows; from then on everything is there.
  const size = 32_768;
  assertEquals(idleAfterEach, [8192 + size, 8192 + size, 8192 + size, 8192 + size]);
});

test("Framer borrows nothing for the beginning of a packet that may never end", () => {
  const pool = new BufferPool(1 << 20);
  pool.give(new Uint8Array(4096));
  const framer = new Framer(undefined, pool);
  framer.feed(fromHex("30 ff ff 7f").slice(0, 3));
  framer.next();
  framer.keepRest();
  assertEquals([pool.idleBytes, framer.bytes.length <= 64], [4096, true]);
});

test("Framer.bufferedBytes counts what has not been shown", () => {
  const framer = new Framer();
  framer.feed(fromHex("c0 00 30 05 00"));
  assertEquals(framer.bufferedBytes, 5);
  framer.next();
  assertEquals(framer.bufferedBytes, 3);
  framer.next();
  framer.keepRest();
  framer.feed(fromHex("00 00 00 00 c0"));
  assertEquals(framer.bufferedBytes, 8);
});

test("Framer.feed() insists that the rest of the last chunk was kept", () => {
  const framer = new Framer();
  framer.feed(fromHex("30 02 00"));
  framer.next();
  assertThrows(() => framer.feed(fromHex("00")), AssertionError);
});
