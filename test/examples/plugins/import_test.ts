// The example plugins as a configuration would name them: loaded from their files by the runtime.

import { assertEquals, assertRejects } from "@std/assert";
import { fileURLToPath } from "node:url";
import { loadPlugins } from "../../../src/auth/load_plugins.ts";
import { PluginError } from "../../../src/auth/plugin_error.ts";
import { currentRuntime } from "../../../src/runtime/current.ts";
import { test } from "../../harness.ts";

const FOLDER = fileURLToPath(new URL("../../../examples/plugins", import.meta.url));

async function load(path: string, options: [string, string][] = []): Promise<string[]> {
  const host = await (await currentRuntime()).host();
  const lines: string[] = [];
  const plugins = await loadPlugins([{
    name: undefined,
    path,
    options: new Map(options),
    denySpecialChars: true,
  }], {
    persistenceLocation: undefined,
    importModule: (file) => host.importModule(file),
    log: (_type, text) => void lines.push(text),
    publish: () => {},
    openBuiltIn: () => Promise.reject(new Error("Not here")),
  });
  for (const plugin of plugins) await plugin.close();
  return lines;
}

test("loadPlugins() loads each example from its file", async () => {
  assertEquals(await load(`${FOLDER}/webhook_auth.ts`, [["url", "http://127.0.0.1/"]]), [
    `Loading plugin: ${FOLDER}/webhook_auth.ts`,
    "Plugin webhook-auth version 1.0.0 loaded.",
    "Plugin webhook-auth has registered to receive 'reload' events.",
    "Plugin webhook-auth has registered to receive 'basic-auth' events.",
  ]);
  assertEquals(await load(`${FOLDER}/topic_rules.ts`), [
    `Loading plugin: ${FOLDER}/topic_rules.ts`,
    "Plugin topic-rules version 1.0.0 loaded.",
    "Plugin topic-rules has registered to receive 'acl-check' events.",
    "Plugin topic-rules has registered to receive 'message-in' events.",
  ]);
  assertEquals(await load(`${FOLDER}/sparkplug_aware.ts`), [
    `Loading plugin: ${FOLDER}/sparkplug_aware.ts`,
    "Plugin sparkplug-aware version 1.0.0 loaded.",
    "Plugin sparkplug-aware has registered to receive 'message-in' events.",
  ]);
});

test("loadPlugins() says of a file that is not there that it is not there", async () => {
  const error = await assertRejects(() => load("missing.ts"), PluginError);
  assertEquals([error.status, error.message], [
    13,
    'Cannot load the plugin "missing.ts": Cannot load "missing.ts": there is no such file',
  ]);
});
