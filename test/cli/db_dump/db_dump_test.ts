// `db-dump`: each of its forms for files of all versions, damaged files, and a file that Debian's
// mosquitto has written.

import { assertEquals } from "@std/assert";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dbDump } from "../../../src/cli/db_dump/db_dump.ts";
import { test } from "../../harness.ts";
import { type ChunkParts, fullMosquittoDb, mosquittoDb } from "../../support/mosquitto_db_file.ts";
import { PROCESS_TEST } from "../../support/midge_process.ts";
import { inFolder, type Outcome, runInside, runMidge } from "../../support/tool_process.ts";

const USAGE = "Usage: db_dump [--stats | --client-stats | --json] <mosquitto db filename>\n";

/** Runs the command on a file with these bytes. */
async function dump(bytes: Uint8Array, ...options: readonly string[]): Promise<Outcome> {
  let outcome: Outcome | undefined;
  await inFolder(async (folder) => {
    await writeFile(join(folder, "db"), bytes);
    outcome = await runInside(dbDump, [...options, "$DIR/db"], { folder });
  });
  return outcome!;
}

test("db-dump prints each chunk under its heading", async () => {
  assertEquals(await dump(fullMosquittoDb(6)), {
    status: 0,
    stderr: "",
    stdout: `Mosquitto DB dump
CRC: 0
DB version: 6
DB_CHUNK_CFG:
	Length: 16
	Shutdown: 1
	DB ID size: 8
	Last DB ID: 18364758544493064720
DB_CHUNK_BASE_MSG:
	Length: 87
	Store ID: 18364758544493064720
	Source Port: 1883
	Source MID: 7
	Topic: a/é
	QoS: 2
	Retain: 1
	Payload Length: 5
	Expiry Time: 2000000000
	Payload: hello
	Properties:
		Payload format indicator: 1
		Content type: text
		Response topic: re/ply
		Correlation data: CA0E
		User property: k , v
		User property: k , w
DB_CHUNK_BASE_MSG:
	Length: 36
	Store ID: 2
	Source Port: 0
	Source MID: 0
	Topic: b
	QoS: 0
	Retain: 0
	Payload Length: 3
	Expiry Time: 0
DB_CHUNK_CLIENT:
	Length: 29
	Client ID: c1
	Username: bob
	Listener port: 8883
	Last MID: 9
	Session expiry time: 2000000001
	Session expiry interval: 3600
DB_CHUNK_CLIENT_MSG:
	Length: 22
	Client ID: c1
	Store ID: 2
	MID: 8
	QoS: 1
	Retain: 1
	Direction: 1
	State: 3
	Dup: 1
	Subscription identifier: 300
DB_CHUNK_SUB:
	Length: 17
	Client ID: c1
	Topic: a/#
	QoS: 2
	Subscription ID: 300
	Options: 0x2C
DB_CHUNK_RETAIN:
	Length: 8
	Store ID: 18364758544493064720
`,
  });
});

test("db-dump prints files of old versions with what they do not know as 0", async () => {
  const { stdout } = await dump(fullMosquittoDb(3));
  assertEquals(
    stdout,
    `Mosquitto DB dump
CRC: 0
DB version: 3
DB_CHUNK_CFG:
	Length: 10
	Shutdown: 1
	DB ID size: 8
	Last DB ID: 18364758544493064720
DB_CHUNK_BASE_MSG:
	Length: 34
	Store ID: 18364758544493064720
	Source Port: 0
	Source MID: 7
	Topic: a/é
	QoS: 2
	Retain: 1
	Payload Length: 5
	Expiry Time: 0
	Payload: hello
DB_CHUNK_BASE_MSG:
	Length: 26
	Store ID: 2
	Source Port: 0
	Source MID: 0
	Topic: b
	QoS: 0
	Retain: 0
	Payload Length: 3
	Expiry Time: 0
DB_CHUNK_CLIENT:
	Length: 14
	Client ID: c1
	Last MID: 9
	Session expiry time: 0
	Session expiry interval: 0
DB_CHUNK_CLIENT_MSG:
	Length: 19
	Client ID: c1
	Store ID: 2
	MID: 8
	QoS: 1
	Retain: 1
	Direction: 1
	State: 3
	Dup: 1
DB_CHUNK_SUB:
	Length: 10
	Client ID: c1
	Topic: a/#
	QoS: 2
	Subscription ID: 0
	Options: 0x00
DB_CHUNK_RETAIN:
	Length: 8
	Store ID: 18364758544493064720
`,
  );
});

