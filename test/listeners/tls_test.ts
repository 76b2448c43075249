// Listeners with certificates, with the program itself and foreign clients: who is let in, who the
// client is then, and what each option of TLS does. What a runtime cannot do is in tls_faults_test.

import { assertEquals, assertMatch } from "@std/assert";
import mqtt from "mqtt";
import { createPrivateKey } from "node:crypto";
import { test } from "../harness.ts";
import { JS_VERSION_NAMES, JS_VERSIONS, JsClient } from "../interop/js_client.ts";
import { type Certificate, certificateFiles, makeCertificates } from "../support/certificates.ts";
import { runScript } from "../support/child_script.ts";
import { runtimeName } from "../support/current_runtime.ts";
import { skipWithout } from "../support/foreign.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { knockByTls, openTlsClient, type TlsClientOptions } from "../support/tls_client.ts";
import { at, passedOn, passOn, TOOLS, tryToPublish } from "../support/tool_clients.ts";
import { until } from "../support/wait.ts";
import { WireClient } from "../support/wire_client.ts";

const kit = await makeCertificates();
const ca = kit.authority.certificate;
const files = certificateFiles(kit);
const SERVER = "certfile $DIR/server.pem\nkeyfile $DIR/server.key";
const MUTUAL = `${SERVER}\ncafile $DIR/authority.pem\nrequire_certificate true`;

const CONFIG = `
allow_anonymous true
listener $PORT1 127.0.0.1
${SERVER}
listener $PORT2 127.0.0.1
protocol websockets
${SERVER}
listener $PORT3 127.0.0.1
listener 0 $DIR/mqtts.sock
${SERVER}
listener $PORT4 127.0.0.1
protocol http_api
${SERVER}
`;

test("Foreign clients speak every version of MQTT over TLS, and over WebSockets in it", {
  ...PROCESS_TEST,
  skip: skipWithout(...TOOLS),
}, () =>
  MidgeProcess.with({ config: CONFIG, files }, async (midge) => {
    const [port, webPort, plainPort, apiPort] = midge.ports as [number, number, number, number];
    const cafile = ["--cafile", `${midge.folder}/authority.pem`];
    const tls = [...at(port, "localhost"), ...cafile];
    assertEquals(await passOn("tool/tls", tls), passedOn("tool/tls"));
    assertEquals(await passOn("tool/plain", tls, at(plainPort)), passedOn("tool/plain"));
    // Who trusts another authority does not trust us.
    const distrust = [...at(port, "localhost"), "--cafile", `${midge.folder}/otherAuthority.pem`];
    assertEquals((await tryToPublish("x", "x", distrust)).code === 0, false);

    const schemes = [["mqtts", port], ["wss", webPort]] as const;
    for (const version of JS_VERSION_NAMES) {
      const clients = schemes.map(([scheme, to]) =>
        new JsClient(mqtt.connect(`${scheme}://localhost:${to}`, {
          ...JS_VERSIONS[version],
          ca,
          clientId: `${scheme}-${version}`,
          reconnectPeriod: 0,
        }))
      );
      await until(
        () => clients.every(({ connack }) => connack !== undefined),
        `both are connected: ${clients.map(({ errors }) => errors)}`,
      );
      const large = "x".repeat(200_000);
      for (const { client } of clients) await client.subscribeAsync("all", { qos: 1 });
      for (const client of clients) await client.publish("all", large, { qos: 1 });
      for (const client of clients) {
        await client.receives(2);
        assertEquals(client.received.map(({ text }) => text === large), [true, true]);
        await client.end();
      }
    }
    const lines = await midge.found(/^.* (?:mqtts|wss)-5 negotiated .*$/, 2);
    assertEquals(lines.length, 2);
    for (const line of lines) {
      assertMatch(line, /^Client (?:mqtts|wss)-5 negotiated TLSv1\.3 cipher TLS_[A-Z\d_]+$/);
    }
    assertEquals(await knockByTls({ to: `${midge.folder}/mqtts.sock`, ca }), 0);

    // The runtime's own clients learn whom to trust from the environment.
    const answer = await runScript(
      `
      const response = await fetch("https://localhost:${apiPort}/api/v1/listeners");
      const { listeners } = await response.json();
      console.log(listeners.map(({ protocol, tls, mtls }) => [protocol, tls, mtls].join(" ")).join());
      const socket = new WebSocket("wss://localhost:${webPort}/", ["mqtt"]);
      socket.binaryType = "arraybuffer";
      socket.onopen = () => socket.send(Uint8Array.of(16, 12, 0, 4, 77, 81, 84, 84, 4, 2, 0, 0, 0, 0));
      socket.onmessage = ({ data }) => {
        console.log(socket.protocol, new Uint8Array(data).join());
        socket.close();
      };
      socket.onclose = ({ code }) => console.log(code);
    `,
      {
        through: [
          "env",
          ...["DENO_CERT", "NODE_EXTRA_CA_CERTS"].map((name) =>
            `${name}=${midge.folder}/authority.pem`
          ),
        ],
      },
    );
    assertEquals(answer.trim().split("\n"), [
      "mqtt true false,websockets true false,mqtt false false,mqtt true false,httpapi true false",
      "mqtt 32,2,0,0",
      "1000",
    ]);
  }));

