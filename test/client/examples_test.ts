// The examples in the documentation of the client library: each runs as it stands, all of them in
// one process; and the guide knows every code that an error can have.

import { assertEquals } from "@std/assert";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { test } from "../harness.ts";
import { runScript, sourceUrl } from "../support/child_script.ts";

const FILES = [
  "client.ts",
  "client_web.ts",
  "web.ts",
  "src/client/client.ts",
  "src/client/dial_port.ts",
  "docs/client.md",
  "docs/browser.md",
];

function read(path: string): string {
  return readFileSync(fileURLToPath(sourceUrl(path)), "utf8");
}

/** The blocks of code of a file, in comments or not, with the addresses of our sources. */
function examplesOf(path: string): string[] {
  const text = read(path).replaceAll(/^ *\* ?/gm, path.endsWith(".ts") ? "" : "$&");
  return [...text.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) =>
    code!.replaceAll(/from "\.\/(\w+\.ts)"/g, (_, name) => `from "${sourceUrl(name)}"`)
  );
}

test("The examples of the client library run as they stand", async () => {
  const folder = mkdtempSync(`${tmpdir()}/midge-examples-`);
  const names: string[] = [];
  for (const path of FILES) {
    for (const [index, code] of examplesOf(path).entries()) {
      const name = `${path.replaceAll(/\W/g, "_")}_${index}`;
      writeFileSync(`${folder}/${name}.ts`, code);
      names.push(name);
    }
  }
  const script = `
    import process from "node:process";
    process.chdir(${JSON.stringify(folder)});
    for (const name of ${JSON.stringify(names)}) {
      await import(${JSON.stringify(folder)} + "/" + name + ".ts");
      console.log("done: " + name);
    }`;
  const lines = (await runScript(script)).trimEnd().split("\n");
  rmSync(folder, { recursive: true });
  assertEquals(lines, [
    "done: client_ts_0",
    "connect-failed Connection refused",
    "done: client_ts_1",
    "done: client_ts_2",
    "done: client_web_ts_0",
    "done: web_ts_0",
    "rooms/kitchen/temperature 21.5",
    "done: src_client_client_ts_0",
    "done: src_client_dial_port_ts_0",
    "rooms/kitchen/temperature 21.5",
    "done: docs_client_md_0",
    "done: docs_client_md_1",
    "42",
    "done: docs_client_md_2",
    "done: docs_client_md_3",
    "done: docs_browser_md_0",
  ]);
});

test("docs/client.md says what to do about every code of an error", () => {
  const source = read("src/client/client_error.ts");
  const type = /export type ClientErrorCode =([^]*?");\n/.exec(source)![1]!;
  const codes = [...type.matchAll(/^ *\| "([a-z-]+)"/gm)].map(([, code]) => code!);
  const guide = read("docs/client.md");
  const table = guide.slice(guide.indexOf("## What goes wrong"));
  const explained = [...table.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, code]) => code!);
  assertEquals(explained.sort(), codes.sort());
});
