/**
 * Which processes there are, as Linux shows them in `/proc`. Elsewhere there are none to be seen.
 *
 * @module
 */

import { readdir, readFile } from "node:fs/promises";

/** The words of each process that may be looked at, by its id. */
export async function listProcesses(): Promise<Map<number, readonly string[]>> {
  const names = await readdir("/proc").catch(() => []);
  const processes = new Map<number, readonly string[]>();
  for (const name of names.filter((entry) => /^\d+$/.test(entry))) {
    // Gone meanwhile, or somebody else's.
    const commandLine = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (commandLine !== "") processes.set(Number(name), commandLine.split("\0").slice(0, -1));
  }
  return processes;
}