/** Clients by the certificate that they show. */
const clients: Readonly<Record<string, Certificate | undefined>> = {
  client: kit.client,
  expired: kit.expired,
  notYetValid: kit.notYetValid,
  revoked: kit.revoked,
  stranger: kit.stranger,
  nobody: undefined,
};

const WHO = `
allow_anonymous true
listener $PORT1 127.0.0.1
${MUTUAL}
listener $PORT2 127.0.0.1
${MUTUAL}
crlfile $DIR/crl.pem
listener $PORT3 127.0.0.1
${SERVER}
capath $DIR/hashed
require_certificate true
listener $PORT4 127.0.0.1
${SERVER}
cafile $DIR/authority.pem
listener $PORT5 127.0.0.1
protocol websockets
${MUTUAL}
crlfile $DIR/crl.pem
${
  runtimeName === "deno" ? "" : `
listener $PORT6 127.0.0.1
${MUTUAL}
crlfile $DIR/crl.pem
disable_client_cert_date_checks true`
}
`;

/** Who is let in by which listener. */
const LET_IN: readonly (readonly string[])[] = [
  ["client", "revoked"],
  ["client"],
  ["stranger"],
  Object.keys(clients),
  ["client"],
  ...runtimeName === "deno" ? [] : [["client", "expired", "notYetValid"]],
];

const HASHED = {
  "hashed/0123abcd.0": kit.otherAuthority.certificate,
  // Not by the name of an authority.
  "hashed/authority.pem": kit.authority.certificate,
};

test(
  "A listener with require_certificate lets in whose certificate is good, and nobody else",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: WHO, files: { ...files, ...HASHED } }, async (midge) => {
      const found = await Promise.all(LET_IN.map(async (_, i) => {
        const names: string[] = [];
        for (const [name, certificate] of Object.entries(clients)) {
          const to = midge.ports[i]!;
          const code = await knockByTls({ to, ca, certificate, isWebSocket: i === 4 });
          if (code === 0) names.push(name);
        }
        return names;
      }));
      assertEquals(found, LET_IN);
      const refused = LET_IN.length * 6 - LET_IN.flat().length;
      await midge.logged(/^Client connection from 127\.0\.0\.1 failed: .+\.$/, refused);
      const isLetIn = /^New client connected /;
      assertEquals((await midge.found(isLetIn, LET_IN.flat().length)).length, LET_IN.flat().length);
    }),
);

const NAMED = `
allow_anonymous false
password_file $DIR/passwords
listener $PORT1 127.0.0.1
${MUTUAL}
use_identity_as_username true
listener $PORT2 127.0.0.1
${MUTUAL}
use_subject_as_username true
listener $PORT3 127.0.0.1
${SERVER}
use_identity_as_username true
listener $PORT4 127.0.0.1
protocol websockets
${MUTUAL}
use_identity_as_username true
use_username_as_clientid true
listener $PORT5 127.0.0.1
${MUTUAL}
`;

