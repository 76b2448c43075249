// The broker as a process of its own: where it listens, what it prints where, what it answers to
// signals, and with which status it ends. What it says in every case is in test/app.

import { assertEquals } from "@std/assert";
import { existsSync, readFileSync, statSync } from "node:fs";
import { readFile, rename } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { VERSION } from "../../src/app/version.ts";
import { NO_PROPERTIES } from "../../src/core/codec/property.ts";
import { test } from "../harness.ts";
import { currentRuntime } from "../runtime/programs.ts";
import { login } from "../support/login.ts";
import { bytesOf } from "../support/packets.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { until } from "../support/wait.ts";
import { describe, WireClient } from "../support/wire_client.ts";

const TERMINATING = `midge version ${VERSION} terminating`;

/** Connects to either loopback. */
function connectVia(host: string, port: number): Promise<WireClient> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.once("error", reject);
    socket.once("connect", () => resolve(new WireClient(socket, 4)));
  });
}

test(
  "The program without a configuration serves both loopbacks, and prints its trees",
  PROCESS_TEST,
  async () => {
    await MidgeProcess.with({ args: ["-p", "$PORT1", "-p", "$PORT2"] }, async (midge) => {
      const [first, second] = [midge.ports[0]!, midge.ports[1]!];
      assertEquals(midge.lines, [
        `midge version ${VERSION} starting`,
        "Using default config.",
        "Bridge support NOT available.",
        "Persistence support available.",
        "TLS support available.",
        `TLS-PSK support ${currentRuntime() === "node" ? "" : "NOT "}available.`,
        "Websockets support available.",
        "Starting in local only mode. Connections will only be possible from clients running on this machine.",
        "Create a configuration file which defines a listener to allow remote access.",
        "How to write one is told in docs/mosquitto.md.",
        `Opening ipv4 listen socket on port ${first}.`,
        `Opening ipv6 listen socket on port ${first}.`,
        `Opening ipv4 listen socket on port ${second}.`,
        `Opening ipv6 listen socket on port ${second}.`,
        `midge version ${VERSION} running`,
      ]);
      const clients: WireClient[] = [];
      for (const port of [first, second]) {
        for (const host of ["127.0.0.1", "::1"]) {
          const client = await connectVia(host, port);
          const { reasonCode } = await client.handshake({ clientId: `${host}-${port}` });
          assertEquals(reasonCode, 0);
          clients.push(client);
        }
      }
      await clients[0]!.subscribe(["a/b", "a/+", "$SYS/broker/uptime"], 1);
      await clients[1]!.subscribe(["a/b", "$share/g/a/c"], 2);
      // There is no database to be saved, but that is no reason to end.
      midge.signal("SIGUSR1");
      const before = midge.stdout.length;
      midge.signal("SIGUSR2");
      await until(() => midge.stdout.length > before, "the trees are printed");
      assertEquals(midge.stdout.slice(before).split("\n"), [
        "    $SYS",
        "      broker",
        `        uptime (127.0.0.1-${first}, 1)`,
        "    a",
        `      + (127.0.0.1-${first}, 1)`,
        `      b (127.0.0.1-${first}, 1) (::1-${first}, 2)`,
        "    a",
        "      c",
        "",
      ]);
      // With nothing to be read again, everything stays.
      midge.signal("SIGHUP");
      await midge.logged("Reloading config.");
      assertEquals(await clients[3]!.ping(), []);
      midge.signal("SIGINT");
      assertEquals([await midge.ended, midge.lines.at(-1)], [0, TERMINATING]);
    });
  },
);

