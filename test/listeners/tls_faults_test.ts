// What keeps a listener with TLS from being opened: the line, the status, and that nothing else
// stays open. An option that would have protected something is never passed over (B-53); neither is
// one that the runtime cannot honour.

import { assertEquals } from "@std/assert";
import { lstat, readFile, stat } from "node:fs/promises";
import { test } from "../harness.ts";
import { certificateFiles, makeCertificates } from "../support/certificates.ts";
import { runtimeName } from "../support/current_runtime.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { knockByTls } from "../support/tls_client.ts";

const kit = await makeCertificates();
const files = {
  ...certificateFiles(kit),
  "empty.pem": "",
  "hashed/0123abcd.0": "",
  "unhashed/authority.pem": kit.authority.certificate,
  keys: "meter:0123abcd\n",
};
const PAIR = "certfile $DIR/server.pem\nkeyfile $DIR/server.key";
const MUTUAL = `${PAIR}\ncafile $DIR/authority.pem\nrequire_certificate true`;
const NOT_HERE = "on this runtime";

type Fault = readonly [status: number, config: string, ...lines: string[]];

/** Told by the configuration alone, with the line that is at fault. */
const IN_LINES: readonly Fault[] = [
  [
    3,
    "keyfile $DIR/server.key",
    "Both certfile and keyfile must be provided to enable a TLS listener.",
  ],
  [3, "cafile $DIR/authority.pem", "cafile specified without certfile and keyfile."],
  [3, "capath $DIR/hashed", "capath specified without certfile and keyfile."],
  [3, "crlfile $DIR/crl.pem", "crlfile specified without certfile and keyfile."],
  [3, "require_certificate true", "require_certificate specified without certfile and keyfile."],
  [
    3,
    `${PAIR}\nrequire_certificate true`,
    "require_certificate specified without cafile or capath.",
  ],
  [
    3,
    "use_identity_as_username true",
    "use_identity_as_username specified without certfile and keyfile.",
  ],
  [
    3,
    "use_subject_as_username true",
    "use_subject_as_username specified without certfile and keyfile.",
  ],
  [
    3,
    `${PAIR}\npsk_hint who`,
    "Cannot use both certificate and psk encryption in a single listener.",
  ],
  [3, `${PAIR}\ntls_version tlsv1`, 'Unsupported tls_version "tlsv1".'],
  [
    3,
    `${PAIR}\nenable_proxy_protocol 2`,
    "certfile cannot be used with `enable_proxy_protocol 2`.",
    "keyfile cannot be used with `enable_proxy_protocol 2`.",
  ],
];

/** Told by what is in the files, or by the runtime. */
const IN_FILES: readonly Fault[] = [
  [
    1,
    "certfile $DIR/none.pem\nkeyfile $DIR/server.key",
    'Error: Unable to load server certificate "$DIR/none.pem". Check certfile.',
    'Cannot read "$DIR/none.pem": there is no such file.',
  ],
  [
    1,
    "certfile $DIR/empty.pem\nkeyfile $DIR/server.key",
    'Error: Unable to load server certificate "$DIR/empty.pem". Check certfile.',
    "It holds no certificate.",
  ],
  [
    1,
    "certfile $DIR/server.pem\nkeyfile $DIR/none.key",
    'Error: Unable to load server key file "$DIR/none.key". Check keyfile.',
    "Error: $DIR/none.key: no such file.",
  ],
  [
    1,
    "certfile $DIR/server.pem\nkeyfile $DIR/client.key",
    "Error: Unusable TLS settings: The key is not that of the certificate.",
    "Error found in the listener on port $PORT1.",
  ],
  [
    1,
    `${MUTUAL.replace("authority.pem", "empty.pem")}`,
    'Error: Unable to load CA certificates. Check cafile "$DIR/empty.pem".',
    "It holds no certificate.",
  ],
  [
    1,
    `${PAIR}\nrequire_certificate true\ncapath $DIR/hashed`,
    'Error: Unable to load CA certificates. Check capath "$DIR/hashed".',
    "It holds no certificate.",
  ],
  [
    1,
    `${PAIR}\nrequire_certificate true\ncapath $DIR/unhashed`,
    'Error: Unable to load CA certificates. Check capath "$DIR/unhashed".',
    "It holds no hashed certificate.",
  ],
  [
    1,
    `${MUTUAL}\ncrlfile $DIR/empty.pem`,
    'Error: Unable to load certificate revocation file "$DIR/empty.pem". Check crlfile.',
    "It holds no certificate revocation list.",
  ],
];

