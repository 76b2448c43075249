// TLS listeners of the present runtime: the transport contract, who is let in, what is told of them,
// and what changes without a restart. What a runtime cannot do, it must refuse.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import type { ConnectionOptions } from "node:tls";
import { OperationError } from "../../src/core/base/operation_error.ts";
import type { TlsPeer } from "../../src/core/session/peer.ts";
import type { Listener } from "../../src/runtime/runtime.ts";
import type { TlsOptions } from "../../src/runtime/tls.ts";
import { transportSuite } from "../contract/transport.ts";
import { test } from "../harness.ts";
import { Authority, type Certificate, makeCertificates } from "../support/certificates.ts";
import { runtime } from "../support/current_runtime.ts";
import { listenerFixture } from "../support/listener_fixture.ts";
import { Probe } from "../support/probe.ts";
import { connectTlsPeer, type SocketPeer } from "../support/socket_peer.ts";
import { tlsSettings } from "../support/tls_settings.ts";
import { sleep, until } from "../support/wait.ts";

const LOOPBACK = "127.0.0.1";
const NAME = `listenTcp() with TLS on ${runtime.name}`;
const SUITE = /^TLS_AES_(?:128|256)_GCM_SHA(?:256|384)$/;

const kit = await makeCertificates();
const trust = kit.authority.certificate + kit.otherAuthority.certificate;
const mutual: Partial<TlsOptions> = {
  authorities: kit.authority.certificate,
  requiresCertificate: true,
};

transportSuite(listenerFixture({
  name: NAME,
  listen: (accept) =>
    runtime.listenTcp({ hostname: LOOPBACK, port: 0, tls: tlsSettings(kit.server) }, accept),
  connect: ({ port }) => connectTlsPeer({ host: LOOPBACK, port, ca: trust }),
}));

let folder = "";
transportSuite(listenerFixture({
  name: `listenUnix() with TLS on ${runtime.name}`,
  listen(accept) {
    folder = mkdtempSync(`${tmpdir()}/midge-`);
    const tls = tlsSettings(kit.server);
    return runtime.listenUnix({ path: `${folder}/s`, mode: 0o770, tls }, accept);
  },
  connect: ({ hostname }) => connectTlsPeer({ path: hostname, ca: trust }),
  onRelease: () => rmSync(folder, { recursive: true }),
}));

/** An open listener that echoes, and what it tells. */
interface Site {
  readonly listener: Listener;
  readonly probes: Probe[];
  readonly peers: TlsPeer[];
  readonly failures: { readonly error: unknown; readonly address: string | undefined }[];
  /** A client that has been answered, or `undefined` if it was not let in. */
  connect(options?: ConnectionOptions): Promise<SocketPeer | undefined>;
}

async function withSite(tls: TlsOptions, body: (site: Site) => Promise<void>): Promise<void> {
  const probes: Probe[] = [];
  const peers: TlsPeer[] = [];
  const failures: Site["failures"] = [];
  const clients: SocketPeer[] = [];
  const listener = await runtime.listenTcp({
    hostname: LOOPBACK,
    port: 0,
    tls,
    onError: (error, address) => failures.push({ error, address }),
  }, (transport) => {
    const probe = new Probe(transport);
    probe.onChunk = (chunk) => void probe.write(chunk.slice());
    probes.push(probe);
    peers.push(transport.tls!);
    return probe;
  });
  const site: Site = {
    listener,
    probes,
    peers,
    failures,
    async connect(options = {}) {
      const settings = { host: LOOPBACK, port: listener.port, ca: trust, ...options };
      const peer = await connectTlsPeer(settings).catch(() => undefined);
      if (peer === undefined) return undefined;
      clients.push(peer);
      return await isEchoed(peer) ? peer : undefined;
    },
  };
  try {
    await body(site);
  } finally {
    for (const client of clients) client.destroy();
    for (const probe of probes) if (probe.closeCount === 0) probe.abort();
    await listener.close();
  }
}

async function isEchoed(peer: SocketPeer): Promise<boolean> {
  let count = 0;
  peer.onChunk = (chunk) => count += chunk.length;
  // Answered by nobody, if the connection is gone.
  peer.send(Uint8Array.of(1, 2, 3)).catch(() => {});
  await until(() => count === 3 || peer.isEnded, "the bytes come back or the connection ends");
  return count === 3;
}

const asClient = ({ certificate, key }: Certificate): ConnectionOptions => ({
  cert: certificate,
  key,
});

