// The TCP adapter of the present runtime: the transport contract, and what concerns the listener.

import { assertEquals, assertRejects } from "@std/assert";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { OperationError } from "../../src/core/base/operation_error.ts";
import type { Listener } from "../../src/runtime/runtime.ts";
import { transportSuite } from "../contract/transport.ts";
import { test } from "../harness.ts";
import { runtime } from "../support/current_runtime.ts";
import { Probe } from "../support/probe.ts";
import { connectPeer, type SocketPeer } from "../support/socket_peer.ts";
import { tcpFixture } from "../support/tcp_fixture.ts";
import { settle, until } from "../support/wait.ts";

const LOOPBACK = "127.0.0.1";

transportSuite(tcpFixture(`listenTcp() on ${runtime.name}`, runtime));

if (runtime.name === "bun") {
  // Node's adapter takes a handle from its socket where it can. Bun's `node:net` has none to give,
  // so here is where the other way is tested.
  const { nodeRuntime } = await import("../../src/runtime/node/runtime.ts");
  transportSuite(tcpFixture("listenTcp() of Node without handles", nodeRuntime));
}

async function withListener(
  hostname: string,
  body: (listener: Listener, probes: Probe[]) => Promise<void>,
): Promise<void> {
  const probes: Probe[] = [];
  const listener = await runtime.listenTcp({ hostname, port: 0 }, (transport) => {
    const probe = new Probe(transport);
    probe.onChunk = (chunk) => void probe.write(chunk.slice());
    probes.push(probe);
    return probe;
  });
  try {
    await body(listener, probes);
  } finally {
    for (const probe of probes) if (probe.closeCount === 0) probe.abort();
    await listener.close();
  }
}

async function echoed(peer: SocketPeer, bytes: number[]): Promise<number[]> {
  const got: number[] = [];
  peer.onChunk = (chunk) => void got.push(...chunk);
  await peer.send(Uint8Array.from(bytes));
  await until(() => got.length >= bytes.length, "the bytes come back");
  return got;
}

test(`listenTcp() on ${runtime.name} tells both ends' addresses`, () =>
  withListener(LOOPBACK, async (listener, probes) => {
    const peer = await connectPeer(LOOPBACK, listener.port);
    assertEquals(await echoed(peer, [1]), [1]);
    assertEquals(probes.map((probe) => probe.address), [{
      remoteAddress: LOOPBACK,
      remotePort: peer.localPort,
      localPort: listener.port,
    }]);
    peer.destroy();
  }));

test(`listenTcp() on ${runtime.name} listens on IPv6`, () =>
  withListener("::1", async (listener, probes) => {
    const peer = await connectPeer("::1", listener.port);
    assertEquals(await echoed(peer, [6]), [6]);
    assertEquals(
      { hostname: listener.hostname, remote: probes.map((p) => p.address.remoteAddress) },
      { hostname: "::1", remote: ["::1"] },
    );
    peer.destroy();
  }));

test(`listenTcp() on ${runtime.name} leaves IPv4 alone where it listens on all of IPv6`, () =>
  withListener("0.0.0.0", async (first) => {
    const second = await runtime.listenTcp({ hostname: "::", port: first.port }, (transport) => {
      const probe = new Probe(transport);
      probe.onChunk = () => void probe.write(Uint8Array.of(6));
      return probe;
    });
    const old = await connectPeer(LOOPBACK, first.port);
    const young = await connectPeer("::1", first.port);
    assertEquals([await echoed(old, [4]), await echoed(young, [4])], [[4], [6]]);
    old.destroy();
    young.destroy();
    await second.close();
  }));

test(`listenTcp() on ${runtime.name} takes no IPv4 on a socket for IPv6`, () =>
  withListener("::", async (listener, probes) => {
    // Refused by the system, or ended before anybody hears of it.
    const stranger = await connectPeer(LOOPBACK, listener.port).catch(() => undefined);
    await until(() => stranger?.isEnded !== false, "the stranger is sent away");
    stranger?.destroy();
    const peer = await connectPeer("::1", listener.port);
    assertEquals(await echoed(peer, [6]), [6]);
    assertEquals(probes.map((probe) => probe.address.remoteAddress), ["::1"]);
    peer.destroy();
  }));

