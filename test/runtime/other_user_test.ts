// What a program needs after it has become another user, who may read neither its sources nor where
// the runtime keeps packages.

import { assertEquals } from "@std/assert";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { ARGON2ID_OF_PASSWORD } from "../auth/hashes.ts";
import { test } from "../harness.ts";
import { MidgeProcess } from "../support/midge_process.ts";
import { WireClient } from "../support/wire_client.ts";

const OPTIONS = {
  timeout: 60_000,
  skip: process.getuid!() !== 0, // Nobody else can become another user.
};

test("A program that root has started verifies Argon2id as another user", OPTIONS, async () => {
  const folder = await mkdtemp(join(tmpdir(), "midge-other-user-"));
  try {
    await writeFile(join(folder, "passwd"), `joe:${ARGON2ID_OF_PASSWORD}\n`);
    await chmod(folder, 0o755);
    const config = `user nobody\nlistener $PORT1 127.0.0.1\npassword_file ${folder}/passwd\n`;
    await MidgeProcess.with({ config, env: { SNAP_NAME: "" } }, async (midge) => {
      await midge.logged("Info: running mosquitto as user: nobody.");
      const client = await WireClient.open(midge.port);
      const password = new TextEncoder().encode("password");
      assertEquals((await client.handshake({ username: "joe", password })).reasonCode, 0);
      client.destroy();
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
