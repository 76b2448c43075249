// The examples of README.md, run as they stand (but on a free port) on the runtime they name.

import { assertEquals, assertMatch } from "@std/assert";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "./harness.ts";
import { currentRuntime } from "./runtime/programs.ts";
import { makeCertificates } from "./support/certificates.ts";

const LIMIT_MS = 30_000;
const HEADINGS = { deno: "On Deno", bun: "On Bun", node: "On Node" } as const;

/** The first code block after a line that begins with these words. */
async function example(heading: string): Promise<string> {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const block = readme.slice(readme.indexOf(`\n${heading}`)).match(/```ts\n([^]*?)```/)?.[1];
  if (block === undefined) throw new Error(`README.md has no example after "${heading}"`);
  return block
    .replace(`"./mod.ts"`, JSON.stringify(new URL("../mod.ts", import.meta.url).href))
    .replaceAll(/port: \d+/g, "port: 0");
}

interface Outcome {
  readonly status: number | null;
  readonly output: string;
}

/** Runs a program; when it has printed a line it is interrupted, as a user would. */
async function run(
  source: string,
  files: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "midge-readme-"));
  const file = join(folder, "broker.ts");
  for (const [name, text] of Object.entries({ ...files, "broker.ts": source })) {
    await writeFile(join(folder, name), text);
  }
  const args = currentRuntime() === "deno" ? ["run", "-A", "--no-config", file] : [file];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
    // Given a moment, so that what follows the line is reached: the handler of the signal.
    if (output.includes("\n")) setTimeout(() => interrupt(child.pid), 300);
  });
  child.stderr.on("data", (chunk) => output += chunk);
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearTimeout(limit);
  await rm(folder, { recursive: true });
  return { status, output };
}

// Not `child.kill`: on Deno that makes the child's own exit status unknown.
function interrupt(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, "SIGINT");
  } catch {
    // It has ended by itself.
  }
}

test("README.md shows a program of this runtime that listens and ends when interrupted", async () => {
  const { status, output } = await run(await example(HEADINGS[currentRuntime()]));
  assertMatch(output, /^(Listening on port|Try: mosquitto_sub -p) \d+/m);
  assertEquals(status, 0, output);
});

test("README.md shows how to listen with TLS and for browsers", async () => {
  const { server } = await makeCertificates();
  const files = { "server.pem": server.certificate, "server.key": server.key };
  const { output } = await run(await example("With TLS, and for browsers"), files);
  assertMatch(output, /^Listening on ports \d+ and \d+$/m);
});

test("README.md shows how to serve a pair of streams", async () => {
  assertEquals(await run(await example("Anywhere")), { status: 0, output: "" });
});