test(`listenTcp() on ${runtime.name} refuses a port in use`, () =>
  withListener(LOOPBACK, async ({ port }) => {
    const error = await assertRejects(
      () => runtime.listenTcp({ hostname: LOOPBACK, port }, () => neverAccepted()),
      OperationError,
    );
    assertEquals([error.code, error.message], [
      "address-in-use",
      `Cannot listen on 127.0.0.1:${port}: the address is already in use`,
    ]);
  }));

test(`listenTcp() on ${runtime.name} refuses an address that is not this machine's`, async () => {
  const error = await assertRejects(
    () => runtime.listenTcp({ hostname: "203.0.113.9", port: 1883 }, () => neverAccepted()),
    OperationError,
  );
  assertEquals([error.code, error.message], [
    "address-not-available",
    "Cannot listen on 203.0.113.9:1883: the address is not available on this machine",
  ]);
});

test(`listenTcp() on ${runtime.name} stops accepting on close() and keeps what it accepted`, () =>
  withListener(LOOPBACK, async (listener) => {
    const peer = await connectPeer(LOOPBACK, listener.port);
    assertEquals(await echoed(peer, [1]), [1]);
    await listener.close();
    await listener.close();
    const isRefused = await connectPeer(LOOPBACK, listener.port).then(() => false, () => true);
    assertEquals({ isRefused, echoed: await echoed(peer, [2]) }, { isRefused: true, echoed: [2] });
    const again = await runtime.listenTcp(
      { hostname: LOOPBACK, port: listener.port },
      () => neverAccepted(),
    );
    assertEquals(again.port, listener.port);
    await again.close();
    peer.destroy();
  }));

test(`listenTcp() on ${runtime.name} survives clients that reset before they are accepted`, () =>
  withListener(LOOPBACK, async (listener, probes) => {
    // Our own event loop stands still meanwhile, so nothing is accepted before it is reset.
    for (let round = 0; round < 3; round++) {
      connectAndReset(listener.port);
      await settle();
    }
    const peer = await connectPeer(LOOPBACK, listener.port);
    assertEquals(await echoed(peer, [9]), [9]);
    await until(
      () => probes.filter((probe) => probe.closeCount === 0).length === 1,
      "those that reset are closed",
    );
    assertEquals(probes.flatMap((probe) => probe.violations), []);
    peer.destroy();
  }));

test(`listenTcp() on ${runtime.name} survives an accept that throws, and tells of it`, async () => {
  const errors: unknown[] = [];
  const failure = new Error("No");
  let isWilling = false;
  const probes: Probe[] = [];
  const listener = await runtime.listenTcp({
    hostname: LOOPBACK,
    port: 0,
    onError: (error) => errors.push(error),
  }, (transport) => {
    if (!isWilling) throw failure;
    const probe = new Probe(transport);
    probe.onChunk = (chunk) => void probe.write(chunk.slice());
    probes.push(probe);
    return probe;
  });
  const unlucky = await connectPeer(LOOPBACK, listener.port);
  await until(() => unlucky.isEnded, "the connection is ended");
  isWilling = true;
  const peer = await connectPeer(LOOPBACK, listener.port);
  assertEquals({ errors, echoed: await echoed(peer, [3]) }, { errors: [failure], echoed: [3] });
  unlucky.destroy();
  peer.destroy();
  await until(() => probes[0]!.closeCount === 1, "the connection is closed");
  await listener.close();
});

/** Runs a process that makes connections and resets them, until it has ended. */
function connectAndReset(port: number): void {
  const script = `import("node:net").then(({ connect }) => {
    for (let i = 0; i < 10; i++) {
      const socket = connect(${port}, "${LOOPBACK}", () => socket.resetAndDestroy());
    }
  })`;
  const flag = runtime.name === "deno" ? "eval" : "-e";
  assertEquals(spawnSync(process.execPath, [flag, script]).status, 0);
}

function neverAccepted(): never {
  throw new Error("Nothing connects here");
}
