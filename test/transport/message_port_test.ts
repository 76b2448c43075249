// A MessagePort as a transport: the contract at both ends, and what the other end may not do to it.

import { assertEquals, assertRejects } from "@std/assert";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { servePort } from "../../src/transport/message_port.ts";
import type { Accept } from "../../src/transport/transport.ts";
import { transportSuite } from "../contract/transport.ts";
import { test } from "../harness.ts";
import { Probe } from "../support/probe.ts";
import { TransportPeer } from "../support/transport_peer.ts";
import { settle, sleep, until } from "../support/wait.ts";

const WINDOW = 65_536;

transportSuite({
  name: "servePort()",
  heldBytesMax: 3 * WINDOW,
  isHalfClosable: false,
  lingers: false,
  connect(accept) {
    const { port1, port2 } = new MessageChannel();
    let peer: TransportPeer | undefined;
    servePort(port1, accept);
    servePort(port2, (transport) => peer = new TransportPeer(transport));
    return Promise.resolve(peer!);
  },
  release: () => Promise.resolve(),
});

/** Not every runtime declares its locks. */
interface LocksLike {
  query(): Promise<Partial<Record<"held" | "pending", readonly { readonly name?: string }[]>>>;
  request(name: string, hold: () => Promise<void>): Promise<unknown>;
}

/** A connection whose other end is a bare port, and what that got: lengths stand for bytes. */
class Bare {
  readonly got: unknown[] = [];
  readonly served: Promise<void>;
  readonly port: MessagePort;
  #probe: Probe | undefined;

