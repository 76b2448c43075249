// The example configurations, and those in the documentation: each is read without a fault or a
// warning, and means what its comments say. The one with the most in it is tried with clients.

import { assertEquals } from "@std/assert";
import { readdir, readFile } from "node:fs/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import type { Config, ListenerConfig } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { SHA512_OF_SECRET } from "../auth/hashes.ts";
import { readerOf } from "../config/support.ts";
import { test } from "../harness.ts";
import { makeCertificates } from "../support/certificates.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { WireClient } from "../support/wire_client.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOLDER = "examples/configurations/";

function text(path: string): Promise<string> {
  return readFile(ROOT + path, "utf8");
}

/** What the program would be told; there must be nothing else to tell. */
async function accepted(
  content: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Config> {
  const isEmpty = content === "";
  const { config, errors, notes } = await loadConfig({
    files: isEmpty ? [] : ["m.conf"],
    environment,
    reader: readerOf(isEmpty ? {} : { "m.conf": content }),
  });
  assertEquals({ errors: errors.flatMap(({ lines }) => lines), notes }, { errors: [], notes: [] });
  return config!;
}

async function example(name: string): Promise<Config> {
  return await accepted(await text(`${FOLDER}${name}`));
}

/** The variables of a file as container programs read it. */
async function environmentOf(name: string): Promise<Record<string, string>> {
  const lines = (await text(`${FOLDER}${name}`)).split("\n");
  return Object.fromEntries(
    lines.filter((line) => /^\w+=/.test(line)).map((line) => {
      const end = line.indexOf("=");
      return [line.slice(0, end), line.slice(end + 1)];
    }),
  );
}

/** In a word, what matters of each listener. */
function sketch({ listeners }: Config): string[] {
  return listeners.map((listener) =>
    [
      listener.path ?? `${listener.host ?? "*"}:${listener.port}`,
      listener.protocol,
      listener.tls === undefined ? "plain" : listener.requireCertificate ? "mutual" : "tls",
      listener.allowAnonymous ? "open" : deciders(listener),
    ].join(" ")
  );
}

function deciders({ security }: ListenerConfig): string {
  const files = [security.passwordFile, security.aclFile].filter((path) => path !== undefined);
  return [...security.plugins.map(({ name }) => name), ...files].join("+");
}

test("examples/configurations has no file that no test reads", async () => {
  assertEquals((await readdir(ROOT + FOLDER)).sort(), [
    "container.env",
    "per_listener.conf",
    "tls.conf",
    "websockets.conf",
  ]);
});

test("examples/configurations/tls.conf asks for a password, or for a certificate", async () => {
  const config = await example("tls.conf");
  const files = "/etc/mosquitto/passwd+/etc/mosquitto/acl";
  assertEquals(sketch(config), [`*:8883 mqtt tls ${files}`, `*:8884 mqtt mutual ${files}`]);
  assertEquals(config.listeners[1]!.useIdentityAsUsername, true);
});

test("examples/configurations/websockets.conf is for browsers and for this machine", async () => {
  assertEquals(sketch(await example("websockets.conf")), [
    "127.0.0.1:1883 mqtt plain open",
    "*:8443 websockets tls /etc/mosquitto/passwd",
  ]);
});

test("examples/configurations/per_listener.conf gives each listener its own deciders", async () => {
  const config = await example("per_listener.conf");
  assertEquals(sketch(config), [
    "/run/mosquitto/mosquitto.sock mqtt plain open",
    "192.0.2.1:1883 mqtt plain open",
    "*:8883 mqtt tls staff+rules",
  ]);
  assertEquals(config.listeners.map(({ mountPoint }) => mountPoint), ["", "sensors/", ""]);
});

test("examples/configurations/container.env is a whole configuration", async () => {
  const config = await accepted("", await environmentOf("container.env"));
  assertEquals(sketch(config), ["*:8883 mqtt tls /run/secrets/passwd+/run/secrets/acl"]);
  assertEquals(config.log.format, "json");
  assertEquals(config.rateLimits.loginFailures, { count: 10, seconds: 60 });
});

test("The configurations in README.md and docs are accepted", async () => {
  const pages = ["README.md", ...(await readdir(`${ROOT}docs`)).map((name) => `docs/${name}`)];
  const found = new Set<string>();
  for (const page of pages.filter((path) => path.endsWith(".md"))) {
    for (const [, block] of (await text(page)).matchAll(/```conf\n([^]*?)```/g)) {
      await accepted(block!);
      found.add(page);
    }
  }
  assertEquals([...found].sort(), ["README.md", "docs/plugins.md", "docs/security.md"]);
});

test(
  "per_listener.conf lets in sensors without, and staff with a password",
  PROCESS_TEST,
  async () => {
    const { server, authority } = await makeCertificates();
    const config = (await text(`${FOLDER}per_listener.conf`))
      .replaceAll("/etc/mosquitto/certs/", "$DIR/")
      .replaceAll(/\/(?:etc|run)\/mosquitto\//g, "$DIR/")
      .replace("1883 192.0.2.1", "$PORT1 127.0.0.1")
      .replace("listener 8883", "listener $PORT2 127.0.0.1");
    const files = {
      "server.pem": server.certificate,
      "server.key": server.key,
      "staff_passwd": `joe:${SHA512_OF_SECRET}\n`,
      "staff_acl": "pattern readwrite sensors/%u/#\n",
    };
    await MidgeProcess.with({ config, files }, async (midge) => {
      const joe = new WireClient(await secured(midge.ports[1]!, authority.certificate), 5);
      const login = { username: "joe", password: new TextEncoder().encode("secret") };
      assertEquals((await joe.handshake(login)).reasonCode, 0);
      assertEquals(await joe.subscribe(["sensors/#"]), [0]);
      const stranger = new WireClient(await secured(midge.ports[1]!, authority.certificate), 5);
      assertEquals((await stranger.handshake()).reasonCode, ReasonCode.NOT_AUTHORIZED);
      const sensor = await WireClient.open(midge.port);
      const { reasonCode, properties } = await sensor.handshake();
      assertEquals([reasonCode, properties.maximumQos], [0, 1]);
      sensor.publish("other/1", "not for him");
      sensor.publish("joe/1", "for him");
      const packet = await joe.next("the message of the sensor");
      assertEquals(packet.type === "publish" && packet.topic, "sensors/joe/1");
      for (const client of [joe, stranger, sensor]) client.destroy();
      assertEquals(await midge.stop(), 0);
    });
  },
);

function secured(port: number, ca: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: "127.0.0.1", port, servername: "localhost", ca });
    socket.once("error", reject);
    socket.once("secureConnect", () => resolve(socket));
  });
}
