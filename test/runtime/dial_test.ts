// Connections that a runtime opens: over TCP, TLS and Unix sockets, whom they trust, and how they
// fail.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { currentRuntime } from "../../src/runtime/current.ts";
import type { DialOptions, Listener } from "../../src/runtime/runtime.ts";
import type { TlsClientOptions, TlsOptions } from "../../src/runtime/tls.ts";
import type { Accept, Transport } from "../../src/transport/transport.ts";
import { test } from "../harness.ts";
import { makeCertificates } from "../support/certificates.ts";
import { tlsSettings } from "../support/tls_settings.ts";
import { until } from "../support/wait.ts";

const runtime = await currentRuntime();
const kit = await makeCertificates();
const LIMIT_MS = 10_000;

/** Sends back whatever comes. */
const echo: Accept = (transport) => ({
  onBytes: (chunk) => void transport.write(chunk.slice(), chunk.length),
  onWritable() {},
  onClose() {},
});

interface Dialled {
  readonly transport: Transport;
  text(): string;
  isClosed(): boolean;
}

async function dial(options: Omit<DialOptions, "timeoutMs">): Promise<Dialled> {
  let opened: Transport | undefined;
  let text = "";
  let isClosed = false;
  await runtime.dial({ timeoutMs: LIMIT_MS, ...options }, (transport) => {
    opened = transport;
    return {
      onBytes: (chunk) => void (text += String.fromCharCode(...chunk)),
      onWritable() {},
      onClose: () => void (isClosed = true),
    };
  });
  return { transport: opened!, text: () => text, isClosed: () => isClosed };
}

async function checkEcho({ transport, text, isClosed }: Dialled): Promise<void> {
  transport.write(Uint8Array.of(104, 105, 33), 2);
  await until(() => text() === "hi", "the echo has come");
  transport.close();
  await until(isClosed, "the connection is closed");
}

test(`dial() connects over TCP on ${runtime.name}`, async () => {
  const listener = await runtime.listenTcp({ hostname: "127.0.0.1", port: 0 }, echo);
  const address = { hostname: "localhost", port: listener.port };
  const dialled = await dial({ address: { ...address, hostname: "127.0.0.1" } });
  assertEquals([dialled.transport.remoteAddress, dialled.transport.remotePort], [
    "127.0.0.1",
    listener.port,
  ]);
  await checkEcho(dialled);
  await listener.close();
});

test(`dial() connects to a Unix socket on ${runtime.name}`, async () => {
  const folder = mkdtempSync(`${tmpdir()}/midge-dial-`);
  const path = `${folder}/s`;
  const listener = await runtime.listenUnix({ path, mode: 0o700 }, echo);
  await checkEcho(await dial({ address: { path } }));
  await listener.close();
  rmSync(folder, { recursive: true });
});

async function listenTls(options: Partial<TlsOptions> = {}): Promise<Listener> {
  const tls = { ...tlsSettings(kit.server), ...options };
  return await runtime.listenTcp({ hostname: "127.0.0.1", port: 0, tls }, echo);
}

const trusting: TlsClientOptions = { authorities: kit.authority.certificate };

for (
  const [what, tls] of [
    ["an authority that it was told of", trusting],
    ["another name, if told to", { ...trusting, serverName: "elsewhere", ignoresServerName: true }],
    ["anybody, if told to", { ignoresAuthority: true }],
  ] as const
) {
  test(`dial() trusts ${what}, on ${runtime.name}`, async () => {
    const listener = await listenTls();
    const dialled = await dial({ address: { hostname: "127.0.0.1", port: listener.port }, tls });
    assertMatch(dialled.transport.tls!.version, /^TLSv1\.[23]$/);
    await checkEcho(dialled);
    await listener.close();
  });
}

for (
  const [what, tls] of [
    ["an authority that nobody trusts", {}],
    ["the authority of somebody else", { authorities: kit.otherAuthority.certificate }],
    ["another name", { ...trusting, serverName: "elsewhere" }],
    ["somebody else under another name", { ignoresServerName: true }],
  ] as const
) {
  test(`dial() refuses a server with ${what}, on ${runtime.name}`, async () => {
    const listener = await listenTls();
    const address = { hostname: "127.0.0.1", port: listener.port };
    const error = await assertRejects(() => dial({ address, tls }), OperationError);
    assertEquals(error.code, "tls-failed");
    await listener.close();
  });
}

test(`dial() presents a certificate on ${runtime.name}`, async () => {
  const listener = await listenTls({
    authorities: kit.authority.certificate,
    requiresCertificate: true,
  });
  const { certificate, key } = kit.client;
  const tls = { ...trusting, certificate, key };
  await checkEcho(await dial({ address: { hostname: "127.0.0.1", port: listener.port }, tls }));
  await listener.close();
});

test(`dial() fails where nobody listens, on ${runtime.name}`, async () => {
  const listener = await runtime.listenTcp({ hostname: "127.0.0.1", port: 0 }, echo);
  await listener.close();
  for (const address of [{ hostname: "127.0.0.1", port: listener.port }, { path: "/nowhere" }]) {
    const error = await assertRejects(() => dial({ address }), OperationError);
    assertEquals(error.code, "connect-failed");
  }
});

test(`dial() gives up in time, and when it is told to, on ${runtime.name}`, async () => {
  // Says nothing, so that the handshake never ends.
  const server = createServer((socket) => void socket.on("error", () => {}).resume());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const address = { hostname: "127.0.0.1", port };
  const slow = () => runtime.dial({ address, tls: {}, timeoutMs: 30 }, echo);
  assertEquals((await assertRejects(slow, OperationError)).code, "timed-out");
  const reason = new Error("enough");
  const controller = new AbortController();
  const pending = assertRejects(() => dial({ address, tls: {}, signal: controller.signal }));
  controller.abort(reason);
  assertEquals(await pending, reason);
  assertEquals(await assertRejects(() => dial({ address, signal: controller.signal })), reason);
  await new Promise((resolve) => server.close(resolve));
});
