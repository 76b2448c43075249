// The ways on which `pub` reaches a broker: TLS in all its forms, WebSocket, Unix sockets and
// proxies; and what it says where a way is barred. What a runtime cannot do is refused in words.

import { assertEquals, assertMatch } from "@std/assert";
import { execFileSync } from "node:child_process";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Broker } from "../../../mod.ts";
import { currentRuntimeName } from "../../../src/runtime/current.ts";
import { test } from "../../harness.ts";
import {
  certificateFiles,
  type Certificates,
  makeCertificates,
} from "../../support/certificates.ts";
import { skipWithout } from "../../support/foreign.ts";
import { PortBroker } from "../../support/port_broker.ts";
import { runPub } from "../../support/pub_inside.ts";
import { SocksServer } from "../../support/socks_server.ts";
import { inFolder, type Outcome } from "../../support/tool_process.ts";

const SILENT: Outcome = { status: 0, stdout: "", stderr: "" };
const REFUSED_BY_RUNTIME = 10;

const certificates: Promise<Certificates> = makeCertificates();

interface Site {
  readonly broker: Broker;
  readonly folder: string;
  /** Publishes at QoS 1, so that a status of 0 says that the broker has the message. */
  run(words: string): Promise<Outcome>;
}

/** Gives the body a broker, and a folder with all certificates. */
async function atSite(body: (site: Site) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    for (const [name, content] of Object.entries(certificateFiles(await certificates))) {
      await writeFile(join(folder, name), content);
    }
    const broker = new Broker();
    const message = ["-t", "t", "-m", "m", "-q", "1", "-h", "127.0.0.1"];
    const run = (words: string): Promise<Outcome> =>
      runPub([...message, ...words.replaceAll("$DIR", folder).split(" ")]);
    try {
      await body({ broker, folder, run });
    } finally {
      await broker.close();
    }
  });
}

/** The outcome of something that only some runtimes can do. */
function assertDoneOrRefused(outcome: Outcome, what: string): void {
  if (outcome.status !== REFUSED_BY_RUNTIME) return assertEquals(outcome, SILENT, what);
  assertEquals(currentRuntimeName() === "node", false, what);
  assertMatch(outcome.stderr, /^Error: This feature is not supported: [^\n]+\n$/, what);
}

/** One line with a reason. */
function assertTlsFailure({ status, stdout, stderr }: Outcome, what: string): void {
  assertEquals([status, stdout], [8, ""], `${what}: ${stderr}`);
  assertMatch(stderr, /^Error: A TLS error occurred: [^\n]+\n$/, what);
}

test("pub trusts whom it is told to, under the name that it asked for, and nobody else", async () => {
  await atSite(async ({ broker, run }) => {
    const { server, otherServer, expired } = await certificates;
    const open = async (tls: { certificate: string; key: string }, hostname = "127.0.0.1") =>
      (await broker.listen({ port: 0, hostname, tls })).port;
    const good = await open(server);
    assertEquals(await run(`-p ${good} --cafile $DIR/authority.pem`), SILENT);
    assertEquals(await run(`-h localhost -p ${good} --cafile $DIR/authority.pem`), SILENT);
    assertEquals(await run(`-L mqtts://127.0.0.1:${good}/t --cafile $DIR/authority.pem`), SILENT);
    assertTlsFailure(await run(`-p ${good} --cafile $DIR/otherAuthority.pem`), "other authority");
    assertTlsFailure(
      await run(`-p ${await open(otherServer)} --cafile $DIR/authority.pem`),
      "other server",
    );
    assertTlsFailure(
      await run(`-p ${await open(expired)} --cafile $DIR/authority.pem`),
      "expired",
    );
    const elsewhere = await open(server, "127.0.0.3");
    const there = `-h 127.0.0.3 -p ${elsewhere}`;
    assertTlsFailure(await run(`${there} --cafile $DIR/authority.pem`), "other name");
    assertEquals(await run(`${there} --cafile $DIR/authority.pem --insecure`), SILENT);
    assertEquals(await run(`-p ${good} --cafile $DIR/otherAuthority.pem --insecure`), SILENT);
    const bySystem = await run(`-p ${good} --tls-use-os-certs`);
    if (bySystem.status !== REFUSED_BY_RUNTIME) assertTlsFailure(bySystem, "of the system");
    const { port: plain } = await broker.listen({ port: 0 });
    assertEquals(await run(`-p ${plain} --cafile $DIR/authority.pem --no-tls`), SILENT);
  });
});