test(
  "The program ends with 1 when nothing can be listened on, 3 at nonsense, 13 at what does not open, 14 when the system refuses",
  PROCESS_TEST,
  async () => {
    await MidgeProcess.with({ config: "listener $PORT1\n" }, async ({ port }) => {
      const inUse = await MidgeProcess.run({ args: ["-q", "-p", `${port}`] });
      assertEquals([inUse.status, inUse.stdout, inUse.lines], [1, "", [
        `Error: Cannot listen on 127.0.0.1:${port}: the address is already in use.`,
        `Error: Cannot listen on [::1]:${port}: the address is already in use.`,
        "Error: Unable to start any listening sockets, exiting.",
      ]]);
    });
    const results = await Promise.all([
      MidgeProcess.run({ args: ["--bogus"] }),
      MidgeProcess.run({ config: "listener $PORT1\nbogus 1\nlistener 99999\nmax_qos 3\n" }),
      MidgeProcess.run({ config: "listener $PORT1\npassword_file $DIR/none\n" }),
      MidgeProcess.run({ config: "listener $PORT1\npid_file $DIR/none/pid\n" }),
    ]);
    assertEquals(results.map(({ status }) => status), [3, 3, 13, 14]);
    const [words, config, passwords, pid] = results.map(({ lines }) => lines);
    assertEquals(words, ["Error: Unknown option '--bogus'."]);
    assertEquals(config, [
      "Error: Unknown configuration variable 'bogus'.",
      "Error found at $DIR/midge.conf:2.",
      "Error: Invalid 'port' value (99999).",
      "Error found at $DIR/midge.conf:3.",
      "Error: 'max_qos' must be between 0 and 2 inclusive.",
      "Error found at $DIR/midge.conf:4.",
      TERMINATING,
    ]);
    assertEquals(passwords!.slice(-3), [
      'password-file: Error: Unable to open pwfile "$DIR/none".',
      "Error: $DIR/none: no such file.",
      TERMINATING,
    ]);
    assertEquals(pid, [
      "Error: Unable to write pid file.",
      'Cannot write "$DIR/none/pid": there is no such file',
      TERMINATING,
    ]);
  },
);

test(
  "The program says whether a configuration is valid, and opens nothing that it names",
  PROCESS_TEST,
  async () => {
    const good = "listener $PORT1\npid_file $DIR/pid\nlog_dest file $DIR/log\n" +
      "password_file $DIR/none\ncertfile $DIR/none\nkeyfile $DIR/none\n";
    const [ok, missing, help, version] = await Promise.all([
      MidgeProcess.run({ config: good, args: ["--test-config"] }),
      MidgeProcess.run({ args: ["--test-config"] }),
      MidgeProcess.run({ args: ["--help"] }),
      MidgeProcess.run({ args: ["--version"] }),
    ]);
    assertEquals([ok.status, ok.lines], [0, ["Configuration file is OK.", TERMINATING]]);
    assertEquals([missing.status, missing.lines], [
      3,
      ["Please provide a configuration file to test.", TERMINATING],
    ]);
    assertEquals([help.status, help.stdout.split("\n")[0], help.lines], [
      0,
      `midge version ${VERSION}`,
      [],
    ]);
    assertEquals([version.status, version.stdout.split("\n")[0], version.lines], [
      0,
      `midge ${VERSION}`,
      [],
    ]);
  },
);

test(
  "The program publishes all Wills when it is stopped, and closes without DISCONNECT",
  PROCESS_TEST,
  async () => {
    const config = "listener $PORT1 127.0.0.1\nallow_anonymous true\npid_file $DIR/pid\n";
    await MidgeProcess.with({ config }, async (midge) => {
      const pidPath = join(midge.folder, "pid");
      assertEquals(await readFile(pidPath, "utf8"), `${midge.processId}`);
      const watcher = await WireClient.connect(midge.port, 5);
      await watcher.subscribe(["will/#"]);
      const will = (topic: string) => ({
        topic,
        payload: bytesOf("gone"),
        qos: 0 as const,
        retain: false,
        properties: NO_PROPERTIES,
      });
      const gone = await WireClient.connect(midge.port, 5, {
        clientId: "gone",
        properties: { sessionExpiryInterval: 600 },
        will: { ...will("will/delayed"), properties: { willDelayInterval: 300 } },
      });
      gone.destroy();
      await midge.logged(/^Client gone .* disconnected/);
      const present = await WireClient.connect(midge.port, 4, { will: will("will/present") });
      midge.signal("SIGTERM");
      const packets = await watcher.untilClosed();
      assertEquals(packets.map(describe).sort(), [
        "publish will/delayed gone",
        "publish will/present gone",
      ]);
      assertEquals(await present.untilClosed(), []);
      assertEquals([await midge.ended, existsSync(pidPath)], [0, false]);
    });
  },
);

