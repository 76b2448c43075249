// Where the log of a real process goes, in which shape, and that a reload changes both.

import { assertEquals, assertMatch } from "@std/assert";
import { existsSync, readFileSync, statSync } from "node:fs";
import { chmod, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { VERSION } from "../../src/app/version.ts";
import { test } from "../harness.ts";
import { login } from "../support/login.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { until } from "../support/wait.ts";
import { describe, WireClient } from "../support/wire_client.ts";

const BASE = "listener $PORT1 127.0.0.1\nallow_anonymous true\n";

/** Whole lines of a text. */
function wholeLines(text: string): string[] {
  return text.split("\n").slice(0, -1);
}

/** A `logger` that appends what it is told to a file. */
async function withLogger(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "midge-logger-"));
  try {
    const path = join(folder, "logger");
    await writeFile(path, `#!/bin/sh\necho "$*" > '${folder}/args'\nexec cat >> '${folder}/out'\n`);
    await chmod(path, 0o755);
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test(
  "The log goes to every place that is wanted, and to the file of the moment",
  PROCESS_TEST,
  () =>
    withLogger(async (folder) => {
      const places = ["stdout", "stderr", "file $DIR/log", "topic", "syslog"];
      const config = BASE + places.map((place) => `log_dest ${place}\n`).join("") +
        "log_type all\nlog_facility 3\n";
      const env = { PATH: `${folder}:${process.env["PATH"]}` };
      await MidgeProcess.with({ config, env }, async (midge) => {
        const reader = await WireClient.connect(midge.port, 5, { clientId: "reader" });
        await reader.subscribe(["$SYS/broker/log/#"], 2);
        await login(midge.port, 4, { clientId: "visitor" });
        await midge.logged(/^Client visitor .* disconnected\.$/);
        // Its own subscription, the visitor's coming, and its going; nothing about packets.
        const told = [1, 2, 3].map((n) => reader.next(`message ${n}`));
        const seen = (await Promise.all(told)).map((packet) => {
          if (packet.type !== "publish") throw new Error(`Got ${packet.type}`);
          const { topic, qos, retain, properties, payload } = packet;
          const expiry = properties.messageExpiryInterval ?? Infinity;
          return [topic, qos, retain, expiry <= 20, new TextDecoder().decode(payload)];
        });
        const lines = wholeLines(midge.stderr);
        const pick = (part: string) => lines.find((line) => line.includes(part));
        assertEquals(seen, [
          ["$SYS/broker/log/M/subscribe", 2, false, true, pick(": reader 2 $SYS/broker/log/#")],
          [
            "$SYS/broker/log/N",
            2,
            false,
            true,
            lines.findLast((line) => line.includes(": New connection")),
          ],
          ["$SYS/broker/log/N", 2, false, true, pick(" as visitor ")],
        ]);
        reader.destroy();
        await midge.logged(/^Client reader .* disconnected/);
        midge.signal("SIGHUP");
        await midge.logged("Reloading config.");
        assertEquals(await midge.stop(), 0);
        const [stderr, log] = [midge.stderr, readFileSync(join(midge.folder, "log"), "utf8")];
        assertEquals([midge.stdout, log], [stderr, stderr]);
        assertEquals(statSync(join(midge.folder, "log")).mode & 0o777, 0o600);
        for (const line of wholeLines(stderr)) assertMatch(line, /^\d{10}: ./);
        // To the system each line has its severity and the facility local3, and nothing is lost.
        const out = (): string[] => wholeLines(readFileSync(join(folder, "out"), "utf8"));
        const expected = wholeLines(stderr).length;
        await until(() => out().length >= expected, "the system has all lines");
        assertEquals(out().map((line) => line.replace(/^<\d+>/, "")), wholeLines(stderr));
        const severities = new Set(out().map((line) => Number(/^<(\d+)>/.exec(line)![1])));
        assertEquals([...severities].sort(), [8 * 19 + 5, 8 * 19 + 6, 8 * 19 + 7]);
        assertMatch(readFileSync(join(folder, "args"), "utf8"), /^-t mosquitto --id=\d+ /);
      });
    }),
);

test("The log changes its places, types and shape with a reload", PROCESS_TEST, async () => {
  const first = `${BASE}log_dest file $DIR/log\nlog_timestamp_format %Y-%m-%dT%H:%M:%S\n`;
  const midge = await MidgeProcess.launch({ config: first });
  const path = join(midge.folder, "log");
  const log = (): string[] => existsSync(path) ? wholeLines(readFileSync(path, "utf8")) : [];
  const logged = (part: string): Promise<void> =>
    until(() => log().some((line) => line.includes(part)), `"${part}" is logged`);
  /** Reloads with another file, the log of which is new, and lets a client come and go. */
  const reload = async (name: string, config: string): Promise<string[]> => {
    await rename(path, join(midge.folder, name));
    await midge.write("midge.conf", config);
    midge.signal("SIGHUP");
    await until(() => existsSync(path), `there is a log after ${name}`);
    const client = await WireClient.connect(midge.port, 5, { clientId: "c" });
    await client.ping();
    client.leave();
    await client.untilClosed();
    return log();
  };
  try {
    await logged(" running");
    for (const line of log()) assertMatch(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d: ./);
    assertEquals([midge.stdout, midge.stderr], ["", ""]);

    const json = await reload("log.1", `${BASE}log_dest file $DIR/log\nlog_format json\n`);
    await logged("disconnected");
    const records = json.map((line) => JSON.parse(line));
    assertEquals(records.map(({ level }) => level).includes("debug"), false);
    const { time, level, msg, client } = records.find((record) => / as c /.test(record.msg));
    assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assertMatch(msg, /^New client connected from 127\.0\.0\.1:\d+ as c \(p5, c1, k0\)\.$/);
    assertEquals([level, client ?? "c"], ["notice", "c"]);

    const bare = `${BASE}log_dest file $DIR/log\nlog_timestamp false\nlog_type `;
    await reload("log.2", `${bare}debug\n`);
    await logged("Received DISCONNECT from c");
    assertEquals(log().slice(-6).filter((line) => !line.startsWith("Sending CONNACK")), [
      "No will message specified.",
      "Received PINGREQ from c",
      "Sending PINGRESP to c",
      "Received DISCONNECT from c",
    ]);

    await reload("log.3", `${bare}notice\nconnection_messages false\n`);
    assertEquals(log(), []);
    await reload("log.4", `${bare}none\n`);
    assertEquals(log(), []);
    await midge.write("midge.conf", `${BASE}log_dest none\n`);
    midge.signal("SIGHUP");
    assertEquals([await midge.stop(), midge.stdout, midge.stderr, log()], [0, "", "", []]);
  } finally {
    await midge.discard();
  }
});

test("The log that cannot be opened leaves errors on standard error", PROCESS_TEST, async () => {
  const config = `${BASE}log_dest file $DIR/none/log\nlog_type all\nlistener $PORT1 127.0.0.1\n`;
  const { status, stdout, lines } = await MidgeProcess.run({ config });
  assertEquals([status, stdout, lines.map((line) => line.replace(/:\d+:/, ":#:"))], [1, "", [
    "Error: Unable to open log file $DIR/none/log for writing.",
    'Error: Cannot open "$DIR/none/log": there is no such file.',
    "Error: Cannot listen on 127.0.0.1:#: the address is already in use.",
  ]]);
});

test(
  "The log of a quiet program is empty, and that of a verbose one has everything",
  PROCESS_TEST,
  async () => {
    const config = `${BASE}log_type error\n`;
    const quiet = await MidgeProcess.launch({
      config: `${config}pid_file $DIR/pid\n`,
      args: ["-q", "-v"],
    });
    try {
      await until(() => existsSync(join(quiet.folder, "pid")), "it has begun");
      assertEquals([await quiet.stop(), quiet.stdout, quiet.stderr], [0, "", ""]);
    } finally {
      await quiet.discard();
    }
    await MidgeProcess.with({ config, args: ["-v"] }, async (midge) => {
      const client = await WireClient.connect(midge.port, 4, { clientId: "c" });
      assertEquals((await client.ping()).map(describe), []);
      await midge.logged("Sending PINGRESP to c");
      assertEquals(midge.lines[0], `midge version ${VERSION} starting`);
    });
  },
);
