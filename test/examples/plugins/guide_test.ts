// The plugin that docs/plugins.md begins with, as it stands there.

import { assertEquals } from "@std/assert";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadPlugins } from "../../../src/auth/load_plugins.ts";
import type { ConnectRequest } from "../../../src/core/broker/question.ts";
import { currentRuntime } from "../../../src/runtime/current.ts";
import { test } from "../../harness.ts";

test("docs/plugins.md begins with a plugin that can be loaded and asked", async () => {
  const guide = await readFile(new URL("../../../docs/plugins.md", import.meta.url), "utf8");
  const source = guide.match(/```ts\n([^]*?)```/)![1]!;
  const folder = await mkdtemp(join(tmpdir(), "midge-plugin-"));
  const host = await (await currentRuntime()).host();
  const lines: string[] = [];
  try {
    const path = join(folder, "office_hours.ts");
    await writeFile(path, source);
    const load = async (opens: string): Promise<unknown> => {
      const [plugin] = await loadPlugins([{
        name: undefined,
        path,
        options: new Map([["opens", opens], ["closes", "24"]]),
        denySpecialChars: true,
      }], {
        persistenceLocation: undefined,
        importModule: (file) => host.importModule(file),
        log: (_type, text) => void lines.push(text.replace(folder, "/etc/mosquitto/plugins")),
        publish: () => {},
        openBuiltIn: () => Promise.reject(new Error("Not here")),
      });
      return await plugin!.authenticator!.authenticate({} as ConnectRequest);
    };
    assertEquals([await load("0"), await load("24")], ["ignore", 0x87]);
  } finally {
    await rm(folder, { recursive: true });
  }
  const shown = guide.match(/```text\n([^]*?)```/)![1]!.trimEnd().split("\n");
  assertEquals(lines.slice(0, 3), shown);
});
