/**
 * Starts the program again as a process that outlives this one and has no terminal: what a daemon
 * is where a runtime cannot fork.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { OperationError } from "../../core/base/operation_error.ts";
import { ownWords } from "./own_words.ts";

/** As `Host.startDetached`. */
export function startDetached(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): number {
  const child = spawn(process.execPath, [...wordsBefore(), ...args], {
    // A session of its own, so that the terminal's end is not the program's.
    detached: true,
    stdio: "ignore",
    env: { ...environment },
  });
  // Whoever could not be started has no process id, which is looked at below.
  child.on("error", () => {});
  child.unref();
  if (child.pid !== undefined) return child.pid;
  throw new OperationError("not-supported", "Cannot start the program in the background");
}

/** What stands between the runtime's name and the program's arguments: its flags, our file. */
function wordsBefore(): string[] {
  const argumentCount = process.argv.length - 2;
  try {
    // The system knows it exactly; a runtime does not tell all of its own flags.
    return ownWords(readFileSync("/proc/self/cmdline", "utf8"), argumentCount).slice(1);
  } catch {
    // Not Linux.
    const script = process.argv.slice(1, 2);
    return "Deno" in globalThis ? ["run", "-A", ...script] : [...process.execArgv, ...script];
  }
}
