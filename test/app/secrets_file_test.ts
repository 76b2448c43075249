// The file for the secrets of TLS connections: opened with a loud word, and through no link.

import { assertEquals, assertRejects } from "@std/assert";
import { openSecretsFile } from "../../src/app/secrets_file.ts";
import { StartError } from "../../src/app/start_error.ts";
import { test } from "../harness.ts";
import { FakeDisk } from "../support/fake_machine.ts";

test("openSecretsFile() appends to what is there, and says so", async () => {
  const disk = new FakeDisk();
  disk.put("/keys", "old\n");
  const lines: string[] = [];
  const file = await openSecretsFile(disk, "/keys", (type, text) => lines.push(`${type}: ${text}`));
  file.append("new\n");
  assertEquals([disk.textOf("/keys"), lines], ["old\nnew\n", [
    "notice: Notice: TLS key logging is enabled, to /keys.",
    "notice: Notice: TLS key logging is for debugging only.",
  ]]);
});

test("openSecretsFile() makes a file for its owner alone", async () => {
  const disk = new FakeDisk();
  await openSecretsFile(disk, "/keys", () => {});
  assertEquals(disk.entries.get("/keys")?.mode, 0o600);
});

test("openSecretsFile() refuses a link, and whatever does not open, and writes nothing", async () => {
  const disk = new FakeDisk();
  disk.put("/link", "target", { isLink: true });
  disk.failures.set("/closed", "permission-denied");
  const refusals: unknown[] = [];
  for (const path of ["/link", "/closed"]) {
    const lines: string[] = [];
    const error = await assertRejects(
      () => openSecretsFile(disk, path, (_, text) => lines.push(text)),
      StartError,
    );
    refusals.push([error.status, error.lines, lines]);
  }
  assertEquals(refusals, [
    [1, ['Error: Unable to open TLS key log file "/link": "/link" is a symbolic link.'], []],
    [
      1,
      [
        'Error: Unable to open TLS key log file "/closed": Cannot use "/closed": permission-denied.',
      ],
      [],
    ],
  ]);
  assertEquals(disk.textOf("/link"), "target");
});
