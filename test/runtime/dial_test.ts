// Connections that a runtime opens: over TCP, TLS and Unix sockets, whom they trust, and how they
// fail.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { createServer as createTlsServer } from "node:tls";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { currentRuntime } from "../../src/runtime/current.ts";
import type { DialOptions, Listener } from "../../src/runtime/runtime.ts";
import type { TlsClientOptions, TlsOptions } from "../../src/runtime/tls.ts";
import type { Accept, Transport } from "../../src/transport/transport.ts";
import { test } from "../harness.ts";
import { makeCertificates } from "../support/certificates.ts";
import { SocksServer } from "../support/socks_server.ts";
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

test(`dial() says what the system says where nobody listens, on ${runtime.name}`, async () => {
  const listener = await runtime.listenTcp({ hostname: "127.0.0.1", port: 0 }, echo);
  await listener.close();
  const { port } = listener;
  const told: unknown[] = [];
  for (
    const address of [
      { hostname: "127.0.0.1", port },
      { path: "/nowhere" },
      { hostname: "nobody.invalid", port },
    ]
  ) {
    const { code, reason } = await assertRejects(() => dial({ address }), OperationError);
    // A machine without a name server says that it has not found out.
    told.push([code, code === "lookup-failed" ? "" : reason]);
  }
  assertEquals(told, [
    ["connect-failed", "Connection refused"],
    ["connect-failed", "No such file or directory"],
    ["lookup-failed", ""],
  ]);
});

/** Whether this runtime can; where it cannot, dialling is refused before anything is opened. */
async function checkAble(isAble: boolean, options: () => DialOptions): Promise<boolean> {
  if (isAble) return true;
  const error = await assertRejects(() => runtime.dial(options(), echo), OperationError);
  assertEquals(error.code, "not-supported");
  return false;
}

const isNode = runtime.name === "node";
const isDeno = runtime.name === "deno";

test(`dial() uses a pre-shared key or says that it cannot, on ${runtime.name}`, async () => {
  const key = Uint8Array.of(1, 2, 3, 4);
  const psk = { identity: "me", key };
  const address = { hostname: "127.0.0.1", port: 1 };
  if (!await checkAble(isNode, () => ({ address, tls: { psk }, timeoutMs: LIMIT_MS }))) return;
  const keyOf = (identity: string) => identity === "me" ? key : undefined;
  const listener = await listenTls({ psk: { hint: "", keyOf } });
  const at = { hostname: "127.0.0.1", port: listener.port };
  const dialled = await dial({ address: at, tls: { psk } });
  assertEquals(dialled.transport.tls!.version, "TLSv1.2");
  await checkEcho(dialled);
  const wrong = [
    { psk: { identity: "me", key: Uint8Array.of(9, 9, 9, 9) } },
    { psk: { identity: "you", key } },
    { psk, minimumVersion: "TLSv1.3" },
  ] as const;
  for (const tls of wrong) {
    const error = await assertRejects(() => dial({ address: at, tls }), OperationError);
    assertEquals(error.code, "tls-failed");
  }
  // A server with a certificate, where the list would let it do without the key.
  const other = await listenTls();
  const tls = { psk, ciphers: "ALL", ignoresAuthority: true };
  const elsewhere = { hostname: "127.0.0.1", port: other.port };
  const error = await assertRejects(() => dial({ address: elsewhere, tls }), OperationError);
  assertEquals(error.reason, "the server did not use the pre-shared key");
  await other.close();
  await listener.close();
});