test(
  "A certificate's name becomes the user name, and is all that a client has to prove",
  PROCESS_TEST,
  async () => {
    const { authority } = kit;
    const nameless: Readonly<Record<string, Certificate>> = {
      "no name": await authority.issue([{ O: ["Midge"] }]),
      "a name with U+0000": await authority.issue([{ CN: ["#0c03610062"] }]),
      // A TeletexString, because one of UTF-8 would be set right when it is made.
      "a name that is no UTF-8": await authority.issue([{ CN: ["#1402c328"] }]),
      "an empty name": await authority.issue([{ CN: ["#0c00"] }]),
    };
    const named = { ...files, passwords: "" };
    await MidgeProcess.with({ config: NAMED, files: named }, async (midge) => {
      const [port, subjectPort, bare, webPort, passwordPort] = midge.ports as number[];
      const { client } = kit;
      const secret = new TextEncoder().encode("not looked at");
      const claims = { username: "admin", password: secret };
      const knock = (to: number, clientId: string, rest: Partial<TlsClientOptions> = {}) =>
        knockByTls({ to, ca, certificate: client, ...rest }, { clientId, ...claims });
      assertEquals(
        [
          await knock(port!, "identity"),
          await knock(port!, "identity3", { version: 4 }),
          await knock(subjectPort!, "subject"),
          await knock(webPort!, "renamed", { isWebSocket: true }),
        ],
        [0, 0, 0, 0],
      );
      const fields = /^New client connected from \S+ as (.*)\.$/;
      assertEquals(await midge.found(fields, 4), [
        "identity (p5, c1, k0, u'client one')",
        "identity3 (p4, c1, k0, u'client one')",
        "subject (p5, c1, k0, u'CN=client one,OU=Meters,O=Midge')",
        "client one (p5, c1, k0, u'client one')",
      ]);
      // Nobody has asked for a certificate there; or it has to be another proof.
      assertEquals(await knock(bare!, "x"), 0x86);
      assertEquals(await knock(bare!, "x", { version: 4 }), 0x86);
      assertEquals(await knock(passwordPort!, "x"), 0x87);
      const answers: Record<string, unknown> = {};
      for (const [name, certificate] of Object.entries(nameless)) {
        answers[name] = [
          await knock(port!, name, { certificate }),
          await knock(subjectPort!, name, { certificate }),
        ];
      }
      assertEquals(answers, {
        "no name": [0x86, 0],
        "a name with U+0000": [0x86, 0],
        "a name that is no UTF-8": [0x86, 0],
        "an empty name": [0x86, 0],
      });
      const subjects = /^New client connected from \S+ as (?:no|an?) .* u'(.*)'\)\.$/;
      assertEquals(await midge.found(subjects, 4), [
        "O=Midge",
        "CN=a\\00b",
        "CN=\\C3\\83(",
        "CN=",
      ]);
    });
  },
);

const LISTS = `
allow_anonymous true
listener $PORT1 127.0.0.1
${SERVER}
tls_version tlsv1.3
listener $PORT2 127.0.0.1
${SERVER}
${
  runtimeName === "deno" ? "" : `
listener $PORT3 127.0.0.1
${SERVER}
ciphers ECDHE-ECDSA-AES256-GCM-SHA384`
}
${
  runtimeName !== "node" ? "" : `
listener $PORT4 127.0.0.1
${SERVER}
ciphers_tls1.3 TLS_CHACHA20_POLY1305_SHA256`
}
`;