  constructor(prepare: (probe: Probe) => void = () => {}) {
    const { port1, port2 } = new MessageChannel();
    this.port = port2;
    port2.onmessage = ({ data }) => {
      // Of platforms that have locks.
      if (String(data).startsWith("lock:")) return;
      this.got.push(data instanceof Uint8Array ? { length: data.length } : data);
    };
    const accept: Accept = (transport) => {
      this.#probe = new Probe(transport);
      prepare(this.#probe);
      return this.#probe;
    };
    const address = { remoteAddress: "tab", remotePort: 2, localPort: 3 };
    this.served = servePort(port1, accept, address);
  }

  get probe(): Probe {
    return this.#probe!;
  }

  /** Ends when the connection has, and gives what the probe knows of it. */
  async ended(): Promise<{ error: string | undefined; got: unknown[] }> {
    await this.served;
    await settle();
    this.port.close();
    assertEquals([this.probe.closeCount, this.probe.violations], [1, []]);
    const { error } = this.probe;
    assertEquals(error === undefined || error instanceof Error, true);
    return { error: (error as Error | undefined)?.message, got: this.got };
  }
}

test("servePort() tells the address that it was given", async () => {
  const bare = new Bare();
  assertEquals(bare.probe.address, { remoteAddress: "tab", remotePort: 2, localPort: 3 });
  bare.probe.abort();
  assertEquals(await bare.ended(), { error: undefined, got: ["abort"] });
});

test("servePort() transfers what it sends, and leaves the writer its buffer", async () => {
  const bare = new Bare();
  const buffer = Uint8Array.of(1, 2, 3, 4);
  assertEquals(bare.probe.write(buffer, 3), true);
  assertEquals(buffer, Uint8Array.of(1, 2, 3, 4));
  bare.port.postMessage("end");
  assertEquals(await bare.ended(), { error: undefined, got: [{ length: 3 }, "end"] });
});

test("servePort() lets a write wait while the window is full, and says how much it has read", async () => {
  const bare = new Bare();
  assertEquals(bare.probe.write(new Uint8Array(WINDOW - 1)), true);
  assertEquals(bare.probe.write(new Uint8Array(2)), false);
  bare.port.postMessage(1);
  await settle();
  assertEquals(bare.probe.writableCount, 0);
  bare.port.postMessage(1);
  await until(() => bare.probe.writableCount === 1, "there is room");
  bare.port.postMessage(new Uint8Array(WINDOW / 2 - 1));
  bare.port.postMessage(new Uint8Array(3));
  bare.port.postMessage(new Uint8Array(1));
  bare.port.postMessage("end");
  assertEquals(await bare.ended(), {
    error: undefined,
    got: [{ length: WINDOW - 1 }, { length: 2 }, WINDOW / 2 + 2, "end"],
  });
  assertEquals(bare.probe.received.length, WINDOW / 2 + 3);
});

test("servePort() holds no more than the window of who sends without being read", async () => {
  const bare = new Bare((probe) => probe.pause());
  bare.port.postMessage(new Uint8Array(WINDOW));
  await settle();
  assertEquals(bare.probe.closeCount, 0);
  bare.port.postMessage(new Uint8Array(1));
  assertEquals(await bare.ended(), {
    error: "The other end of the port sent more than it may",
    got: ["abort"],
  });
  assertEquals(bare.probe.received, []);
});

test("servePort() ends with whoever sends what it does not know", async () => {
  for (const word of ["hello", {}, null, undefined, true, new ArrayBuffer(1)]) {
    const bare = new Bare();
    bare.port.postMessage(word);
    assertEquals(await bare.ended(), {
      error: "The other end of the port sent neither bytes nor a word",
      got: ["abort"],
    });
  }
  for (const credit of [0, -1, 2, NaN, Infinity]) {
    const bare = new Bare();
    bare.probe.write(new Uint8Array(1));
    bare.port.postMessage(credit);
    assertEquals(await bare.ended(), {
      error: "The other end of the port dealt with what was not sent",
      got: [{ length: 1 }, "abort"],
    });
  }
});

test("servePort() hands over what came before the end, though it was not read yet", async () => {
  const bare = new Bare((probe) => probe.pause());
  bare.port.postMessage(Uint8Array.of(1, 2));
  bare.port.postMessage(new Uint8Array());
  bare.port.postMessage(Uint8Array.of(3));
  bare.port.postMessage("end");
  bare.port.postMessage(Uint8Array.of(4));
  await settle();
  assertEquals(bare.probe.closeCount, 0);
  assertEquals(bare.probe.write(new Uint8Array(2 * WINDOW)), true);
  bare.probe.resume();
  assertEquals(await bare.ended(), { error: undefined, got: ["end"] });
  assertEquals(bare.probe.received, [1, 2, 3]);
});

test("servePort() gives a write back that nobody will take, or its writer would never read again", async () => {
  const bare = new Bare();
  assertEquals(bare.probe.write(new Uint8Array(WINDOW)), false);
  bare.probe.pause();
  bare.probe.onRoom = () => bare.probe.resume();
  bare.port.postMessage(Uint8Array.of(1));
  bare.port.postMessage("abort");
  assertEquals(await bare.ended(), {
    error: "The other end of the port aborted",
    got: [{ length: WINDOW }, "end"],
  });
  assertEquals([bare.probe.received, bare.probe.writableCount], [[1], 1]);
});

test("servePort() gives up on an end that does not answer close()", async () => {
  const bare = new Bare();
  bare.probe.close();
  bare.port.postMessage(Uint8Array.of(1));
  await settle();
  assertEquals(bare.probe.closeCount, 0);
  assertEquals(await bare.ended(), { error: undefined, got: ["end", "abort"] });
  assertEquals(bare.probe.received, []);
});

test("servePort() learns from its lock that the other end is gone, where there are locks", async () => {
  const { locks } = navigator as { locks?: LocksLike };
  if (locks === undefined) return;
  const gone = new AbortController();
  const bare = new Bare();
  const hold = (name: string): Promise<void> =>
    new Promise((release) => {
      bare.port.postMessage(`lock:${name}`);
      gone.signal.addEventListener("abort", () => release());
    });
  locks.request("midge-port-mine", () => hold("mine"));
  const count = async (kind: "held" | "pending"): Promise<number> =>
    (await locks.query())[kind]!.filter(({ name }) => name === "midge-port-mine").length;
  while (await count("pending") === 0) await sleep(2);
  bare.port.postMessage(Uint8Array.of(1));
  gone.abort();
  assertEquals(await bare.ended(), {
    error: "The other end of the port is gone",
    got: ["end"],
  });
  assertEquals(bare.probe.received, [1]);
  assertEquals([await count("held"), await count("pending")], [0, 0]);
});

test("servePort() does not believe in a lock that nobody holds, nor in a second one", async () => {
  const bare = new Bare();
  bare.port.postMessage("lock:theirs");
  await settle();
  await settle();
  await settle();
  assertEquals(bare.probe.closeCount, 0);
  bare.port.postMessage("lock:another");
  assertEquals(await bare.ended(), {
    error: "The other end of the port named a second lock",
    got: ["abort"],
  });
});

test("servePort() reports an error that the handler throws", async () => {
  const broken = new OperationError("closed", "Broken");
  const bare = new Bare((probe) => {
    probe.onChunk = () => {
      throw broken;
    };
  });
  bare.port.postMessage(Uint8Array.of(1));
  assertEquals(await bare.ended(), { error: "Broken", got: ["abort"] });
});

test("servePort() rejects with what onClose() throws", async () => {
  const { port1, port2 } = new MessageChannel();
  const served = servePort(port1, () => ({
    onBytes() {},
    onWritable() {},
    onClose() {
      throw new OperationError("closed", "Broken");
    },
  }));
  port2.postMessage("end");
  await assertRejects(() => served, OperationError, "Broken");
  port2.close();
});
