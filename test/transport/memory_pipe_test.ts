// The pipe in memory: the transport contract with either end as the peer, and the order of events
// when a test decides when they happen.

import { assertEquals } from "@std/assert";
import { openMemoryPipe } from "../../src/transport/memory_pipe.ts";
import type { Accept, Transport, TransportHandler } from "../../src/transport/transport.ts";
import { transportSuite } from "../contract/transport.ts";
import { test } from "../harness.ts";
import { TransportPeer } from "../support/transport_peer.ts";

for (const side of ["first", "second"] as const) {
  transportSuite({
    name: `openMemoryPipe(), ${side} end,`,
    heldBytesMax: 2 * 65_536,
    isHalfClosable: false,
    lingers: false,
    connect(accept) {
      let peer: TransportPeer | undefined;
      const far: Accept = (transport) => peer = new TransportPeer(transport);
      if (side === "first") openMemoryPipe(accept, far);
      else openMemoryPipe(far, accept);
      return Promise.resolve(peer!);
    },
    release: () => Promise.resolve(),
  });
}

function scripted(name: string, log: string[]): {
  accept: Accept;
  transport: () => Transport;
} {
  let transport: Transport | undefined;
  const handler: TransportHandler = {
    onBytes: (chunk) => void log.push(`${name} got ${chunk.join()}`),
    onWritable: () => void log.push(`${name} may write`),
    onClose: (error) => {
      log.push(`${name} closed${error === undefined ? "" : `: ${(error as Error).message}`}`);
    },
  };
  return {
    accept: (given) => {
      transport = given;
      return handler;
    },
    transport: () => transport!,
  };
}

function pumped(capacityBytes: number): {
  log: string[];
  left: Transport;
  right: Transport;
  pump: () => string[];
} {
  const log: string[] = [];
  const tasks: (() => void)[] = [];
  const left = scripted("left", log);
  const right = scripted("right", log);
  openMemoryPipe(left.accept, right.accept, {
    capacityBytes,
    defer: (task) => void tasks.push(task),
  });
  const pump = (): string[] => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task();
    return log.splice(0);
  };
  return { log, left: left.transport(), right: right.transport(), pump };
}

test("openMemoryPipe() does nothing until the given defer runs its tasks", () => {
  const { log, left, pump } = pumped(4);
  assertEquals(left.write(Uint8Array.of(1, 2), 2), true);
  left.close();
  assertEquals(log, []);
  assertEquals(pump(), ["left closed", "right got 1,2", "right closed"]);
});

test("openMemoryPipe() holds as many bytes as it was told and keeps their order in the ring", () => {
  const { left, right, pump } = pumped(4);
  assertEquals(left.write(Uint8Array.of(1, 2, 3), 3), true);
  assertEquals(pump(), ["right got 1,2,3"]);
  right.pause();
  assertEquals(left.write(Uint8Array.of(4, 5, 6, 7, 8, 9), 6), false);
  assertEquals(pump(), []);
  right.resume();
  assertEquals(pump(), ["right got 4", "right got 5,6,7,8", "right got 9", "left may write"]);
});

test("openMemoryPipe() hands over the rest of a write when its writer closes", () => {
  const { left, right, pump } = pumped(2);
  right.pause();
  assertEquals(left.write(Uint8Array.of(1, 2, 3, 4), 4), false);
  left.close();
  assertEquals(pump(), ["left closed"]);
  right.resume();
  assertEquals(pump(), ["right got 1,2", "right got 3,4", "right closed"]);
});

test("openMemoryPipe() drops what was not delivered when an end aborts", () => {
  const { left, right, pump } = pumped(2);
  assertEquals(left.write(Uint8Array.of(1, 2, 3), 3), false);
  left.abort();
  assertEquals(right.write(Uint8Array.of(1), 1), true);
  assertEquals(pump(), ["left closed", "right closed: The other end of the pipe aborted"]);
});
