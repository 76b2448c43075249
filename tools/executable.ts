/**
 * A bundle as a single executable, which Bun makes: its own engine, the bundle and its bytecode in
 * one file.
 *
 * @module
 */

import { installRuntime } from "./packages.ts";
import { runCommand } from "./process.ts";
import { ROOT } from "./root.ts";

const LIMIT_MS = 300_000;

/** Makes an executable of a bundle. */
export async function makeExecutable(bundle: string, executable: string): Promise<void> {
  const bun = await installRuntime("bun");
  const args = ["build", "--compile", "--bytecode", "--format=esm", bundle];
  const result = await runCommand(bun, [...args, "--outfile", executable], {
    cwd: ROOT,
    limitMs: LIMIT_MS,
  });
  if (result.code !== 0) throw new Error(`Bun could not compile: ${result.output.trim()}`);
}