test("db-dump shows payloads below 256 bytes that are text", async () => {
  const payloads: [payload: string | Uint8Array, isShown: boolean][] = [
    ["x".repeat(255), true],
    ["x".repeat(256), false],
    ["two words", true],
    ["ü", true],
    ["", false],
    ["line\nfeed", false],
    [Uint8Array.of(0x61, 0), false],
    [Uint8Array.of(0xc3), false],
  ];
  const chunks = payloads.map(([payload], index): ChunkParts => ({
    kind: "base-message",
    storeId: BigInt(index),
    topic: "t",
    payload,
  }));
  const { stdout } = await dump(mosquittoDb(5, chunks));
  assertEquals(
    stdout.match(/(?<=^\tPayload: ).*$/gm),
    payloads.filter(([, isShown]) => isShown).map(([payload]) => payload),
  );
});

test("db-dump --stats counts the chunks of each kind", async () => {
  const all = fullMosquittoDb(6);
  assertEquals(await dump(all, "--stats"), {
    status: 0,
    stderr: "",
    stdout: `DB_CHUNK_CFG:        1
DB_CHUNK_BASE_MSG:   2
DB_CHUNK_CLIENT_MSG: 1
DB_CHUNK_RETAIN:     1
DB_CHUNK_SUB:        1
DB_CHUNK_CLIENT:     1
`,
  });
  assertEquals(
    (await dump(mosquittoDb(2, []), "--stats")).stdout.match(/\d+$/gm),
    ["0", "0", "0", "0", "0", "0"],
  );
});

test("db-dump --client-stats counts what each client has, in chunks and bytes", async () => {
  const bytes = mosquittoDb(6, [
    { kind: "base-message", storeId: 1n, topic: "t", payload: "1234567" },
    { kind: "client", clientId: "empty" },
    { kind: "client", clientId: "c1" },
    { kind: "client-message", clientId: "c1", storeId: 1n },
    { kind: "client-message", clientId: "c1", storeId: 1n },
    { kind: "client-message", clientId: "c1", storeId: 99n },
    { kind: "client-message", clientId: "gone", storeId: 1n },
    { kind: "subscription", clientId: "c1", filter: "a/#" },
    { kind: "subscription", clientId: "c1", filter: "b" },
    { kind: "subscription", clientId: "gone", filter: "b" },
  ]);
  assertEquals(await dump(bytes, "--client-stats"), {
    status: 0,
    stderr: "",
    stdout: "SC: 0 SS: 0 MC: 0 MS: 0   empty\nSC: 2 SS: 32 MC: 3 MS: 134   c1\n",
  });
});

test("db-dump --json prints everything, ids with all their digits", async () => {
  assertEquals(await dump(fullMosquittoDb(6), "--json"), {
    status: 0,
    stderr: "",
    stdout: `{
	"base-messages":	[{
			"storeid":	18364758544493064720,
			"expiry-time":	2000000000,
			"source-mid":	7,
			"source-port":	1883,
			"qos":	2,
			"retain":	1,
			"topic":	"a/é",
			"clientid":	"pub",
			"username":	"alice",
			"payload":	"aGVsbG8=",
			"properties":	[{
					"identifier":	"payload-format-indicator",
					"value":	1
				}, {
					"identifier":	"content-type",
					"value":	"text"
				}, {
					"identifier":	"response-topic",
					"value":	"re/ply"
				}, {
					"identifier":	"correlation-data",
					"value":	"CA0E"
				}, {
					"identifier":	"user-property",
					"name":	"k",
					"value":	"v"
				}, {
					"identifier":	"user-property",
					"name":	"k",
					"value":	"w"
				}]
		}, {
			"storeid":	2,
			"expiry-time":	0,
			"source-mid":	0,
			"source-port":	0,
			"qos":	0,
			"retain":	0,
			"topic":	"b",
			"payload":	"AP8B"
		}],
	"clients":	[{
			"clientid":	"c1",
			"username":	"bob",
			"session-expiry-time":	2000000001,
			"session-expiry-interval":	3600,
			"last-mid":	9,
			"listener-port":	8883
		}],
	"client-messages":	[{
			"clientid":	"c1",
			"storeid":	2,
			"mid":	8,
			"qos":	1,
			"state":	3,
			"retain-dup":	17,
			"direction":	1,
			"subscription-identifier":	300
		}],
	"retained-messages":	[{
			"storeid":	18364758544493064720
		}],
	"subscriptions":	[{
			"clientid":	"c1",
			"topic":	"a/#",
			"qos":	2,
			"options":	44,
			"identifier":	300
		}]
}
`,
  });
});

