// Unix sockets of the present runtime: the transport contract, and the file that they are.

import { assertEquals, assertRejects } from "@std/assert";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { transportSuite } from "../contract/transport.ts";
import { test } from "../harness.ts";
import { runtime } from "../support/current_runtime.ts";
import { listenerFixture } from "../support/listener_fixture.ts";
import { Probe } from "../support/probe.ts";
import { connectUnixPeer } from "../support/socket_peer.ts";
import { until } from "../support/wait.ts";

const NAME = `listenUnix() on ${runtime.name}`;
const MODE = 0o770;

let folder = "";
transportSuite(listenerFixture({
  name: NAME,
  listen(accept) {
    folder = mkdtempSync(`${tmpdir()}/midge-`);
    return runtime.listenUnix({ path: `${folder}/s`, mode: MODE }, accept);
  },
  connect: ({ hostname }) => connectUnixPeer(hostname),
  onRelease: () => rmSync(folder, { recursive: true }),
}));

async function withFolder(body: (path: string) => Promise<void>): Promise<void> {
  const own = mkdtempSync(`${tmpdir()}/midge-`);
  try {
    await body(`${own}/s`);
  } finally {
    rmSync(own, { recursive: true });
  }
}

function neverAccepted(): never {
  throw new Error("Nothing connects here");
}

test(`${NAME} tells its path as the address, and no ports`, () =>
  withFolder(async (path) => {
    const probes: Probe[] = [];
    const listener = await runtime.listenUnix({ path, mode: 0o700 }, (transport) => {
      probes.push(new Probe(transport));
      return probes[0]!;
    });
    const peer = await connectUnixPeer(path);
    await until(() => probes.length === 1, "the connection is accepted");
    assertEquals(
      {
        address: probes[0]!.address,
        hostname: listener.hostname,
        port: listener.port,
        mode: statSync(path).mode & 0o777,
      },
      {
        address: { remoteAddress: path, remotePort: 0, localPort: 0 },
        hostname: path,
        port: 0,
        mode: 0o700,
      },
    );
    peer.destroy();
    await until(() => probes[0]!.closeCount === 1, "the connection is closed");
    await listener.close();
    assertEquals(existsSync(path), false);
  }));

test(`${NAME} leaves the mask of new files as it was`, () =>
  withFolder(async (path) => {
    const mask = process.umask(0o022);
    const listener = await runtime.listenUnix({ path, mode: MODE }, neverAccepted);
    assertEquals(process.umask(mask), 0o022);
    await listener.close();
  }));

test(`${NAME} removes a socket that nobody listens on any more`, () =>
  withFolder(async (path) => {
    const script = `import("node:net").then(({ createServer }) =>
      createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL")))`;
    spawnSync(process.execPath, [runtime.name === "deno" ? "eval" : "-e", script]);
    assertEquals(existsSync(path), true);
    const listener = await runtime.listenUnix({ path, mode: MODE }, neverAccepted);
    await listener.close();
  }));

test(`${NAME} refuses a socket that somebody listens on`, () =>
  withFolder(async (path) => {
    const listener = await runtime.listenUnix({ path, mode: MODE }, (t) => new Probe(t));
    const error = await assertRejects(
      () => runtime.listenUnix({ path, mode: MODE }, neverAccepted),
      OperationError,
    );
    assertEquals([error.code, error.message, existsSync(path)], [
      "address-in-use",
      `Cannot listen on ${path}: the address is already in use`,
      true,
    ]);
    await listener.close();
  }));

test(`${NAME} never removes a file that is no socket`, () =>
  withFolder(async (path) => {
    writeFileSync(path, "precious");
    const error = await assertRejects(
      () => runtime.listenUnix({ path, mode: MODE }, neverAccepted),
      OperationError,
    );
    assertEquals([error.code, error.message, existsSync(path)], [
      "listen-failed",
      `Cannot listen on ${path}: there is a file that is no socket`,
      true,
    ]);
  }));

test(`${NAME} says when its folder does not exist`, async () => {
  const error = await assertRejects(
    () => runtime.listenUnix({ path: "/nowhere/at/all", mode: MODE }, neverAccepted),
    OperationError,
  );
  assertEquals(
    [error.code, error.message],
    ["listen-failed", "Cannot listen on /nowhere/at/all: the folder does not exist"],
  );
});

test(`${NAME} says when its path is too long, and cuts nothing off`, () =>
  withFolder(async (path) => {
    const fitting = path.padEnd(107, "x");
    const listener = await runtime.listenUnix({ path: fitting, mode: MODE }, neverAccepted);
    assertEquals(existsSync(fitting), true);
    await listener.close();
    const error = await assertRejects(
      () => runtime.listenUnix({ path: `${fitting}x`, mode: MODE }, neverAccepted),
      OperationError,
    );
    assertEquals([error.code, error.message], [
      "listen-failed",
      `Cannot listen on ${fitting}x: the path is too long for a socket`,
    ]);
  }));
