// Passwords, keys and tokens stay where they are: whatever happens and however much is logged, they
// are in no line of the log, no topic of the broker, no answer of its interfaces and no error.

import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { connect as connectTls } from "node:tls";
import { join } from "node:path";
import type { Packet } from "../../src/core/codec/packet.ts";
import { test } from "../harness.ts";
import { Authority, type Certificate } from "../support/certificates.ts";
import { credentials, login } from "../support/login.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { passwordLine } from "../support/password_lines.ts";
import { encoded, VERSIONS } from "../support/raw_packet.ts";
import { describe, WireClient } from "../support/wire_client.ts";

const SECRETS = {
  password: "right-horse-battery",
  wrong: "wrong-donkey-charger",
  web: "web-password-of-alice",
  token: "plugin-token-4711",
  step: "enhanced-authentication-data",
  key: "c0ffee11c0ffee22c0ffee33",
  remote: "password-of-the-remote-broker",
};

/** Every way in which a secret might be written. */
function disguises(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString("hex");
  const numbers = [...bytes].join(",");
  return [secret, bytes.toString("base64").replaceAll("=", ""), hex, numbers, encodeURI(secret)];
}

/** Asserts that a text holds no secret; what it found is told by name only. */
function assertNoSecrets(text: string, secrets: Readonly<Record<string, string>>): void {
  const found = Object.entries(secrets)
    .filter(([, secret]) => disguises(secret).some((disguise) => text.includes(disguise)))
    .map(([name]) => name);
  assertEquals(found, []);
}

test("assertNoSecrets() finds a secret in whatever disguise", () => {
  for (const disguise of disguises("secret")) {
    let isFound = false;
    try {
      assertNoSecrets(`something with ${disguise} in it`, { it: "secret" });
    } catch {
      isFound = true;
    }
    assertEquals(isFound, true, disguise);
  }
});

const PLUGIN = `
export default ({ options, log }) => {
  if (options.get("token") === undefined) throw new Error("No token");
  return {
    name: "token",
    authenticator: {
      name: "token",
      methods: ["STEPS"],
      authenticate: () => "ignore",
      exchange: ({ data }) =>
        data === undefined || data.length === 0 ? { reasonCode: 0x87 } : { reasonCode: 0x18, data },
    },
    observer: { name: "token", message: (_client, message) => message },
  };
};
`;