test(`${NAME} tells version and cipher, and asks for no certificate`, () =>
  withSite(tlsSettings(kit.server, { authorities: kit.authority.certificate }), async (site) => {
    const peer = await site.connect(asClient(kit.client));
    assertEquals(peer !== undefined, true);
    const { cipher, ...rest } = site.peers[0]!;
    assertEquals(rest, { version: "TLSv1.3", certificate: undefined, pskIdentity: undefined });
    assertMatch(cipher, SUITE);
    assertEquals(site.probes[0]!.address, {
      remoteAddress: LOOPBACK,
      remotePort: peer!.localPort,
      localPort: site.listener.port,
    });
  }));

test(`${NAME} shows its chain, so that the root alone is enough to know it`, () =>
  withSite(tlsSettings(kit.server), async (site) => {
    assertEquals(await site.connect({ ca: kit.authority.certificate }) !== undefined, true);
    assertEquals(await site.connect({ ca: kit.otherAuthority.certificate }), undefined);
  }));

test(`${NAME} tells who the client is`, () =>
  withSite(tlsSettings(kit.server, mutual), async (site) => {
    assertEquals(await site.connect(asClient(kit.client)) !== undefined, true);
    assertEquals(site.peers.map(({ certificate }) => certificate), [
      { commonName: "client one", subject: "CN=client one,OU=Meters,O=Midge" },
    ]);
  }));

test(`${NAME} knows clients of an intermediate authority by the chain they send`, async () => {
  const below = await kit.authority.authority("CN=Below");
  const client = await below.issue("CN=deep");
  await withSite(tlsSettings(kit.server, mutual), async (site) => {
    const chain = { cert: client.certificate + below.certificate, key: client.key };
    assertEquals(await site.connect(chain) !== undefined, true);
    assertEquals(await site.connect(asClient(client)), undefined);
    assertEquals(site.peers.map(({ certificate }) => certificate?.commonName), ["deep"]);
  });
});

/** Tries all clients and gives the names of those that were let in. */
async function letIn(site: Site): Promise<string[]> {
  const names = ["client", "expired", "notYetValid", "revoked", "stranger"] as const;
  const found: string[] = [];
  for (const name of names) if (await site.connect(asClient(kit[name]))) found.push(name);
  if (await site.connect()) found.push("nobody");
  return found;
}

test(`${NAME} lets in nobody whose certificate does not verify`, () =>
  withSite(tlsSettings(kit.server, mutual), async (site) => {
    assertEquals(await letIn(site), ["client", "revoked"]);
    await until(() => site.failures.length === 4, "the failures are told");
    assertEquals(site.failures.map(({ address }) => address), Array(4).fill(LOOPBACK));
    assertEquals(site.probes.length, 2);
  }));

test(`${NAME} lets in nobody who is listed as revoked`, () =>
  withSite(
    tlsSettings(kit.server, { ...mutual, revocationLists: kit.revocationList }),
    async (site) => assertEquals(await letIn(site), ["client"]),
  ));

test(`${NAME} lets in nobody while there is no current revocation list of the issuer`, async () => {
  const lists = [
    await kit.otherAuthority.revocationList([]),
    await kit.authority.revocationList([], { fromDays: -5, toDays: -1 }),
    await kit.authority.revocationList([], { fromDays: 1, toDays: 5 }),
    // Of that name, but by another key.
    await (await Authority.create("CN=Midge Test Root")).revocationList([]),
  ];
  for (const revocationLists of lists) {
    await withSite(
      tlsSettings(kit.server, { ...mutual, revocationLists }),
      async (site) => assertEquals(await letIn(site), []),
    );
  }
});

test(`${NAME} overlooks dates when it is told to, and nothing else`, async () => {
  const settings = tlsSettings(kit.server, { ...mutual, ignoresCertificateDates: true });
  if (runtime.name === "deno") return await refuses(settings, "not-supported");
  await withSite(settings, async (site) => {
    assertEquals(await letIn(site), ["client", "expired", "notYetValid", "revoked"]);
    const late = await kit.otherAuthority.issue("CN=late", { fromDays: -5, toDays: -1 });
    const fake = await Authority.create("CN=Midge Test Root");
    const faked = await fake.issue("CN=faked", { fromDays: -5, toDays: -1 });
    const signer = await kit.authority.issue("CN=signer");
    for (const certificate of [late, faked, signer]) {
      const isIn = await site.connect(asClient(certificate)) !== undefined;
      assertEquals(isIn, certificate === signer);
    }
  });
});

