// A standard `WebSocket` object as a transport, step by step, with an object that the test plays.
// What the real ones do is in test/runtime/hosted_web_socket_test.ts.

import { assertEquals, assertRejects } from "@std/assert";
import { OperationError } from "../../src/core/base/operation_error.ts";
import {
  serveWebSocket,
  type StandardWebSocket,
  type WebSocketPlace,
} from "../../src/transport/web_socket_transport.ts";
import { test } from "../harness.ts";
import { FakeTimers } from "../support/fake_timers.ts";
import { Probe } from "../support/probe.ts";
import { turns } from "../support/turns.ts";

const CONNECTING = 0;
const OPEN = 1;
const MEGABYTE = 1_048_576;

/** As a platform has it, but that everything happens when the test says so. */
class PlayedSocket implements StandardWebSocket {
  binaryType = "blob";
  readyState = OPEN;
  bufferedAmount = 0;
  /** `send`, `close`, in order. */
  readonly calls: string[] = [];
  /** The very bytes that were sent. */
  readonly sent: Uint8Array[] = [];
  readonly #listeners: Map<string, ((event: unknown) => void)[]> = new Map();

  readonly addEventListener = (type: string, listener: (event: unknown) => void): void => {
    const present = this.#listeners.get(type) ?? [];
    this.#listeners.set(type, [...present, listener]);
  };

  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
    this.calls.push(`send ${bytes.length}`);
  }

  close(code?: number): void {
    this.calls.push(`close ${code ?? "without a code"}`);
  }

  tell(type: "open" | "message" | "error" | "close", data?: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data });
  }

  receive(...bytes: readonly number[]): void {
    this.tell("message", Uint8Array.from(bytes).buffer);
  }
}

interface Served {
  readonly socket: PlayedSocket;
  readonly probe: Probe;
  readonly done: Promise<void>;
}

function serve(place: WebSocketPlace = {}): Served {
  const socket = new PlayedSocket();
  let probe: Probe | undefined;
  const done = serveWebSocket(socket, (transport) => probe = new Probe(transport), place);
  return { socket, probe: probe!, done };
}

function outcome({ socket, probe }: Served): unknown {
  const { closeCount, error, violations } = probe;
  const message = error instanceof OperationError ? error.message : error;
  return { calls: socket.calls, closeCount, error: message, violations };
}

test("serveWebSocket() serves from when the WebSocket is open, and never one that does not open", async () => {
  for (const type of ["open", "error", "close"] as const) {
    const socket = new PlayedSocket();
    socket.readyState = CONNECTING;
    const probes: Probe[] = [];
    const done = serveWebSocket(socket, (transport) => {
      probes.push(new Probe(transport));
      return probes[0]!;
    }, { remoteAddress: "192.0.2.1", remotePort: 4711, localPort: 80 });
    await turns();
    assertEquals(probes.length, 0);
    socket.readyState = type === "open" ? OPEN : 3;
    socket.tell(type);
    await turns();
    if (type !== "open") {
      await done;
      assertEquals(probes.length, 0);
      continue;
    }
    assertEquals([probes[0]!.address, socket.binaryType], [
      { remoteAddress: "192.0.2.1", remotePort: 4711, localPort: 80 },
      "arraybuffer",
    ]);
    socket.tell("close");
    await done;
    assertEquals(probes[0]!.closeCount, 1);
  }
});

test("serveWebSocket() closes a WebSocket that nobody accepts, and says why", async () => {
  const socket = new PlayedSocket();
  const refuse = (): never => {
    throw new TypeError("Nobody is there");
  };
  await assertRejects(() => serveWebSocket(socket, refuse), TypeError, "Nobody is there");
  assertEquals(socket.calls, ["close without a code"]);
});