/** One client of every kind; all that the broker gave away meanwhile. */
async function giveAway(midge: MidgeProcess, files: Files): Promise<string> {
  const [plain, secure, api, web] = midge.ports;
  const admin = await WireClient.connect(
    plain!,
    5,
    credentials({ username: "alice", password: SECRETS.password }),
  );
  const seen: Packet[] = [];
  await admin.subscribe(["$SYS/#", "$CONTROL/#"], 0);
  for (const version of VERSIONS) {
    const who = { username: "alice", password: SECRETS.password };
    assertEquals(await login(plain!, version, who), 0);
    assertEquals(await login(plain!, version, { ...who, password: SECRETS.wrong }), 0x87);
    assertEquals(await login(plain!, version, { username: "x", password: SECRETS.wrong }), 0x87);
    await misspell(plain!, version);
  }
  await authenticateInSteps(plain!);
  assertEquals(await proveIdentity(secure!, files), 0);
  const bodies = [];
  for (const word of [SECRETS.password, SECRETS.wrong]) {
    for (const path of ["version", "listeners", "systree"]) {
      bodies.push(await askHttp(api!, `/api/v1/${path}`, word));
    }
  }
  bodies.push(await askHttp(web!, "/", SECRETS.web));
  for (const command of ["listListeners", "listPlugins"]) {
    admin.publish("$CONTROL/broker/v1", JSON.stringify({ commands: [{ command }] }));
  }
  seen.push(...await admin.ping());
  midge.signal("SIGUSR2");
  const reload = async (times: number): Promise<void> => {
    midge.signal("SIGHUP");
    await midge.logged(/stays as it was\.("\})?$/, times);
  };
  // Each with a fault beside the secret.
  await midge.write("passwd", `alice:${SECRETS.password}\n${SECRETS.wrong}:${SECRETS.wrong}\n:x\n`);
  await reload(1);
  await midge.write("passwd", files.passwd);
  await midge.write("psk", `meter:${SECRETS.key}xyz\n`);
  await reload(2);
  await midge.write("psk", `meter:${SECRETS.key}\n`);
  await midge.write("server.key", files.server.key.replaceAll("\n", "\n!"));
  await reload(3);
  seen.push(...await admin.ping());
  await midge.stop();
  const log = await readFile(join(midge.folder, "midge.log"), "utf8");
  const topics = seen.map(describe);
  assertEquals(topics.some((text) => text.startsWith("publish $SYS/broker/uptime ")), true);
  assertEquals(topics.some((text) => text.startsWith("publish $SYS/broker/log/")), true);
  assertEquals(topics.some((text) => text.includes("listPlugins")), true);
  assertEquals(bodies.map(({ status }) => status), [200, 200, 200, 401, 401, 401, 404]);
  return [midge.stdout, midge.stderr, log, ...topics, ...bodies.map(({ text }) => text)].join("\n");
}

/** Ends in the middle of a password, and has bytes behind one. */
async function misspell(port: number, version: 3 | 4 | 5): Promise<void> {
  for (const extra of [-3, 3]) {
    const client = await WireClient.open(port, version);
    const who = credentials({ username: "alice", password: SECRETS.password });
    const bytes = client.connectBytes(who);
    const other = new Uint8Array(bytes.length + extra);
    other.set(bytes.subarray(0, other.length));
    other[1] = bytes[1]! + extra;
    client.send(other);
    await client.untilClosed();
  }
}

async function authenticateInSteps(port: number): Promise<void> {
  const client = await WireClient.open(port, 5);
  const properties = {
    authenticationMethod: "STEPS",
    authenticationData: new TextEncoder().encode(SECRETS.step),
  };
  client.send(client.connectBytes({ properties }));
  assertEquals(describe(await client.next("the first step")), "auth 0x18");
  const none = { authenticationMethod: "STEPS", authenticationData: new Uint8Array(0) };
  client.send(encoded(5, { type: "auth", reasonCode: 0x18, properties: none }));
  assertEquals((await client.untilClosed()).map(describe), ["connack 0x87"]);
}

async function proveIdentity(port: number, { authority, alice }: Files): Promise<number> {
  const client = await new Promise<WireClient>((resolve, reject) => {
    const socket = connectTls({
      host: "localhost",
      port,
      ca: authority.certificate,
      cert: alice.certificate,
      key: alice.key,
    });
    socket.once("error", reject);
    socket.once("secureConnect", () => resolve(new WireClient(socket, 5)));
  });
  const { reasonCode } = await client.handshake(credentials({ password: SECRETS.wrong }));
  client.leave();
  return reasonCode;
}

async function askHttp(
  port: number,
  path: string,
  password: string,
): Promise<{ status: number; text: string }> {
  const authorization = `Basic ${btoa(`alice:${password}`)}`;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization } });
  const text = await response.text();
  return { status: response.status, text: `${[...response.headers].join("\n")}\n${text}` };
}

interface Files {
  readonly authority: Authority;
  readonly server: Certificate;
  readonly alice: Certificate;
  readonly passwd: string;
}