test("db-dump --json is JSON for any text and any length of payload", async () => {
  const payload = Uint8Array.from({ length: 10_000 }, (_, at) => at * 7);
  const topic = 'quote" back\\ tab\t \u2028 \u{1f600}';
  const bytes = mosquittoDb(6, [
    { kind: "base-message", storeId: 1n, topic, payload },
    { kind: "client", clientId: Uint8Array.of(0x61, 0xff) },
  ]);
  const { stdout } = await dump(bytes, "--json");
  const { "base-messages": [message], clients: [client], ...rest } = JSON.parse(stdout);
  assertEquals([message.topic, client.clientid], [topic, "a\ufffd"]);
  assertEquals(Uint8Array.from(atob(message.payload), (c) => c.charCodeAt(0)), payload);
  assertEquals(rest, { "client-messages": [], "retained-messages": [], "subscriptions": [] });
});

test("db-dump tells of unknown chunks once each, and goes on", async () => {
  const bytes = mosquittoDb(6, [
    { kind: "raw", type: 7, data: new Uint8Array(3) },
    { kind: "retained", storeId: 1n },
    { kind: "raw", type: 7, data: new Uint8Array(0) },
  ]);
  const warning = 'Warning: Unsupported chunk "7" in persistent database file. Ignoring.\n';
  for (const option of ["--stats", "--json"]) {
    const { status, stderr } = await dump(bytes, option);
    assertEquals([status, stderr], [0, warning + warning]);
  }
  assertEquals(await dump(bytes), {
    status: 0,
    stdout: "Mosquitto DB dump\nCRC: 0\nDB version: 6\nDB_CHUNK_RETAIN:\n\tLength: 8\n" +
      "\tStore ID: 1\n",
    stderr: warning + warning,
  });
});

test("db-dump prints a damaged file up to the damage, and tells where it is", async () => {
  const bytes = mosquittoDb(6, [{ kind: "retained", storeId: 1n }, {
    kind: "client",
    clientId: "c",
  }]);
  const cut = bytes.subarray(0, bytes.length - 1);
  const stderr = "Error: Corrupt persistent database.\n" +
    "Error: The chunk at byte 39 ends beyond the file.\n";
  assertEquals(await dump(cut), {
    status: 1,
    stdout: "Mosquitto DB dump\nCRC: 0\nDB version: 6\nDB_CHUNK_RETAIN:\n\tLength: 8\n" +
      "\tStore ID: 1\n",
    stderr,
  });
  for (const option of ["--stats", "--client-stats", "--json"]) {
    assertEquals(await dump(cut, option), { status: 1, stdout: "", stderr });
  }
});

test("db-dump says in one line what is not a database", async () => {
  const texts: [bytes: Uint8Array, message: string][] = [
    [new Uint8Array(0), "Unrecognised file format."],
    [new TextEncoder().encode("listener 1883\n"), "Unrecognised file format."],
    [mosquittoDb(7, []), "Unsupported persistent database format version 7 (need version 6)."],
    [
      new TextEncoder().encode("SQLite format 3\0 and so on"),
      'Cannot use database "$DIR/db": it is not a database.',
    ],
  ];
  for (const [bytes, message] of texts) {
    assertEquals(await dump(bytes), { status: 1, stdout: "", stderr: `Error: ${message}\n` });
  }
  await inFolder(async (folder) => {
    for (const path of ["$DIR/missing", "$DIR"]) {
      assertEquals(await runInside(dbDump, [path], { folder }), {
        status: 1,
        stdout: "",
        stderr: `Error: Unable to open ${path}\n`,
      });
    }
  });
});

test("db-dump answers words that it does not understand with its usage", async () => {
  for (const args of [[], ["--stats", "a", "b"], ["--bogus", "a"], ["toString", "a"], ["a", "b"]]) {
    assertEquals(await runInside(dbDump, args), { status: 1, stdout: "", stderr: USAGE });
  }
  const { status, stdout } = await runInside(dbDump, ["--help"]);
  assertEquals([status, stdout.split("\n")[2]], [
    0,
    "Usage: tool [--stats | --client-stats | --json] file",
  ]);
});

test(
  "db-dump is a command of the program, and prints more than a pipe holds",
  PROCESS_TEST,
  async () => {
    const chunks = Array.from({ length: 5000 }, (_, index): ChunkParts => ({
      kind: "base-message",
      storeId: BigInt(index),
      topic: `topic/${index}`,
      payload: "x".repeat(200),
    }));
    await inFolder(async (folder) => {
      await writeFile(join(folder, "db"), mosquittoDb(6, chunks));
      const { status, stdout, stderr } = await runMidge(["db-dump", "$DIR/db"], { folder });
      assertEquals([status, stderr, stdout.match(/^\tPayload: x{200}$/gm)?.length], [0, "", 5000]);
      const before = await readFile(join(folder, "db"));
      const inside = await runInside(dbDump, ["$DIR/db"], { folder });
      assertEquals(inside.stdout, stdout);
      assertEquals(await readFile(join(folder, "db")), before);
    });
  },
);
