// Web Streams as a transport: the contract over streams in memory, one whose writable side takes
// chunks as they are and keeps them, and what a broken or stuck stream does.

import { assertEquals } from "@std/assert";
import { type ByteDuplex, serveStream } from "../../src/driver/stream_connection.ts";
import type { Accept } from "../../src/transport/transport.ts";
import { type Peer, transportSuite } from "../contract/transport.ts";
import { test } from "../harness.ts";
import { Probe } from "../support/probe.ts";
import { settle } from "../support/wait.ts";

/** The other side of a duplex, read by a loop that can be stopped. */
class StreamPeer implements Peer {
  onChunk: (chunk: Uint8Array) => void = () => {};
  isEnded = false;
  isBroken = false;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #reading: Promise<void> = Promise.resolve();
  #resume: () => void = () => {};

  constructor(duplex: ByteDuplex) {
    this.#reader = duplex.readable.getReader();
    this.#writer = duplex.writable.getWriter();
    this.#writer.closed.catch(() => {});
    this.#read();
  }

  async send(bytes: Uint8Array): Promise<void> {
    await this.#writer.ready;
    await this.#writer.write(bytes);
  }

  finish(): void {
    this.#writer.close().catch(() => {});
  }

  abort(): void {
    this.#writer.abort(new Error("The peer aborted")).catch(() => {});
    this.#reader.cancel(new Error("The peer aborted")).catch(() => {});
  }

  setReading(isReading: boolean): void {
    this.#resume();
    if (!isReading) this.#reading = new Promise((resolve) => this.#resume = resolve);
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        await this.#reading;
        const { done, value } = await this.#reader.read();
        if (done) break;
        this.onChunk(value);
      }
    } catch {
      this.isBroken = true;
    }
    this.isEnded = true;
  }
}

/**
 * Two duplexes back to back; what is written to one is read from the other. Each direction keeps a
 * few chunks as they are, so that a chunk which is used again too early is found out.
 */
function duplexPair(): [ByteDuplex, ByteDuplex] {
  const few = { highWaterMark: 4 };
  const there = new TransformStream<Uint8Array, Uint8Array>(undefined, few, few);
  const back = new TransformStream<Uint8Array, Uint8Array>(undefined, few, few);
  return [
    { readable: back.readable, writable: there.writable },
    { readable: there.readable, writable: back.writable },
  ];
}

transportSuite({
  name: "serveStream()",
  heldBytesMax: 16 * 65_536,
  isHalfClosable: true,
  lingers: true,
  connect(accept) {
    const [near, far] = duplexPair();
    serveStream(near, accept);
    return Promise.resolve(new StreamPeer(far));
  },
  release: () => Promise.resolve(),
});

function serve(duplex: ByteDuplex): { probe: Probe; served: Promise<void> } {
  let probe: Probe | undefined;
  const accept: Accept = (transport) => probe = new Probe(transport);
  const served = serveStream(duplex, accept, {
    remoteAddress: "tab",
    remotePort: 2,
    localPort: 3,
  });
  return { probe: probe!, served };
}

test("serveStream() tells the address that it was given", async () => {
  const [near] = duplexPair();
  const { probe, served } = serve(near);
  assertEquals(probe.address, { remoteAddress: "tab", remotePort: 2, localPort: 3 });
  probe.abort();
  await served;
});

test("serveStream() reports the error of a stream that breaks while it is read", async () => {
  const broken = new Error("Broken");
  const readable = new ReadableStream<Uint8Array>({
    start: (controller) => controller.error(broken),
  });
  const { probe, served } = serve({ readable, writable: new WritableStream() });
  await served;
  assertEquals([probe.closeCount, probe.error, probe.violations], [1, broken, []]);
});

test("serveStream() reports the error of a stream that breaks while it is written", async () => {
  const broken = new Error("Broken");
  const writable = new WritableStream<Uint8Array>({ write: () => Promise.reject(broken) });
  const { probe, served } = serve({ readable: new ReadableStream(), writable });
  probe.write(Uint8Array.of(1));
  await served;
  assertEquals([probe.closeCount, probe.error, probe.violations], [1, broken, []]);
});

test("serveStream() reports an error that the handler throws", async () => {
  const [near, far] = duplexPair();
  const { probe, served } = serve(near);
  const broken = new Error("Broken");
  probe.onChunk = () => {
    throw broken;
  };
  new StreamPeer(far).send(Uint8Array.of(1)).catch(() => {});
  await served;
  assertEquals([probe.closeCount, probe.error, probe.violations], [1, broken, []]);
});

test("serveStream() aborts though the sink never takes the last chunk", async () => {
  const writable = new WritableStream<Uint8Array>({ write: () => new Promise(() => {}) });
  const { probe, served } = serve({ readable: new ReadableStream(), writable });
  assertEquals(probe.write(Uint8Array.of(1)), false);
  await settle();
  probe.close();
  probe.abort();
  await served;
  assertEquals([probe.closeCount, probe.error, probe.violations], [1, undefined, []]);
});