for (const format of ["text", "json"]) {
  test(
    `B-59 No secret leaves the broker that logs everything as ${format}`,
    PROCESS_TEST,
    async () => {
      const authority = await Authority.create("CN=Midge Test Root");
      const files: Files = {
        authority,
        server: await authority.issue("CN=localhost"),
        alice: await authority.issue("CN=alice"),
        passwd: `${passwordLine("alice", SECRETS.password)}\n`,
      };
      const { server, alice, passwd } = files;
      await MidgeProcess.with({
        config: [
          "log_type all",
          "log_dest stderr",
          "log_dest topic",
          "log_dest file $DIR/midge.log",
          `log_format ${format}`,
          ...format === "json" ? [] : ["log_timestamp false"],
          "enable_control_api true",
          "password_file $DIR/passwd",
          "acl_file $DIR/acl",
          "psk_file $DIR/psk",
          "plugin $DIR/token.mjs",
          `plugin_opt_token ${SECRETS.token}`,
          "listener $PORT1 127.0.0.1",
          "listener $PORT2 127.0.0.1",
          "certfile $DIR/server.pem",
          "keyfile $DIR/server.key",
          "cafile $DIR/ca.pem",
          "require_certificate true",
          "use_identity_as_username true",
          "listener $PORT3 127.0.0.1",
          "protocol http_api",
          "listener $PORT4 127.0.0.1",
          "protocol websockets",
          "http_dir $DIR/www",
          "",
        ].join("\n"),
        files: {
          passwd,
          acl: "user alice\ntopic #\ntopic $SYS/#\ntopic $CONTROL/#\n",
          psk: `meter:${SECRETS.key}\n`,
          "token.mjs": PLUGIN,
          "server.pem": server.certificate,
          "server.key": server.key,
          "ca.pem": authority.certificate,
          "www/index.htm": "",
        },
      }, async (midge) => {
        const keyLine = (certificate: Certificate): string => certificate.key.split("\n")[1]!;
        assertNoSecrets(await giveAway(midge, files), {
          ...SECRETS,
          hash: passwd.split("$").at(-1)!.trim(),
          serverKey: keyLine(server),
          clientKey: keyLine(alice),
        });
      });
    },
  );
}

interface Start {
  readonly config: string;
  readonly env?: Readonly<Record<string, string>>;
}

const { remote } = SECRETS;
const BRIDGE = "connection c\naddress 127.0.0.1:1\ntopic # out\n";

/** Starts that fail, with a secret near to what is wrong. */
const STARTS: Readonly<Record<string, Start>> = {
  "a bridge": { config: `${BRIDGE}remote_password ${remote}\nlocal_password ${remote}\n` },
  "a password outside of a bridge": { config: `remote_password ${remote}\n` },
  "a password that is given twice": {
    config: `${BRIDGE}remote_password ${remote}\nremote_password ${remote}2\n`,
  },
  "a key that is no number": {
    config: `${BRIDGE}bridge_identity me\nbridge_psk ${remote}\n`,
  },
  "the digest of an engine's password": { config: `tls_engine_kpass_sha1 ${remote}\n` },
  "a password file for a configuration": { config: `alice:${remote}\n` },
  "an option that is none": { config: `pass_word ${remote}\n` },
  "an option of a plugin that is none": { config: `plugin_opt_password ${remote}\n` },
  "an option without a value, and one behind it": {
    config: `plugin_opt_password\nremote_password ${remote} \u0001\n`,
  },
  "files that are the wrong ones": {
    config: "listener $PORT1\npassword_file $DIR/a\nacl_file $DIR/a\npsk_file $DIR/a\n",
  },
  "a certificate and key that are none": {
    config: "listener $PORT1 127.0.0.1\ncertfile $DIR/b\nkeyfile $DIR/b\n",
  },
  "environment variables": {
    config: BRIDGE,
    env: { MIDGE_REMOTE_PASSWORD: remote, MIDGE_NONSENSE_PASSWORD: remote, MIDGE_PORT: remote },
  },
};

test(
  "B-59 No secret is in what is said of a configuration that is wrong",
  PROCESS_TEST,
  async () => {
    for (const [name, { config, env = {} }] of Object.entries(STARTS)) {
      const files = {
        a: `alice:${remote}\n:${remote}\n bob : ${remote}\n`,
        b: `-----BEGIN PRIVATE KEY-----\n${remote}\n-----END PRIVATE KEY-----\n`,
      };
      const ended = await MidgeProcess.run({ config, env, files, args: ["-v"] });
      assertEquals([1, 3, 13].includes(ended.status ?? -1), true, `${name}: ${ended.lines}`);
      assertNoSecrets([name, ended.stdout, ...ended.lines].join("\n"), SECRETS);
    }
  },
);