test(
  "tls_version and the lists of ciphers bind every client",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: LISTS, files }, async (midge) => {
      const by = async (
        n: number,
        settings: TlsClientOptions["settings"] = {},
      ): Promise<string> => {
        const clientId = `by ${n} ${JSON.stringify(settings)}`;
        const code = await knockByTls({ to: midge.ports[n - 1]!, ca, settings }, { clientId });
        if (code !== 0) return String(code);
        const start = `Client ${clientId} negotiated `;
        await until(
          () => midge.lines.some((line) => line.startsWith(start)),
          `there is "${start}"`,
        );
        return midge.lines.find((line) => line.startsWith(start))!.slice(start.length);
      };
      const old = { maxVersion: "TLSv1.2" } as const;
      const weak = { ...old, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" };
      assertEquals(await by(1, old), "refused");
      assertMatch(await by(1), /^TLSv1\.3 cipher TLS_/);
      assertMatch(await by(2, weak), /^TLSv1\.2 cipher ECDHE-ECDSA-AES/);
      assertEquals(await by(2, { minVersion: "TLSv1.1", maxVersion: "TLSv1.1" }), "refused");
      if (runtimeName !== "deno") {
        assertEquals(await by(3, weak), "refused");
        assertEquals(await by(3, old), "TLSv1.2 cipher ECDHE-ECDSA-AES256-GCM-SHA384");
        assertMatch(await by(3), /^TLSv1\.3 cipher TLS_/);
      }
      if (runtimeName === "node") {
        assertEquals(await by(4), "TLSv1.3 cipher TLS_CHACHA20_POLY1305_SHA256");
        assertEquals(await by(4, { ciphers: "TLS_AES_128_GCM_SHA256" }), "refused");
      }
    }),
);

const BEHIND = `
allow_anonymous true
listener $PORT1 127.0.0.1
enable_proxy_protocol 1
${MUTUAL}
crlfile $DIR/crl.pem
`;

test(
  "A proxy may have to show a certificate before its header is believed (B-56)",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: BEHIND, files }, async (midge) => {
      const to = midge.port;
      const header = new TextEncoder().encode("PROXY TCP4 203.0.113.7 192.0.2.9 50000 1883\r\n");
      const client = await openTlsClient({ to, ca, certificate: kit.client });
      client.send(header);
      assertEquals((await client.handshake({ clientId: "proxied" })).reasonCode, 0);
      client.leave();
      await midge.logged("New client connected from 203.0.113.7:50000 as proxied (p5, c1, k0).");
      for (const certificate of [undefined, kit.stranger, kit.revoked]) {
        assertEquals(await knockByTls({ to, ca, certificate }), "refused");
      }
      // A client that knows a certificate is no proxy yet.
      assertEquals(await knockByTls({ to, ca, certificate: kit.client }), "refused");
      await midge.logged("Connection rejected, corrupt PROXY header.");
      // In the clear it is not even read.
      const plain = await WireClient.open(to);
      plain.isDeaf = true;
      plain.send(header);
      assertEquals(await plain.untilClosed(), []);
      await midge.logged(/^Client connection from 127\.0\.0\.1 failed: /, 4);
      assertEquals(midge.lines.filter((line) => line.includes("203.0.113.7")).length, 2);
    }),
);

test("Keys and certificates may be of any usual kind and form", PROCESS_TEST, async () => {
  const rsa = await kit.authority.issue("CN=localhost", { hasRsaKey: true });
  const client = await kit.authority.issue("CN=rsa client", { hasRsaKey: true });
  const inForm = (pem: string, type: "pkcs1" | "sec1"): string =>
    String(createPrivateKey(pem).export({ type, format: "pem" }));
  const parameters =
    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  const pairs: readonly (readonly [certificate: string, key: string])[] = [
    [rsa.certificate, rsa.key],
    [rsa.certificate, inForm(rsa.key, "pkcs1")],
    [kit.server.certificate, parameters + inForm(kit.server.key, "sec1")],
    [
      `Certificate:\n    Data:\n${kit.server.certificate}`.replaceAll("\n", "\r\n"),
      kit.server.key.replaceAll("\n", "\r\n"),
    ],
  ];
  const lines = ["allow_anonymous true"];
  const own: Record<string, string> = { "authority.pem": ca };
  for (const [i, [certificate, key]] of pairs.entries()) {
    own[`${i}.pem`] = certificate;
    own[`${i}.key`] = key;
    lines.push(`listener $PORT${i + 1} 127.0.0.1`, `certfile $DIR/${i}.pem`);
    lines.push(`keyfile $DIR/${i}.key`, "cafile $DIR/authority.pem", "require_certificate true");
  }
  await MidgeProcess.with({ config: lines.join("\n"), files: own }, async (midge) => {
    const codes = await Promise.all(
      pairs.map((_, i) => knockByTls({ to: midge.ports[i]!, ca, certificate: client })),
    );
    assertEquals(codes, pairs.map(() => 0));
  });
});