test("pub --capath trusts the authorities that are there by their hash", {
  skip: skipWithout("openssl"),
}, async () => {
  await atSite(async ({ broker, folder, run }) => {
    const { certificate, key } = (await certificates).server;
    const { port } = await broker.listen({ port: 0, tls: { certificate, key } });
    const words = ["x509", "-hash", "-noout", "-in", join(folder, "authority.pem")];
    const hash = execFileSync("openssl", words, { encoding: "utf8" }).trim();
    await rename(join(folder, "authority.pem"), join(folder, `${hash}.0`));
    assertEquals(await run(`-p ${port} --capath $DIR`), SILENT);
  });
});

test("pub shows the certificate that it is given, and says when that does not serve", async () => {
  await atSite(async ({ broker, run }) => {
    const { authority, server: { certificate, key } } = await certificates;
    const tls = { certificate, key, authorities: authority.certificate, requiresCertificate: true };
    const { port } = await broker.listen({ port: 0, tls });
    const to = `-p ${port} --cafile $DIR/authority.pem`;
    assertEquals(await run(`${to} --cert $DIR/client.pem --key $DIR/client.key`), SILENT);
    for (const version of ["tlsv1.2", "tlsv1.3"]) {
      const by = `${to} --cert $DIR/client.pem --key $DIR/client.key --tls-version ${version}`;
      assertEquals(await run(by), SILENT);
    }
    const stranger = await run(`${to} --cert $DIR/stranger.pem --key $DIR/stranger.key`);
    const nobody = await run(to);
    for (const { status, stdout, stderr } of [stranger, nobody]) {
      // With TLS 1.3 the server says so when the connection is there already.
      assertEquals([status === 7 || status === 8, stdout], [true, ""], stderr);
      assertMatch(stderr, /^Error: (The connection was lost|A TLS error occurred: [^\n]+)\n$/);
    }
    for (const words of ["client.pem --key $DIR/server.key", "server.key --key $DIR/client.key"]) {
      const { status, stdout, stderr } = await run(`${to} --cert $DIR/${words}`);
      assertEquals([status, stdout], [8, ""], stderr);
      assertMatch(stderr, /^Error: A TLS error occurred: [^\n]+\n$/);
    }
  });
});

test("pub uses keys, ciphers, protocols and logs of secrets where the runtime has them", async () => {
  await atSite(async ({ broker, folder, run }) => {
    const { certificate, key } = (await certificates).server;
    const { port } = await broker.listen({ port: 0, tls: { certificate, key } });
    const to = `-p ${port} --cafile $DIR/authority.pem`;
    assertEquals(await run(`${to} --tls-alpn mqtt`), SILENT);
    assertDoneOrRefused(await run(`${to} --ciphers ECDHE-ECDSA-AES128-GCM-SHA256`), "ciphers");
    const logged = await run(`${to} --tls-keylog $DIR/secrets`);
    assertDoneOrRefused(logged, "secrets");
    if (logged.status === 0) {
      const lines = (await readFile(join(folder, "secrets"), "utf8")).trimEnd().split("\n");
      assertEquals(lines.every((line) => /^[A-Z_0-9]+ [\da-f]{64} [\da-f]+$/.test(line)), true);
    }
    if (currentRuntimeName() === "node") {
      const keyOf = (identity: string) => identity === "me" ? Uint8Array.of(1, 2, 3) : undefined;
      const psk = await broker.listen({ port: 0, tls: { psk: { hint: "", keyOf } } });
      const by = `-p ${psk.port} --psk 010203 --psk-identity`;
      assertEquals(await run(`${by} me`), SILENT);
      assertTlsFailure(await run(`${by} you`), "unknown identity");
      assertTlsFailure(await run(`-p ${psk.port} --psk ff --psk-identity me`), "wrong key");
    } else {
      const refused = await run(`-p ${port} --psk 010203 --psk-identity me`);
      assertDoneOrRefused(refused, "psk");
      assertEquals(refused.status, REFUSED_BY_RUNTIME);
    }
  });
});