test(`dial() offers these ciphers or says that it cannot, on ${runtime.name}`, async () => {
  const listener = await listenTls();
  const address = { hostname: "127.0.0.1", port: listener.port };
  const tls = { ...trusting, ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384" };
  if (await checkAble(!isDeno, () => ({ address, tls, timeoutMs: LIMIT_MS }))) {
    await checkEcho(await dial({ address, tls }));
    const nonsense = { ...trusting, ciphers: "NONSENSE" };
    const error = await assertRejects(() => dial({ address, tls: nonsense }), OperationError);
    assertEquals(error.code, "tls-failed");
  }
  await listener.close();
});

test(`dial() tells the secrets or says that it cannot, on ${runtime.name}`, async () => {
  const listener = await listenTls();
  const address = { hostname: "127.0.0.1", port: listener.port };
  const lines: string[] = [];
  const tls = { ...trusting, onSecrets: (line: string) => void lines.push(line) };
  if (await checkAble(!isDeno, () => ({ address, tls, timeoutMs: LIMIT_MS }))) {
    await checkEcho(await dial({ address, tls }));
    assertEquals(lines.length > 0, true);
    for (const line of lines) assertMatch(line, /^[A-Z\d_]+ [\da-f]{64} [\da-f]+$/);
  }
  await listener.close();
});

test(`dial() insists on the version and the protocol it was told, on ${runtime.name}`, async () => {
  const listener = await listenTls();
  const address = { hostname: "127.0.0.1", port: listener.port };
  const tls = { ...trusting, minimumVersion: "TLSv1.3", protocols: ["mqtt"] } as const;
  const dialled = await dial({ address, tls });
  assertEquals(dialled.transport.tls!.version, "TLSv1.3");
  await checkEcho(dialled);
  await listener.close();
  const old = createTlsServer({
    cert: kit.server.certificate,
    key: kit.server.key,
    maxVersion: "TLSv1.2",
  });
  await new Promise<void>((resolve) => old.listen(0, "127.0.0.1", resolve));
  const { port } = old.address() as { port: number };
  const at = { hostname: "127.0.0.1", port };
  const error = await assertRejects(() => dial({ address: at, tls }), OperationError);
  assertEquals(error.code, "tls-failed");
  await new Promise((resolve) => old.close(resolve));
});

test(`dial() trusts this machine or the runtime besides, and nobody more, on ${runtime.name}`, async () => {
  const listener = await listenTls();
  const address = { hostname: "127.0.0.1", port: listener.port };
  for (const alsoTrusts of ["system", "runtime"] as const) {
    await checkEcho(await dial({ address, tls: { ...trusting, alsoTrusts } }));
    const error = await assertRejects(() => dial({ address, tls: { alsoTrusts } }), OperationError);
    assertEquals(error.code, "tls-failed");
  }
  await listener.close();
});

test(`dial() refuses files that make no sense, on ${runtime.name}`, async () => {
  const { certificate, key } = kit.client;
  const address = { hostname: "127.0.0.1", port: 1 };
  for (
    const tls of [
      { authorities: "nothing" },
      { certificate },
      { certificate, key: kit.server.key },
      { certificate: "nothing", key },
    ]
  ) {
    const error = await assertRejects(() => dial({ address, tls }), OperationError);
    assertEquals(error.code, "tls-failed");
  }
});

test(`dial() goes through a proxy, in clear text and with TLS, on ${runtime.name}`, async () => {
  const login = { username: "me", password: "p:w" };
  const open = await SocksServer.open();
  const guarded = await SocksServer.open({ login: "me:p:w" });
  const plain = await runtime.listenTcp({ hostname: "127.0.0.1", port: 0 }, echo);
  const secure = await listenTls();
  const at = { hostname: "127.0.0.1" };
  const proxy = { ...at, port: open.port };
  await checkEcho(await dial({ address: { ...at, port: plain.port }, proxy }));
  const named = { hostname: "localhost", port: secure.port };
  const tls = trusting;
  const dialled = await dial({
    address: named,
    tls,
    proxy: { ...at, port: guarded.port, ...login },
  });
  assertMatch(dialled.transport.tls!.version, /^TLSv1\.[23]$/);
  await checkEcho(dialled);
  assertEquals(open.requests, [`127.0.0.1:${plain.port}`]);
  assertEquals(guarded.requests, ["me:p:w", `localhost:${secure.port}`]);

  const elsewhere = { ...named, hostname: "elsewhere" };
  const distrusted = await assertRejects(() => dial({ address: elsewhere, tls, proxy }));
  assertEquals((distrusted as OperationError).code, "tls-failed");
  // Where the proxy connects to is its word alone: the certificate has to name what was asked for.
  const other = () => dial({ address: { hostname: "127.0.0.2", port: secure.port }, tls, proxy });
  assertEquals((await assertRejects(other, OperationError)).code, "tls-failed");
  await checkEcho(await dial({ address: { ...at, port: secure.port }, tls, proxy }));
  const refused = () => dial({ address: named, proxy: { ...proxy, port: guarded.port } });
  assertEquals((await assertRejects(refused, OperationError)).code, "proxy-failed");
  const forbidding = await SocksServer.open({ status: 2 });
  const forbidden = () => dial({ address: named, proxy: { ...proxy, port: forbidding.port } });
  const { code, reason } = await assertRejects(forbidden, OperationError);
  assertEquals([code, reason], ["proxy-failed", "Connection not allowed by ruleset"]);
  const path = () => dial({ address: { path: "/s" }, proxy });
  assertEquals((await assertRejects(path, OperationError)).code, "not-supported");
  for (const each of [open, guarded, forbidding, plain, secure]) await each.close();
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