/** What only some runtimes can do; the others refuse it. */
const NOT_EVERYWHERE: readonly (readonly [config: string, what: string, ...where: string[]])[] = [
  ["psk_hint who\npsk_file $DIR/keys", "TLS pre-shared keys (psk_hint)", "node"],
  [`${PAIR}\nciphers HIGH`, "Lists of ciphers (ciphers)", "node", "bun"],
  [`${PAIR}\nciphers_tls1.3 TLS_AES_128_GCM_SHA256`, "Lists of suites (ciphers_tls1.3)", "node"],
  [
    `${MUTUAL}\ndisable_client_cert_date_checks true`,
    "Client certificates without dates (disable_client_cert_date_checks)",
    "node",
    "bun",
  ],
];

/** Two at a time: a program that does not start is soon gone. */
async function tryAll(faults: readonly Fault[], check: (fault: Fault) => Promise<void>) {
  const waiting = faults.values();
  await Promise.all([1, 2].map(async () => {
    for (const fault of waiting) await check(fault);
  }));
}

test(
  "Options of TLS that stand alone or contradict each other end the start with status 3 (B-53)",
  PROCESS_TEST,
  () =>
    tryAll(IN_LINES, async ([status, config, ...expected]) => {
      const text = `allow_anonymous true\nlistener $PORT1 127.0.0.1\n${config}`;
      const { status: found, lines } = await MidgeProcess.run({ config: text, files });
      const errors = lines.filter((each) => each.startsWith("Error: "));
      assertEquals([config, found, errors], [
        config,
        status,
        expected.map((line) => `Error: ${line}`),
      ]);
    }),
);

test(
  "Files that a listener with TLS cannot use end the start with status 1",
  PROCESS_TEST,
  () =>
    tryAll(IN_FILES, async ([status, config, ...expected]) => {
      const text =
        `allow_anonymous true\nlistener 0 $DIR/first.sock\nlistener $PORT1 127.0.0.1\n${config}`;
      const midge = await MidgeProcess.launch({ config: text, files });
      try {
        const found = await midge.ended;
        const at = midge.lines.findIndex((line) => line.startsWith("Error: "));
        const lines = midge.lines.slice(at, -1);
        assertEquals([config, found, lines], [
          config,
          status,
          expected.map((line) => line.replace("$PORT1", String(midge.port))),
        ]);
        assertEquals(await lstat(`${midge.folder}/first.sock`).catch(() => "gone"), "gone");
      } finally {
        await midge.discard();
      }
    }),
);

test(
  `What TLS on ${runtimeName} cannot do ends the start with status 1`,
  PROCESS_TEST,
  async () => {
    for (const [config, what, ...where] of NOT_EVERYWHERE) {
      const text = `allow_anonymous true\nlistener $PORT1 127.0.0.1\n${config}`;
      if (where.includes(runtimeName)) {
        await MidgeProcess.with({ config: text, files }, () => Promise.resolve());
        continue;
      }
      const midge = await MidgeProcess.launch({ config: text, files });
      try {
        const status = await midge.ended;
        const errors = midge.lines.filter((line) => line.startsWith("Error"));
        assertEquals([status, errors], [1, [
          `Error: ${what} are not supported ${NOT_HERE}.`,
          `Error found in the listener on port ${midge.port}.`,
        ]]);
      } finally {
        await midge.discard();
      }
    }
  },
);

test(
  "--tls-keylog writes the secrets of connections, for their owner only, and says so",
  PROCESS_TEST,
  async () => {
    const options = {
      config: `allow_anonymous true\nlistener $PORT1 127.0.0.1\n${PAIR}`,
      files,
      args: ["--tls-keylog", "$DIR/secrets"],
    };
    if (runtimeName === "deno") {
      const { status, lines } = await MidgeProcess.run(options);
      const errors = lines.filter((line) => line.startsWith("Error: "));
      const what = "Logs of TLS secrets (--tls-keylog)";
      assertEquals([status, errors], [1, [`Error: ${what} are not supported ${NOT_HERE}.`]]);
      return;
    }
    await MidgeProcess.with(options, async (midge) => {
      assertEquals(await knockByTls({ to: midge.port, ca: kit.authority.certificate }), 0);
      await midge.stop();
      const path = `${midge.folder}/secrets`;
      assertEquals((await stat(path)).mode & 0o777, 0o600);
      const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
      const shapes = lines.map((line) => /^([A-Z_\d]+) [\da-f]{64} [\da-f]+$/.exec(line)?.[1]);
      assertEquals(shapes.sort(), [
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "CLIENT_TRAFFIC_SECRET_0",
        "EXPORTER_SECRET",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        "SERVER_TRAFFIC_SECRET_0",
      ]);
      assertEquals(midge.lines.filter((line) => line.startsWith("Notice: ")), [
        "Notice: TLS key logging is enabled, to $DIR/secrets.",
        "Notice: TLS key logging is for debugging only.",
      ]);
    });
  },
);
