// What strangers may cost before they have proved anything.

import { assertEquals } from "@std/assert";
import { connect, createServer, type Server, type Socket } from "node:net";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { type HandshakeLimits, TlsAcceptor } from "../../src/runtime/node/tls_acceptor.ts";
import { test } from "../harness.ts";
import { makeCertificates } from "../support/certificates.ts";
import { runtime } from "../support/current_runtime.ts";
import { Probe } from "../support/probe.ts";
import { connectTlsPeer } from "../support/socket_peer.ts";
import { tlsSettings } from "../support/tls_settings.ts";
import { until } from "../support/wait.ts";

const LOOPBACK = "127.0.0.1";
const ABILITIES = {
  ciphers: false,
  suites: false,
  psk: false,
  secrets: false,
  revocation: false,
  verdict: false,
  oldVersions: false,
};
/** The beginning of a ClientHello. */
const HELLO = Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3);

const kit = await makeCertificates();

interface Site {
  readonly port: number;
  readonly reasons: string[];
  readonly probes: Probe[];
  /** Somebody who begins to speak and falls silent. */
  readonly silent: () => Promise<Silent>;
}

interface Silent {
  readonly socket: Socket;
  isEnded: boolean;
}

async function withSite(limits: HandshakeLimits, body: (site: Site) => Promise<void>) {
  const reasons: string[] = [];
  const probes: Probe[] = [];
  const opened: Socket[] = [];
  const acceptor = new TlsAcceptor({
    tls: tlsSettings(kit.server),
    abilities: ABILITIES,
    limits,
    onError: (error, address) =>
      reasons.push(`${address} ${error instanceof OperationError ? error.code : error}`),
  }, (transport) => {
    probes.push(new Probe(transport));
    return probes.at(-1)!;
  });
  const server = createServer({ allowHalfOpen: true }, (socket) => acceptor.add(socket));
  const port = await listen(server);
  try {
    await body({
      port,
      reasons,
      probes,
      silent: () =>
        new Promise((resolve) => {
          const socket = connect(port, LOOPBACK, () => {
            socket.write(HELLO);
            resolve(silent);
          });
          const silent: Silent = { socket, isEnded: false };
          opened.push(socket);
          socket.on("error", () => {}).on("data", () => {}).on(
            "close",
            () => silent.isEnded = true,
          );
        }),
    });
  } finally {
    for (const socket of opened) socket.destroy();
    for (const probe of probes) if (probe.closeCount === 0) probe.abort();
    acceptor.close();
    server.close();
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, LOOPBACK, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

test(`TlsAcceptor on ${runtime.name} gives up on a handshake that takes too long (B-38)`, () =>
  withSite({ timeoutMs: 150, atOnceMax: 10 }, async (site) => {
    const silent = await site.silent();
    await until(() => silent.isEnded, "the connection is closed");
    assertEquals(site.reasons, [`${LOOPBACK} tls-failed`]);
  }));

test(`TlsAcceptor on ${runtime.name} lets the oldest handshake give way (B-38)`, () =>
  withSite({ timeoutMs: 10_000, atOnceMax: 5 }, async (site) => {
    const all: Silent[] = [];
    for (let i = 0; i < 20; i++) all.push(await site.silent());
    const peer = await connectTlsPeer({
      host: LOOPBACK,
      port: site.port,
      ca: kit.authority.certificate,
    });
    await until(() => site.probes.length === 1, "the client is accepted");
    await until(() => all.filter(({ isEnded }) => isEnded).length === 16, "the oldest are closed");
    assertEquals(all.slice(16).map(({ isEnded }) => isEnded), [false, false, false, false]);
    assertEquals(site.reasons.length >= 16, true);
    peer.destroy();
  }));

test(`TlsAcceptor on ${runtime.name} counts no handshake that is over`, () =>
  withSite({ timeoutMs: 10_000, atOnceMax: 1 }, async (site) => {
    for (let i = 1; i <= 5; i++) {
      const options = { host: LOOPBACK, port: site.port, ca: kit.authority.certificate };
      await connectTlsPeer(options);
      await until(() => site.probes.length === i, "the client is accepted");
    }
    assertEquals(site.probes.map(({ closeCount }) => closeCount), [0, 0, 0, 0, 0]);
    assertEquals(site.reasons, []);
  }));
