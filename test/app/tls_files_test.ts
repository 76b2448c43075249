// The files of a TLS listener: which are read, what becomes of them, and that none is passed over
// that cannot be.

import { assertEquals, assertRejects } from "@std/assert";
import { StartError } from "../../src/app/start_error.ts";
import { readTlsFiles } from "../../src/app/tls_files.ts";
import type { TlsOptions } from "../../src/runtime/tls.ts";
import { configOf } from "../config/support.ts";
import { test } from "../harness.ts";
import { FakeDisk } from "../support/fake_machine.ts";
import { tlsSettings } from "../support/tls_settings.ts";

const KEY = new Uint8Array([1, 2, 3]);

function diskWith(files: Readonly<Record<string, string>>): FakeDisk {
  const disk = new FakeDisk();
  for (const [path, text] of Object.entries(files)) disk.put(path, text);
  return disk;
}

/** Reads what this section names; `lines` is told what is logged. */
async function read(
  section: string,
  disk: FakeDisk,
  lines: string[] = [],
): Promise<TlsOptions | undefined> {
  const { listeners } = await configOf(`listener 1\n${section}`);
  return await readTlsFiles(listeners[0]!, {
    files: disk,
    secrets: { files: disk, allowsLinks: false, userId: 1000, groupId: 1000 },
    log: (type, text) => void lines.push(`${type}: ${text}`),
    keyOf: (identity) => identity === "known" ? KEY : undefined,
    onSecrets: undefined,
  });
}

const PAIR = "certfile /cert\nkeyfile /key\n";
const server = { certificate: pem("server"), key: privateKey("server"), serial: "1" };
const FILES = {
  "/cert": server.certificate,
  "/key": server.key,
  "/ca": pem("authority"),
  "/crl": list("list"),
};

/** What begins like a certificate, and is as good as one here. */
function pem(name: string): string {
  return `-----BEGIN CERTIFICATE-----\n${name}\n`;
}

function privateKey(name: string): string {
  return `-----BEGIN PRIVATE KEY-----\n${name}\n`;
}

function list(name: string): string {
  return `-----BEGIN X509 CRL-----\n${name}\n`;
}

test("readTlsFiles() reads nothing for a listener without TLS", async () => {
  const disk = diskWith({});
  assertEquals([await read("", disk), [...disk.touched]], [undefined, []]);
});

test("readTlsFiles() reads what the section names, and hands on what it says", async () => {
  assertEquals(await read(PAIR, diskWith(FILES)), tlsSettings(server));
  const section = `${PAIR}cafile /ca\ncrlfile /crl\nrequire_certificate true\n` +
    "tls_version tlsv1.3\nciphers HIGH\nciphers_tls1.3 TLS_AES_128_GCM_SHA256\n" +
    "disable_client_cert_date_checks true\n";
  assertEquals(
    await read(section, diskWith(FILES)),
    tlsSettings(server, {
      authorities: pem("authority"),
      revocationLists: list("list"),
      requiresCertificate: true,
      ignoresCertificateDates: true,
      minimumVersion: "TLSv1.3",
      ciphers: "HIGH",
      suites: "TLS_AES_128_GCM_SHA256",
    }),
  );
});

test("readTlsFiles() has the keys of identities asked for instead of a certificate", async () => {
  const options = await read("psk_hint hint\n", diskWith({}));
  const { psk, ...rest } = options!;
  assertEquals([psk!.hint, psk!.keyOf("known"), psk!.keyOf("other")], ["hint", KEY, undefined]);
  const none = tlsSettings(server, {});
  assertEquals({ ...rest, psk: undefined }, { ...none, certificate: undefined, key: undefined });
});

test("readTlsFiles() takes from a directory what is named by its hash, in order", async () => {
  const disk = diskWith({
    ...FILES,
    "/cas/": "",
    "/cas/00ff00ff.1": pem("second"),
    "/cas/00ff00ff.0": pem("first"),
    "/cas/00ff00ff.r0": list("its list"),
    "/cas/readme": "nothing",
    "/cas/00FF00FF.0": "nothing",
  });
  const section = `${PAIR}cafile /ca\ncrlfile /crl\ncapath /cas\nrequire_certificate true\n`;
  const options = await read(section, disk);
  assertEquals([options!.authorities, options!.revocationLists], [
    [pem("authority"), pem("first"), pem("second"), ""].join("\n"),
    [list("list"), list("its list"), ""].join("\n"),
  ]);
});