test("WebSocketTransport copies what it sends only for who keeps it", () => {
  for (const keepsBytes of [false, true]) {
    const { socket, probe } = serve({ keepsBytes });
    const bytes = Uint8Array.of(1, 2, 3, 4);
    assertEquals(probe.write(bytes, 3), true);
    bytes.fill(0);
    assertEquals([...socket.sent[0]!], keepsBytes ? [1, 2, 3] : [0, 0, 0]);
  }
});

test("WebSocketTransport.write() waits until little is left of what was written", async () => {
  const timers = new FakeTimers();
  await timers.run(() => {
    const { socket, probe } = serve();
    socket.bufferedAmount = 65_536;
    assertEquals(probe.write(Uint8Array.of(1)), true);
    socket.bufferedAmount = 65_537;
    assertEquals(probe.write(Uint8Array.of(2)), false);
    timers.advance(50);
    socket.bufferedAmount = 32_769;
    timers.advance(50);
    assertEquals(probe.writableCount, 0);
    socket.bufferedAmount = 32_768;
    timers.advance(5);
    assertEquals([probe.writableCount, probe.violations, timers.pending], [1, [], []]);
  });
});

test("WebSocketTransport holds in order what comes while it is paused", async () => {
  const { socket, probe } = serve();
  socket.receive();
  socket.receive(1);
  probe.pause();
  socket.receive(2);
  socket.receive(3);
  assertEquals(probe.received, [1]);
  probe.onChunk = (chunk) => {
    probe.received.push(...chunk);
    probe.pause();
  };
  probe.resume();
  await turns();
  assertEquals(probe.received, [1, 2]);
  probe.resume();
  // Behind what is held, though it is not paused.
  socket.receive(4);
  await turns();
  assertEquals(probe.received, [1, 2, 3]);
  probe.resume();
  await turns();
  assertEquals([probe.received, probe.violations], [[1, 2, 3, 4], []]);
});

test("WebSocketTransport gives up a peer that sends more than it may hold", async () => {
  const served = serve();
  served.probe.pause();
  for (let i = 0; i < 16; i++) served.socket.tell("message", new ArrayBuffer(MEGABYTE));
  assertEquals(served.socket.calls, []);
  served.socket.receive(1);
  await served.done;
  assertEquals(outcome(served), {
    calls: ["close without a code"],
    closeCount: 1,
    error: "Too much arrived that nobody reads",
    violations: [],
  });
});

test("WebSocketTransport refuses text [MQTT-6.0.0-1]", async () => {
  const served = serve();
  served.socket.tell("message", "hello");
  served.socket.receive(1);
  await served.done;
  assertEquals(outcome(served), {
    calls: ["close without a code"],
    closeCount: 1,
    error: "The WebSocket sent a text frame",
    violations: [],
  });
});

test("WebSocketTransport tells once how it ended", async () => {
  const closed = serve();
  closed.probe.close();
  closed.probe.close();
  assertEquals(closed.probe.write(Uint8Array.of(1)), true);
  closed.socket.receive(1);
  assertEquals(closed.probe.closeCount, 0);
  closed.socket.tell("close");
  await closed.done;
  const failed = serve();
  failed.socket.tell("error");
  failed.socket.tell("close");
  await failed.done;
  const left = serve();
  left.socket.tell("close");
  left.probe.abort();
  await left.done;
  assertEquals([closed, failed, left].map(outcome), [
    { calls: ["close 1000"], closeCount: 1, error: undefined, violations: [] },
    {
      calls: ["close without a code"],
      closeCount: 1,
      error: "The WebSocket failed",
      violations: [],
    },
    { calls: [], closeCount: 1, error: undefined, violations: [] },
  ]);
});

test("WebSocketTransport.close() does not wait for ever for the other side", async () => {
  const timers = new FakeTimers();
  await timers.run(() => {
    const { probe } = serve();
    probe.close();
    timers.advance(4999);
    assertEquals(probe.closeCount, 0);
    timers.advance(1);
    assertEquals([probe.closeCount, timers.pending], [1, []]);
  });
});