test(`${NAME} finds a revoked certificate under its wrong dates`, async () => {
  if (runtime.name === "deno") return;
  const late = await kit.authority.issue("CN=late", { fromDays: -5, toDays: -1 });
  const revocationLists = await kit.authority.revocationList([late]);
  const settings = { ...mutual, ignoresCertificateDates: true, revocationLists };
  await withSite(tlsSettings(kit.server, settings), async (site) => {
    assertEquals(await site.connect(asClient(late)), undefined);
    assertEquals(await letIn(site), ["client", "expired", "notYetValid", "revoked"]);
  });
});

test(`${NAME} takes over other certificates and lists at once, and keeps who is there`, () =>
  withSite(tlsSettings(kit.server, mutual), async (site) => {
    const early = (await site.connect(asClient(kit.revoked)))!;
    await site.listener.setTls!(
      tlsSettings(kit.otherServer, { ...mutual, revocationLists: kit.revocationList }),
    );
    const root = kit.otherAuthority.certificate;
    assertEquals(await site.connect({ ...asClient(kit.revoked), ca: root }), undefined);
    assertEquals(await site.connect({ ...asClient(kit.client), ca: root }) !== undefined, true);
    assertEquals(await isEchoed(early), true);
  }));

test(`${NAME} keeps its settings when others are not usable`, () =>
  withSite(tlsSettings(kit.server), async (site) => {
    const bad = [
      tlsSettings({ ...kit.server, key: kit.client.key }),
      tlsSettings({ ...kit.server, certificate: "nonsense" }),
      tlsSettings(kit.server, { requiresCertificate: true }),
      tlsSettings(kit.server, { ...mutual, authorities: "nonsense" }),
      tlsSettings(kit.server, { ...mutual, revocationLists: "nonsense" }),
    ];
    for (const settings of bad) {
      const error = await assertRejects(() => site.listener.setTls!(settings), OperationError);
      assertEquals(error.code, "tls-failed");
    }
    assertEquals(await site.connect() !== undefined, true);
  }));

test(`${NAME} refuses no connection while settings change`, () =>
  withSite(tlsSettings(kit.server), async (site) => {
    let isDone = false;
    const changing = (async () => {
      for (let i = 0; !isDone; i++) {
        await site.listener.setTls!(tlsSettings(i % 2 === 0 ? kit.otherServer : kit.server));
        await sleep(1);
      }
    })();
    const clients = await Promise.all(Array.from({ length: 100 }, () => site.connect()));
    isDone = true;
    await changing;
    assertEquals(clients.filter((client) => client === undefined).length, 0);
  }));

test(`${NAME} resumes no session that a list might end`, () =>
  withSite(tlsSettings(kit.server, mutual), async (site) => {
    const { connect: connectTls } = await import("node:tls");
    const visit = (session?: Uint8Array) =>
      new Promise<{ session: Uint8Array | undefined; isReused: boolean }>((resolve) => {
        let kept: Uint8Array | undefined;
        const socket = connectTls({
          host: LOOPBACK,
          port: site.listener.port,
          servername: "localhost",
          ca: trust,
          ...asClient(kit.client),
          // Typed as Node's own kind of byte array.
          ...(session === undefined ? {} : { session: session as never }),
        }, () => socket.write("x"));
        socket.on("session", (value: Uint8Array) => kept = value);
        socket.on("data", () => {
          const isReused = socket.isSessionReused();
          socket.destroy();
          resolve({ session: kept, isReused });
        });
      });
    const first = await visit();
    assertEquals((await visit(first.session)).isReused, false);
  }));

test(`${NAME} refuses versions below the minimum`, () =>
  withSite(tlsSettings(kit.server, { minimumVersion: "TLSv1.3" }), async (site) => {
    assertEquals(await site.connect({ maxVersion: "TLSv1.2" }), undefined);
    assertEquals(await site.connect() !== undefined, true);
  }));