const FAULTS: readonly (readonly [missing: string, lines: readonly string[]])[] = [
  ["/cert", [
    'Error: Unable to load server certificate "/cert". Check certfile.',
    'Cannot use "/cert": not-found.',
  ]],
  ["/key", [
    'Error: Unable to load server key file "/key". Check keyfile.',
    "Error: /key: no such file.",
  ]],
  ["/ca", [
    'Error: Unable to load CA certificates. Check cafile "/ca".',
    'Cannot use "/ca": not-found.',
  ]],
  ["/crl", [
    'Error: Unable to load certificate revocation file "/crl". Check crlfile.',
    'Cannot use "/crl": not-found.',
  ]],
  ["/cas/", [
    'Error: Unable to load CA certificates. Check capath "/cas".',
    'Cannot use "/cas": not-found.',
  ]],
  ["/cas/00ff00ff.0", [
    'Error: Unable to load CA certificates. Check capath "/cas".',
    "It holds no hashed certificate.",
  ]],
];

const EMPTY: readonly (readonly [path: string, lines: readonly string[]])[] = [
  ["/cert", [FAULTS[0]![1][0]!, "It holds no certificate."]],
  ["/key", [FAULTS[1]![1][0]!, "It holds no private key."]],
  ["/ca", [FAULTS[2]![1][0]!, "It holds no certificate."]],
  ["/crl", [FAULTS[3]![1][0]!, "It holds no certificate revocation list."]],
  ["/cas/00ff00ff.0", [FAULTS[4]![1][0]!, "It holds no certificate."]],
  ["/cas/00ff00ff.r0", [FAULTS[4]![1][0]!, "It holds no certificate revocation list."]],
];

test("readTlsFiles() names the option of a file that cannot be read, with status 1", async () => {
  const section = `${PAIR}cafile /ca\ncrlfile /crl\ncapath /cas\nrequire_certificate true\n`;
  const got: unknown[] = [];
  for (const [missing] of FAULTS) {
    const disk = diskWith({ ...FILES, "/cas/": "", "/cas/00ff00ff.0": pem("other") });
    disk.entries.delete(missing);
    const error = await assertRejects(() => read(section, disk), StartError);
    got.push([missing, error.status, error.lines]);
  }
  assertEquals(got, FAULTS.map(([missing, lines]) => [missing, 1, lines]));
});

test("readTlsFiles() never takes an empty file for none, because it would protect nothing", async () => {
  const section = `${PAIR}cafile /ca\ncrlfile /crl\ncapath /cas\nrequire_certificate true\n`;
  const got: unknown[] = [];
  for (const [path] of EMPTY) {
    const disk = diskWith({ ...FILES, "/cas/": "", "/cas/00ff00ff.0": pem("other") });
    disk.put(path, "# nothing\n");
    const error = await assertRejects(() => read(section, disk), StartError);
    got.push([path, error.status, error.lines]);
  }
  assertEquals(got, EMPTY.map(([path, lines]) => [path, 1, lines]));
});

test("readTlsFiles() warns of a key that is everybody's, and follows no link to one", async () => {
  const disk = diskWith(FILES);
  disk.put("/key", server.key, { mode: 0o644 });
  const lines: string[] = [];
  await read(PAIR, disk, lines);
  assertEquals(
    lines[0],
    "warning: Warning: File /key has world readable permissions. Future versions will refuse to load this file.",
  );
  disk.put("/key", server.key, { isLink: true });
  disk.realPath = () => Promise.resolve("/elsewhere/key");
  const error = await assertRejects(() => read(PAIR, disk), StartError);
  assertEquals(error.lines[0], 'Error: Unable to load server key file "/key". Check keyfile.');
});
