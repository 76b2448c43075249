// A WebSocket as a transport, step by step: the handshake on a port that speaks HTTP, the order of
// what is written while a write is outstanding, pings, and each way of closing.

import { assertEquals } from "@std/assert";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { textResponse } from "../../src/transport/http.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { type WebSocketOptions, withWebSocket } from "../../src/transport/websocket.ts";
import { test } from "../harness.ts";
import { FakeTimers } from "../support/fake_timers.ts";
import { Probe } from "../support/probe.ts";
import { ScriptedTransport } from "../support/scripted_transport.ts";
import { settle, until } from "../support/wait.ts";
import { clientFrame, upgradeRequest } from "../support/websocket_peer.ts";

const OPTIONS: WebSocketOptions = { headBytesMax: 4096 };

const REPLY = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";

interface Opened {
  readonly wire: ScriptedTransport;
  readonly probe: Probe;
  readonly transport: Transport;
}

/** A WebSocket after its handshake. */
async function open(prepare: (probe: Probe) => void = () => {}): Promise<Opened> {
  const wire = new ScriptedTransport();
  wire.tls = { version: "TLSv1.3", cipher: "x", certificate: undefined, pskIdentity: "id" };
  let opened: { probe: Probe; transport: Transport } | undefined;
  wire.accept(withWebSocket((transport) => {
    opened = { transport, probe: new Probe(transport) };
    prepare(opened.probe);
    return opened.probe;
  }, OPTIONS));
  wire.receive(upgradeRequest());
  await until(() => opened !== undefined, "the connection is accepted");
  assertEquals(wire.takeText().slice(0, REPLY.length), REPLY);
  return { wire, ...opened! };
}

test("withWebSocket() forwards who the peer is, and never believes X-Forwarded-For (B-56)", async () => {
  const wire = new ScriptedTransport();
  let seen: Transport | undefined;
  wire.accept(withWebSocket((transport) => new Probe(seen = transport), OPTIONS));
  wire.receive(upgradeRequest({ "X-Forwarded-For": "10.9.8.7", "Forwarded": "for=10.9.8.7" }));
  await until(() => seen !== undefined, "the connection is accepted");
  const { remoteAddress, remotePort, localPort, tls } = seen!;
  assertEquals({ remoteAddress, remotePort, localPort, tls }, {
    remoteAddress: "192.0.2.1",
    remotePort: 4711,
    localPort: 1883,
    tls: undefined,
  });
  wire.end();
});

test("withWebSocket() forwards what TLS says", async () => {
  const { wire, transport } = await open();
  assertEquals(transport.tls, wire.tls);
  wire.end();
});

test("withWebSocket() makes one chunk of all frames of a chunk", async () => {
  const { wire, probe } = await open();
  const chunks: number[][] = [];
  probe.onChunk = (chunk) => void chunks.push([...chunk]);
  wire.receive(Uint8Array.of(
    ...clientFrame(Uint8Array.of(1, 2)),
    ...clientFrame(new Uint8Array(0)),
    ...clientFrame(Uint8Array.of(3), { isFinal: false }),
    ...clientFrame(Uint8Array.of(4, 5), { opcode: 0 }),
  ));
  wire.receive(clientFrame(new Uint8Array(0)));
  assertEquals(chunks, [[1, 2, 3, 4, 5]]);
  wire.end();
});

test("withWebSocket() lends no buffer of the caller's for longer than it says", async () => {
  const { wire, probe } = await open();
  const bytes = Uint8Array.of(1, 2, 3);
  assertEquals(probe.write(bytes, 2), true);
  assertEquals(wire.takeBytes(), [0x82, 2, 1, 2]);
  wire.isFast = false;
  assertEquals(probe.write(bytes), false);
  assertEquals(wire.takeBytes(), [0x82, 3, 1, 2, 3]);
  wire.drain();
  assertEquals([probe.writableCount, probe.violations], [1, []]);
  wire.end();
});

test("withWebSocket() writes a long packet in several frames, each when the last has left", async () => {
  const { wire, probe } = await open();
  wire.isFast = false;
  assertEquals(probe.write(new Uint8Array(150_000)), false);
  const sizes = [wire.takeBytes().length];
  while (probe.writableCount === 0) {
    wire.drain();
    sizes.push(wire.takeBytes().length);
  }
  assertEquals(sizes, [65_536, 65_536, 18_936 + 4, 0]);
  wire.end();
});