test(`${NAME} uses no cipher but those it is told`, async () => {
  const settings = tlsSettings(kit.server, { ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384" });
  if (runtime.name === "deno") return await refuses(settings, "not-supported");
  await withSite(settings, async (site) => {
    const options = { maxVersion: "TLSv1.2", minVersion: "TLSv1.2" } as const;
    const other = { ...options, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" };
    assertEquals(await site.connect(other), undefined);
    assertEquals(await site.connect(options) !== undefined, true);
    assertEquals(await site.connect() !== undefined, true);
    assertEquals(site.peers.map(({ version }) => version), ["TLSv1.2", "TLSv1.3"]);
    assertEquals(site.peers[0]!.cipher, "ECDHE-ECDSA-AES256-GCM-SHA384");
  });
});

test(`${NAME} refuses ciphers that do not exist`, () =>
  refuses(
    tlsSettings(kit.server, { ciphers: "NOSUCH" }),
    runtime.name === "deno" ? "not-supported" : "tls-failed",
  ));

test(`${NAME} uses no suite of version 1.3 but those it is told`, async () => {
  const settings = tlsSettings(kit.server, { suites: "TLS_CHACHA20_POLY1305_SHA256" });
  if (runtime.name !== "node") return await refuses(settings, "not-supported");
  await withSite(settings, async (site) => {
    assertEquals(await site.connect() !== undefined, true);
    assertEquals(await site.connect({ maxVersion: "TLSv1.2" }) !== undefined, true);
    assertEquals(site.peers.map(({ version }) => version), ["TLSv1.3", "TLSv1.2"]);
    assertEquals(site.peers[0]!.cipher, "TLS_CHACHA20_POLY1305_SHA256");
  });
});

test(`${NAME} knows clients by pre-shared keys`, async () => {
  const keys: Readonly<Record<string, Uint8Array>> = { meter: Uint8Array.of(1, 2, 3, 4) };
  const settings = tlsSettings(kit.server, {
    certificate: undefined,
    key: undefined,
    psk: { hint: "who", keyOf: (identity) => keys[identity] },
  });
  if (runtime.name !== "node") return await refuses(settings, "not-supported");
  const asMeter = (identity: string, psk: number[]): ConnectionOptions => ({
    pskCallback: (hint) =>
      // What the types call the key must be Node's own kind of byte array.
      hint === "who" ? { identity, psk: Uint8Array.from(psk) as never } : null as never,
    ciphers: "PSK",
    maxVersion: "TLSv1.2",
    checkServerIdentity: () => undefined,
  });
  await withSite(settings, async (site) => {
    assertEquals(await site.connect(asMeter("meter", [1, 2, 3, 4])) !== undefined, true);
    assertEquals(await site.connect(asMeter("meter", [1, 2, 3, 5])), undefined);
    assertEquals(await site.connect(asMeter("other", [1, 2, 3, 4])), undefined);
    assertEquals(await site.connect(), undefined);
    assertEquals(
      site.peers.map((
        { version, certificate, pskIdentity },
      ) => [version, certificate, pskIdentity]),
      [["TLSv1.2", undefined, "meter"]],
    );
  });
});

test(`${NAME} tells the secrets of its connections when it is asked to`, async () => {
  const lines: string[] = [];
  const settings = tlsSettings(kit.server, { onSecrets: (line) => lines.push(line) });
  if (runtime.name === "deno") return await refuses(settings, "not-supported");
  await withSite(settings, async (site) => {
    assertEquals(await site.connect() !== undefined, true);
    assertEquals(
      lines.map((line) => /^[A-Z0-9_]+ [0-9a-f]{64} [0-9a-f]+$/.test(line)),
      lines.map(() => true),
    );
    assertEquals(lines.some((line) => line.startsWith("SERVER_TRAFFIC_SECRET_0 ")), true);
  });
});

test(`${NAME} closes what is not TLS, and tells the address (B-38)`, () =>
  withSite(tlsSettings(kit.server), async (site) => {
    const hello = Uint8Array.of(16, 12, 0, 4, 77, 81, 84, 84, 4, 2, 0, 0, 0, 0);
    const isClosed = new Promise<void>((resolve) => {
      const socket = connect(site.listener.port, LOOPBACK, () => void socket.write(hello));
      socket.on("error", () => {}).on("data", () => {}).on("close", () => resolve());
    });
    await isClosed;
    await until(() => site.failures.length > 0, "the failure is told");
    const { error, address } = site.failures[0]!;
    assertEquals([(error as OperationError).code, address], ["tls-failed", LOOPBACK]);
    assertEquals(await site.connect() !== undefined, true);
    assertEquals([site.failures.length, site.probes.length], [1, 1]);
  }));

async function refuses(tls: TlsOptions, code: OperationError["code"]): Promise<void> {
  const error = await assertRejects(
    () => runtime.listenTcp({ hostname: LOOPBACK, port: 0, tls }, () => new Probe(undefined!)),
    OperationError,
  );
  assertEquals(error.code, code);
}
