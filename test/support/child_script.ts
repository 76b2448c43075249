/**
 * Runs a few lines of our own in a child process of the present runtime, for what a test must not
 * do to its own process. The child loads the sources, which every runtime takes as they are.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { runtimeName } from "./current_runtime.ts";

const LIMIT_MS = 30_000;

/** The address of a source file, to be imported by a script. */
export function sourceUrl(path: string): string {
  return new URL(`../../${path}`, import.meta.url).href;
}

/** What a script has to put before its own lines to have `files` and `host`. */
export function withHost(script: string): string {
  return `import { nodeFiles as files } from "${sourceUrl("src/runtime/node/files.ts")}";
import { ${runtimeName}Host } from "${sourceUrl(`src/runtime/${runtimeName}/own_host.ts`)}";
const host = await ${runtimeName}Host();
${script}`;
}

/**
 * Runs the script to its end and gives what it printed; `limits` are words for `ulimit`, `through`
 * is a command that runs another one.
 */
export async function runScript(
  script: string,
  options: { args?: readonly string[]; limits?: string; through?: readonly string[] } = {},
): Promise<string> {
  const path = join(tmpdir(), `midge-child-${process.pid}-${crypto.randomUUID()}.mjs`);
  await writeFile(path, script);
  const words = runtimeName === "deno"
    ? ["run", "-A", "-q", "--no-check", "--no-lock", "--no-config", path]
    : [path];
  const limits = options.limits === undefined ? "" : `ulimit ${options.limits}; `;
  const command = [
    "-c",
    `${limits}exec "$@"`,
    "sh",
    ...options.through ?? [],
    process.execPath,
    ...words,
  ];
  try {
    return await collect("sh", [...command, ...options.args ?? []]);
  } finally {
    await rm(path, { force: true });
  }
}

function collect(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: LIMIT_MS,
      // Node says with each run of a source that it took the types away.
      env: { ...process.env, NODE_NO_WARNINGS: "1" },
    });
    let output = "";
    const gather = (chunk: Uint8Array): void => void (output += new TextDecoder().decode(chunk));
    child.stdout.on("data", gather);
    child.stderr.on("data", gather);
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}