test("withWebSocket() answers the last ping of a chunk, and of a flood nobody reads (B-57)", async () => {
  const { wire, probe } = await open();
  const ping = (byte: number): Uint8Array => clientFrame(Uint8Array.of(byte), { opcode: 9 });
  wire.receive(Uint8Array.of(...ping(1), ...ping(2), ...ping(3)));
  assertEquals(wire.takeBytes(), [0x8a, 1, 3]);
  wire.isFast = false;
  for (let i = 0; i < 1000; i++) wire.receive(ping(i & 127));
  assertEquals(wire.takeBytes(), [0x8a, 1, 0]);
  // A write that finds the pong under way waits behind it, and the newest ping goes first.
  assertEquals(probe.write(Uint8Array.of(9)), false);
  assertEquals(wire.takeBytes(), []);
  wire.drain();
  assertEquals([wire.takeBytes(), probe.writableCount], [[0x8a, 1, 103], 0]);
  wire.drain();
  assertEquals([wire.takeBytes(), probe.writableCount], [[0x82, 1, 9], 0]);
  wire.drain();
  assertEquals([wire.takeBytes(), probe.writableCount, probe.received], [[], 1, []]);
  wire.end();
});

test("withWebSocket() sends a closing frame after an outstanding write, then closes", async () => {
  const { wire, probe } = await open();
  wire.isFast = false;
  probe.write(new Uint8Array(70_000));
  wire.takeBytes();
  probe.close();
  assertEquals([wire.takeBytes(), wire.calls], [[], []]);
  assertEquals(probe.write(Uint8Array.of(1)), true);
  wire.drain();
  assertEquals([wire.takeBytes().length, wire.calls], [70_000 - 65_532 + 4, []]);
  wire.drain();
  assertEquals([wire.takeBytes(), wire.calls], [[0x88, 2, 3, 232], ["close"]]);
  wire.end();
  assertEquals([probe.closeCount, probe.error, probe.violations], [1, undefined, []]);
});

test("withWebSocket() closes at once a connection that its handler does not want", async () => {
  const { wire, probe } = await open((probe) => {
    probe.write(Uint8Array.of(0x20));
    probe.close();
  });
  assertEquals(wire.calls, ["close"]);
  wire.receive(clientFrame(Uint8Array.of(1)));
  wire.end();
  assertEquals([probe.received, probe.closeCount, probe.violations], [[], 1, []]);
});

test("withWebSocket() gives up on closing when the peer does not take what is left (B-33)", async () => {
  const { wire, probe } = await open();
  const timers = new FakeTimers();
  await timers.run(() => {
    wire.isFast = false;
    probe.write(new Uint8Array(70_000));
    probe.close();
    timers.advance(4999);
    assertEquals(wire.calls, []);
    timers.advance(1);
    assertEquals(wire.calls, ["abort"]);
    wire.end();
    assertEquals([probe.closeCount, timers.pending], [1, []]);
  });
});

test("withWebSocket() answers a peer's closing frame with its own code, after the answers", async () => {
  const { wire, probe } = await open();
  const timers = new FakeTimers();
  await timers.run(() => {
    wire.isFast = false;
    wire.receive(Uint8Array.of(
      ...clientFrame(Uint8Array.of(1)),
      ...clientFrame(Uint8Array.of(15, 160), { opcode: 8 }),
      ...clientFrame(Uint8Array.of(2)),
    ));
    wire.receive(clientFrame(Uint8Array.of(3)));
    probe.write(Uint8Array.of(7));
    timers.advance(10);
    assertEquals([wire.takeBytes(), wire.calls, probe.closeCount], [[0x82, 1, 7], [], 0]);
    wire.drain();
    assertEquals([wire.takeBytes(), wire.calls], [[0x88, 2, 15, 160], ["close"]]);
    wire.end();
    assertEquals(
      [probe.received, probe.writableCount, probe.closeCount, probe.error, probe.violations],
      [[1], 1, 1, undefined, []],
    );
    assertEquals(timers.pending, []);
  });
});

const BROKEN: readonly (readonly [name: string, frame: Uint8Array, code: number])[] = [
  ["a text frame", clientFrame(Uint8Array.of(65), { opcode: 1 }), 1003],
  ["an unmasked frame", clientFrame(Uint8Array.of(65), { isMasked: false }), 1002],
  ["a length of 2^63", clientFrame(new Uint8Array(0), { length: 1n << 63n }), 1002],
  ["a frame that is too large", clientFrame(new Uint8Array(0), { length: 1n << 28n }), 1009],
  ["compression", clientFrame(Uint8Array.of(65), { reserved: 4 }), 1002],
];