test(
  "The program keeps its old configuration whole at a reload of nonsense (B-52)",
  PROCESS_TEST,
  async () => {
    const config = "listener $PORT1 127.0.0.1\nallow_anonymous true\nmax_qos 1\n" +
      "log_dest file $DIR/log\nlog_dest stderr\n";
    await MidgeProcess.with({ config }, async (midge) => {
      const steadfast = await WireClient.connect(midge.port, 5, { clientId: "steadfast" });
      const bad: readonly (readonly [string, string])[] = [
        ["allow_anonymous false\nbogus\n", "Error: Unknown configuration variable 'bogus'."],
        [
          "listener $PORT2 127.0.0.1\nallow_anonymous false\n",
          "Error: It is not currently possible to add/remove listeners when reloading the config file.",
        ],
        [
          "allow_anonymous false\n",
          "Error: It is not currently possible to add/remove listeners when reloading the config file.",
        ],
        [
          `${config}allow_anonymous false\npassword_file $DIR/users\n`,
          "password-file: Error: Unable to decode line in password file '$DIR/users'.",
        ],
        [
          `${config}listener $PORT2\nallow_anonymous false\n`,
          "Error: It is not currently possible to add/remove listeners when reloading the config file.",
        ],
      ];
      await midge.write("users", "ann:plain\n");
      for (const [index, [text, line]] of bad.entries()) {
        await midge.write("midge.conf", text);
        midge.signal("SIGHUP");
        await midge.logged("Error: The configuration in force stays as it was.", index + 1);
        const fault = midge.lines.findLast((said) => said.startsWith(line));
        assertEquals(fault, line);
      }
      await rename(join(midge.folder, "midge.conf"), join(midge.folder, "away"));
      midge.signal("SIGHUP");
      await midge.logged("Error: Unable to open config file '$DIR/midge.conf'.");
      await midge.logged("Error: The configuration in force stays as it was.", bad.length + 1);
      // Anonymous clients are welcome as before, with what the listener grants, and nobody was lost.
      const fresh = await WireClient.open(midge.port, 5);
      const { reasonCode, properties } = await fresh.handshake();
      assertEquals([reasonCode, properties.maximumQos, await steadfast.ping()], [0, 1, []]);
      // Of the log each reload has opened another one, if the old one was away.
      await rename(join(midge.folder, "log"), join(midge.folder, "log.1"));
      await rename(join(midge.folder, "away"), join(midge.folder, "midge.conf"));
      await midge.write("midge.conf", `${config}allow_anonymous false\nlog_timestamp false\n`);
      midge.signal("SIGHUP");
      await midge.logged(/^Client steadfast .* disconnected: not authorised\.$/);
      assertEquals((await steadfast.untilClosed()).map(describe), ["disconnect 0x87"]);
      const log = join(midge.folder, "log");
      await until(() => existsSync(log), "there is another log");
      await login(midge.port, 4);
      const said = (): string => readFileSync(log, "utf8");
      await until(() => /^New connection from /m.test(said()), "a line without its time is there");
      assertEquals(statSync(log).mode & 0o777, 0o600);
    });
  },
);

test(
  "The program takes its configuration from the environment, and secrets from files",
  PROCESS_TEST,
  async () => {
    const env = {
      MIDGE_LISTENER: "$PORT1 127.0.0.1",
      MIDGE_ALLOW_ANONYMOUS: "true",
      MIDGE_MAX_QOS: "1",
      MIDGE_LOG_TYPE: "error\nwarning\nnotice\ninformation",
    };
    await MidgeProcess.with({ env }, async (midge) => {
      const client = await WireClient.open(midge.port, 5);
      assertEquals((await client.handshake()).properties.maximumQos, 1);
      assertEquals(midge.lines.includes("Using default config."), true);
    });
    const secret = "correct-horse\nbattery-staple";
    const files = { "secret": secret };
    const { status, lines } = await MidgeProcess.run({
      config: "connection up\naddress 192.0.2.1\ntopic #\n",
      files,
      args: ["--test-config", "-v"],
      env: { MIDGE_REMOTE_PASSWORD_FILE: "$DIR/secret" },
    });
    assertEquals([status, lines], [3, [
      "Error: 'remote_password' has more than one line.",
      "Error found at environment:MIDGE_REMOTE_PASSWORD_FILE.",
      TERMINATING,
    ]]);
  },
);
