// The load generator over everything that carries MQTT, against the broker in this process; and its
// frames beside a reader and writer of WebSockets that were not made for it.

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type LoadOptions, runLoad } from "../../bench/broker/load.ts";
import { lostOf, violationsOf } from "../../bench/broker/report.ts";
import { scenario } from "../../bench/broker/scenario.ts";
import {
  framedSizeMax,
  WebSocketReader,
  writeFrames,
} from "../../bench/broker/websocket_client.ts";
import { isEncrypted, isWebSocket, wireOf, WIRES } from "../../bench/broker/wire.ts";
import { Broker } from "../../src/app/broker.ts";
import { FrameReader } from "../../src/transport/websocket_frames.ts";
import { test } from "../harness.ts";
import { Authority } from "../support/certificates.ts";
import { runtime } from "../support/current_runtime.ts";

for (const wire of WIRES) {
  test(`runLoad() accounts for every message over ${wire}, small and large`, async () => {
    const authority = await Authority.create("CN=Load");
    const { certificate, key } = await authority.issue("CN=localhost");
    const broker = new Broker({ runtime });
    try {
      const { port } = await broker.listen({
        port: 0,
        hostname: "127.0.0.1",
        protocol: isWebSocket(wire) ? "websockets" : "mqtt",
        ...isEncrypted(wire) ? { tls: { certificate, key } } : {},
      });
      const target = {
        host: "127.0.0.1",
        port,
        wire,
        authority: authority.certificate,
        version: 4,
      } as const;
      for (const size of [64, 16_384, 70_000]) {
        const options: LoadOptions = {
          target,
          // At QoS 0 a broker may drop what a reader is too slow for.
          scenario: scenario({ publishers: 3, subscribers: 3, size, qos: 1 }),
          seconds: 0.1,
          warmupSeconds: 0,
          inflightMax: 10,
          usage: () => undefined,
        };
        const report = await runLoad(options);
        assertEquals([violationsOf(report), lostOf(report)], [[], 0]);
        assertEquals([report.received, report.received > 3], [report.published, true]);
      }
    } finally {
      await broker.close();
    }
  });
}

test("runLoad() rejects over TLS when nobody it trusts has signed the broker's certificate", async () => {
  const { certificate, key } = await (await Authority.create("CN=Load")).issue("CN=localhost");
  const other = await Authority.create("CN=Other");
  const broker = new Broker({ runtime });
  try {
    const tls = { certificate, key };
    const { port } = await broker.listen({ port: 0, hostname: "127.0.0.1", tls });
    const isRefused = await runLoad({
      target: { host: "127.0.0.1", port, wire: "tls", authority: other.certificate, version: 4 },
      scenario: scenario({ publishers: 1, subscribers: 1 }),
      seconds: 0.1,
      warmupSeconds: 0,
      inflightMax: 1,
      usage: () => undefined,
    }).then(() => false, () => true);
    assertEquals(isRefused, true);
  } finally {
    await broker.close();
  }
});

/** A QoS 0 PUBLISH of so many bytes of payload. */
function publish(size: number): number[] {
  const remaining = size + 3;
  const length: number[] = [];
  for (let rest = remaining; length.length === 0 || rest > 0; rest >>>= 7) {
    length.push(rest & 0x7f | (rest > 0x7f ? 0x80 : 0));
  }
  return [0x30, ...length, 0, 1, 0x74, ...Array.from({ length: size }, (_, i) => i & 0xff)];
}

test("writeFrames() puts each packet into a frame that reads as the packet, of any size", () => {
  const sizes = fc.array(fc.oneof(fc.nat(300), fc.nat(70_000)), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(sizes, fc.nat(3), (all, offset) => {
      const packets = Uint8Array.from(all.flatMap(publish));
      const memory = new Uint8Array(offset + framedSizeMax(packets, packets.length));
      const frames = memory.subarray(offset);
      const end = writeFrames(frames, packets, packets.length);
      const reader = new FrameReader("client");
      const count = reader.read(frames.subarray(0, end));
      assertEquals([reader.violation, frames.slice(0, count)], [0, packets]);
    }),
    { numRuns: 50 },
  );
});

const REPLY = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

test("WebSocketReader.read() finds the same payload wherever the reply and frames are cut", () => {
  const frame = (size: number): number[] => {
    const payload = Array.from({ length: size }, (_, i) => i & 0xff);
    if (size < 126) return [0x82, size, ...payload];
    if (size < 65_536) return [0x82, 126, size >> 8, size & 0xff, ...payload];
    return [0x82, 127, 0, 0, 0, 0, 0, size >> 16, size >> 8 & 0xff, size & 0xff, ...payload];
  };
  const stream = Uint8Array.from([
    ...new TextEncoder().encode(REPLY),
    ...frame(3),
    ...frame(200),
    ...frame(66_000),
  ]);
  const expected = Uint8Array.from([3, 200, 66_000].flatMap((size) => frame(size).slice(-size)));
  const cuts = fc.array(fc.oneof(fc.nat(100), fc.nat(stream.length)), { maxLength: 20 });
  fc.assert(
    fc.property(cuts, (places) => {
      const reader = new WebSocketReader();
      const found: number[] = [];
      let at = 0;
      for (const end of [...places.sort((a, b) => a - b), stream.length]) {
        const chunk = stream.slice(at, end);
        const count = reader.read(chunk);
        for (let i = 0; i < count; i++) found.push(chunk[i]!);
        at = end;
      }
      assertEquals([reader.isOpen, Uint8Array.from(found)], [true, expected]);
    }),
    { numRuns: 30 },
  );
});

test("WebSocketReader.read() throws when the broker refuses, closes, or sends what it does not know", () => {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const reasonOf = (...chunks: Uint8Array[]): string => {
    const reader = new WebSocketReader();
    return assertThrows(() => {
      for (const chunk of chunks) reader.read(chunk);
    }, Error).message;
  };
  assertEquals(
    [
      reasonOf(encode("HTTP/1.1 403 Forbidden\r\n\r\n")),
      reasonOf(encode("x".repeat(4097)), encode("x".repeat(4097))),
      reasonOf(encode(REPLY), Uint8Array.of(0x88, 2, 3, 232)),
      reasonOf(encode(REPLY), Uint8Array.of(0x81, 0)),
    ],
    [
      "The broker refused the WebSocket: HTTP/1.1 403 Forbidden",
      "The broker's reply has no end",
      "The broker closed the WebSocket",
      "The broker sent a frame that begins with 0x81",
    ],
  );
});

test("wireOf() reads what carries MQTT, and the port, from the URL", () => {
  const urls = ["mqtt://a", "mqtts://a", "ws://a:8080/x", "wss://a", "http://a"];
  assertEquals(urls.map((url) => wireOf(new URL(url))), [
    { wire: "tcp", port: 1883 },
    { wire: "tls", port: 8883 },
    { wire: "ws", port: 8080 },
    { wire: "wss", port: 443 },
    undefined,
  ]);
});