for (const [name, frame, code] of BROKEN) {
  test(`withWebSocket() closes with ${code} for ${name}, drops the rest, says why (B-57) [MQTT-6.0.0-1]`, async () => {
    const { wire, probe } = await open();
    wire.isFast = false;
    probe.write(new Uint8Array(70_000));
    wire.takeBytes();
    wire.receive(Uint8Array.of(...clientFrame(Uint8Array.of(1)), ...frame));
    assertEquals([probe.received, probe.closeCount], [[1], 1]);
    assertEquals(probe.error instanceof OperationError && probe.error.code, "closed");
    wire.drain();
    assertEquals([wire.takeBytes(), wire.calls], [[0x88, 2, code >> 8, code & 255], ["close"]]);
    wire.end();
    assertEquals([probe.closeCount, probe.violations], [1, []]);
  });
}

/** What becomes of a connection that begins with this. */
async function begin(
  options: Partial<WebSocketOptions>,
  ...chunks: readonly string[]
): Promise<{ text: string; calls: string[]; reasons: string[]; isAccepted: boolean }> {
  const reasons: string[] = [];
  let isAccepted = false;
  const wire = new ScriptedTransport().accept(
    withWebSocket((transport) => {
      isAccepted = true;
      return new Probe(transport);
    }, { ...OPTIONS, onRejected: (reason) => void reasons.push(reason), ...options }),
  );
  for (const chunk of chunks) wire.receive(chunk);
  await settle();
  wire.end();
  return { text: wire.takeText(), calls: wire.calls, reasons, isAccepted };
}

const CLOSED = { text: "", calls: ["close"], reasons: [], isAccepted: false };
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

test("withWebSocket() closes without a word what is no request for a WebSocket", async () => {
  const refused = (reason: string) => ({ ...CLOSED, reasons: [reason] });
  const other = refused("not a websocket request");
  assertEquals(await begin({}, GET), other);
  assertEquals(await begin({}, upgradeRequest({ Upgrade: undefined })), other);
  assertEquals(await begin({}, "\x10\x0c\0\x04MQTT"), refused("bad http request"));
  assertEquals(
    await begin({}, `GET / HTTP/1.1\r\nA: ${"x".repeat(5000)}`),
    refused("http request too large"),
  );
});

test("withWebSocket() closes without a word, and says why, what it refuses (B-57)", async () => {
  assertEquals(
    await begin({}, upgradeRequest({ "Sec-WebSocket-Protocol": "chat" })),
    { ...CLOSED, reasons: ["no known websocket subprotocol"] },
  );
  assertEquals(
    await begin({ origins: ["https://a.example"] }, upgradeRequest({ Origin: "https://a.exampl" })),
    { ...CLOSED, reasons: ["non-matching http origin"] },
  );
});

test("withWebSocket() takes no bytes before its reply", async () => {
  const frame = String.fromCharCode(...clientFrame(Uint8Array.of(1)));
  const early = { ...CLOSED, reasons: ["bytes ahead of the websocket reply"] };
  assertEquals(await begin({}, upgradeRequest() + frame), early);
  assertEquals(await begin({}, upgradeRequest(), frame), early);
});

test("withWebSocket() answers HTTP on the same port where it is told how", async () => {
  const http = () => Promise.resolve(textResponse(200, "page"));
  const { text, isAccepted } = await begin({ http }, GET);
  assertEquals([text.slice(-8), isAccepted], ["\r\n\r\npage", false]);
  const accepted = await begin({ http }, upgradeRequest());
  assertEquals(accepted, { text: REPLY, calls: [], reasons: [], isAccepted: true });
});

test("withWebSocket() ends the connection when its handler cannot be made", async () => {
  const errors: unknown[] = [];
  const failure = new Error("The broker is closed");
  const wire = new ScriptedTransport().accept(withWebSocket(() => {
    throw failure;
  }, { ...OPTIONS, onError: (error) => void errors.push(error) }));
  wire.receive(upgradeRequest());
  await until(() => wire.calls.length > 0, "the connection ends");
  wire.end();
  assertEquals([wire.calls, errors], [["abort"], [failure]]);
});

test("withWebSocket() forgets a connection that goes during the handshake", async () => {
  const wire = new ScriptedTransport();
  let isAccepted = false;
  wire.accept(withWebSocket((transport) => {
    isAccepted = true;
    return new Probe(transport);
  }, OPTIONS));
  wire.receive(upgradeRequest());
  wire.end();
  await settle();
  assertEquals([wire.takeText(), isAccepted], ["", false]);
});
