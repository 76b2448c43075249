// That the program keeps secrets: in no log of any type and shape, in no topic, in no answer of the
// HTTP API and in no complaint about a configuration is there one (B-59). And the file of those
// secrets that an operator asks for.

import { assertEquals, assertMatch } from "@std/assert";
import { readFileSync, statSync } from "node:fs";
import { connect } from "node:tls";
import { join } from "node:path";
import { VERSION } from "../../src/app/version.ts";
import { NO_PROPERTIES } from "../../src/core/codec/property.ts";
import { test } from "../harness.ts";
import { currentRuntime } from "../runtime/programs.ts";
import { makeCertificates } from "../support/certificates.ts";
import { login } from "../support/login.ts";
import { bytesOf } from "../support/packets.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { passwordFile } from "../support/password_lines.ts";
import { WireClient } from "../support/wire_client.ts";

/** Every secret has this in it; nothing else does. */
const SECRET = "hush-2b7e151628";

function holdsSecret(text: string): boolean {
  const hex = [...bytesOf(SECRET)].map((byte) => byte.toString(16)).join("");
  return [SECRET, btoa(SECRET), hex].some((form) => text.includes(form));
}

for (const format of ["text", "json"]) {
  test(
    `The program tells no secret in a log of everything as ${format} (B-59)`,
    PROCESS_TEST,
    async () => {
      const password = `${SECRET}-right`;
      const users = passwordFile({ ann: password });
      const config = "listener $PORT1 127.0.0.1\nlistener $PORT2 127.0.0.1\nprotocol http_api\n" +
        `password_file $DIR/users\nlog_type all\nlog_dest stderr\nlog_dest topic\nlog_format ${format}\n`;
      const files = { users };
      await MidgeProcess.with({ config, files }, async (midge) => {
        const reader = await WireClient.connect(midge.port, 5, {
          clientId: "reader",
          username: "ann",
          password: bytesOf(password),
          will: {
            topic: "gone",
            payload: bytesOf(`${SECRET}-will`),
            qos: 0,
            retain: false,
            properties: NO_PROPERTIES,
          },
        });
        await reader.subscribe(["$SYS/#"]);
        for (const version of [3, 4, 5] as const) {
          await login(midge.port, version, { username: "ann", password });
          await login(midge.port, version, { username: "ann", password: `${SECRET}-wrong` });
        }
        const client = await WireClient.open(midge.port, 5);
        await client.handshake({
          properties: {
            authenticationMethod: "token",
            authenticationData: bytesOf(`${SECRET}-token`),
          },
        });
        reader.publish("a", `${SECRET}-payload`, { retain: true });
        const url = `http://127.0.0.1:${midge.ports[1]}/api/v1/`;
        const bodies: string[] = [];
        for (const word of [password, `${SECRET}-wrong`]) {
          const headers = { authorization: `Basic ${btoa(`ann:${word}`)}` };
          for (const path of ["version", "listeners", "systree", "none"]) {
            bodies.push(await (await fetch(url + path, { headers })).text());
          }
        }
        midge.signal("SIGHUP");
        await midge.logged(/Reloading config\./);
        midge.signal("SIGUSR2");
        const packets = await reader.ping();
        const topics = packets.map((packet) =>
          packet.type === "publish" ? new TextDecoder().decode(packet.payload) : ""
        );
        assertEquals(await midge.stop(), 0);
        const told = { log: midge.stderr, stdout: midge.stdout, topics, bodies };
        assertEquals(
          [bodies.includes(VERSION), topics.length > 20, midge.stderr.includes("reader")],
          [true, true, true],
        );
        for (const [place, text] of Object.entries(told)) {
          assertEquals(
            [place, holdsSecret(`${text}`), `${text}`.includes(users.slice(-20).trim())],
            [
              place,
              false,
              false,
            ],
          );
        }
      });
    },
  );
}

test("The program shows nothing of a secret that makes no sense (B-59)", PROCESS_TEST, async () => {
  const { status, stdout, lines } = await MidgeProcess.run({
    config: `connection up\naddress 192.0.2.1\ntopic #\nbridge_psk ${SECRET}\n` +
      "bridge_identity me\nremote_password \u{1}\nlistener $PORT1\npassword_file $DIR/users\n",
    files: { users: `ann:${SECRET}\n`, word: `${SECRET}\n${SECRET}` },
    env: { MIDGE_REMOTE_PASSWORD_FILE: "$DIR/word", MIDGE_MAX_QOS_FILE: "$DIR/word" },
    args: ["-v"],
  });
  assertEquals([status, stdout, lines.length > 3, holdsSecret(lines.join("\n"))], [
    3,
    "",
    true,
    false,
  ]);
  const started = await MidgeProcess.run({
    config: "listener $PORT1\npassword_file $DIR/users\n",
    files: { users: `ann:${SECRET}\n` },
    args: ["-v"],
  });
  assertEquals([started.status, started.lines.slice(-2)], [3, [
    "password-file: Error: Unable to decode line in password file '$DIR/users'.",
    `midge version ${VERSION} terminating`,
  ]]);
});

test(
  "The program writes TLS secrets where --tls-keylog says, or refuses to start",
  PROCESS_TEST,
  async () => {
    const { server } = await makeCertificates();
    const options = {
      config: "listener $PORT1 127.0.0.1\ncertfile $DIR/cert\nkeyfile $DIR/key\n",
      files: { cert: server.certificate, key: server.key },
      args: ["--tls-keylog", "$DIR/secrets"],
    };
    if (currentRuntime() === "deno") {
      const { status, lines } = await MidgeProcess.run(options);
      assertEquals([status, lines.at(-1)], [1, `midge version ${VERSION} terminating`]);
      assertMatch(lines.at(-3)!, /^Error: .* are not supported on this runtime\.$/);
      assertMatch(lines.at(-2)!, /^Error found in the listener on port \d+\.$/);
      return;
    }
    await MidgeProcess.with(options, async (midge) => {
      assertEquals(midge.lines.filter((line) => line.startsWith("Notice: ")), [
        "Notice: TLS key logging is enabled, to $DIR/secrets.",
        "Notice: TLS key logging is for debugging only.",
      ]);
      await new Promise<void>((resolve, reject) => {
        const where = { port: midge.port, host: "127.0.0.1", rejectUnauthorized: false };
        const socket = connect(where, () => {
          const client = new WireClient(socket, 4);
          client.handshake().then(() => resolve(), reject).finally(() => client.destroy());
        });
        socket.once("error", reject);
      });
      const path = join(midge.folder, "secrets");
      const lines = readFileSync(path, "utf8").trimEnd().split("\n");
      assertEquals(statSync(path).mode & 0o777, 0o600);
      assertEquals(lines.length > 0, true);
      for (const line of lines) assertMatch(line, /^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]+$/);
    });
  },
);