test("pub speaks WebSocket, in clear text and over TLS, and goes through Unix sockets", async () => {
  await atSite(async ({ broker, folder, run }) => {
    const { certificate, key } = (await certificates).server;
    const clear = await broker.listen({ port: 0, protocol: "websockets" });
    const secure = await broker.listen({
      port: 0,
      protocol: "websockets",
      tls: { certificate, key },
    });
    await broker.listen({ path: join(folder, "mqtt") });
    await broker.listen({ path: join(folder, "ws"), protocol: "websockets" });
    await broker.listen({ path: join(folder, "tls"), tls: { certificate, key } });
    const trusting = "--cafile $DIR/authority.pem";
    assertEquals(await run(`-p ${clear.port} --ws`), SILENT);
    assertEquals(await run(`-L ws://127.0.0.1:${clear.port}/t`), SILENT);
    assertEquals(await run(`-p ${secure.port} --ws ${trusting}`), SILENT);
    assertEquals(await run(`-L wss://127.0.0.1:${secure.port}/t ${trusting}`), SILENT);
    assertEquals(await run("--unix $DIR/mqtt"), SILENT);
    assertEquals(await run("--unix $DIR/ws --ws"), SILENT);
    assertEquals(await run(`--unix $DIR/tls ${trusting}`), SILENT);
    const { port: plain } = await broker.listen({ port: 0 });
    const { status, stderr } = await run(`-p ${plain} --ws`);
    assertEquals([status, /^Error: [^\n]+\n$/.test(stderr)], [1, true], stderr);
  });
});

test("pub goes through a SOCKS5 proxy, and says what the proxy answers", async () => {
  await atSite(async ({ broker, run }) => {
    const { certificate, key } = (await certificates).server;
    const { port } = await broker.listen({ port: 0 });
    const secure = await broker.listen({ port: 0, tls: { certificate, key } });
    const open = await SocksServer.open();
    const locked = await SocksServer.open({ login: "u:p:@" });
    const barred = await SocksServer.open({ status: 2 });
    try {
      const by = (server: SocksServer, login = ""): string =>
        `--proxy socks5h://${login}127.0.0.1:${server.port}`;
      assertEquals(await run(`-h localhost -p ${port} ${by(open)}`), SILENT);
      assertEquals(
        await run(`-h localhost -p ${secure.port} --cafile $DIR/authority.pem ${by(open)}`),
        SILENT,
      );
      assertEquals(open.requests, [`localhost:${port}`, `localhost:${secure.port}`]);
      assertEquals(await run(`-p ${port} ${by(locked, "u:p%3A%40@")}`), SILENT);
      assertEquals(await run(`-p ${port} ${by(locked, "u:wrong@")}`), {
        status: 16,
        stdout: "",
        stderr: "Error: Proxy error: it does not accept the user name and password\n",
      });
      assertEquals(await run(`-p ${port} ${by(barred)}`), {
        status: 16,
        stdout: "",
        stderr: "Error: Proxy error: Connection not allowed by ruleset\n",
      });
      assertEquals(await run(`-p ${port} --proxy socks5h://127.0.0.1:1`), {
        status: 1,
        stdout: "",
        stderr: "Error: Connection refused\n",
      });
    } finally {
      for (const server of [open, locked, barred]) await server.close();
    }
  });
});

test("pub -A connects from that address", async () => {
  const addresses: (string | undefined)[] = [];
  await PortBroker.with((_, { socket }) => {
    addresses.push(socket.remoteAddress);
    socket.destroy();
  }, async ({ port }) => {
    await runPub(["-t", "t", "-m", "m", "-h", "127.0.0.1", "-p", `${port}`, "-A", "127.0.0.4"]);
  });
  assertEquals(addresses, ["127.0.0.4"]);
});
