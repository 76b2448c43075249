/**
 * Runs a child process to its end or to a time limit, with its output in a file or in memory. A
 * child is started as the head of a process group of its own, so that reaching the limit ends
 * what it started too, and nothing else. No policy lives here: callers judge the exit.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";

/** How to run a command. Output goes to `logPath` when there is one, else it is collected. */
export interface RunOptions {
  readonly cwd: string;
  readonly limitMs: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly logPath?: string;
}

/** How a command ended. `code` is null when a signal ended it, ours included. */
export interface RunResult {
  readonly code: number | null;
  readonly isTimedOut: boolean;
  readonly output: string;
  readonly elapsedMs: number;
}

const KILL_GRACE_MS = 3_000;

/** Runs one command and resolves when it has ended; it rejects only if it could not be started. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      env: { ...Deno.env.toObject(), ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const log = options.logPath === undefined ? undefined : createWriteStream(options.logPath);
    const chunks: string[] = [];
    const take = (chunk: Uint8Array): void => {
      if (log !== undefined) log.write(chunk);
      chunks.push(decoder.decode(chunk, { stream: true }));
    };
    const decoder = new TextDecoder();
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    let isTimedOut = false;
    let killTimer: ReturnType<typeof setTimeout> | undefined;
    const limitTimer = setTimeout(() => {
      isTimedOut = true;
      killGroup(child.pid, "SIGTERM");
      killTimer = setTimeout(() => killGroup(child.pid, "SIGKILL"), KILL_GRACE_MS);
    }, options.limitMs);
    const stopTimers = (): void => {
      clearTimeout(limitTimer);
      clearTimeout(killTimer);
    };
    child.on("error", (error) => {
      stopTimers();
      reject(error);
    });
    child.on("exit", () => {
      // What the child left running would hold the pipes open, and so this promise.
      killGroup(child.pid, "SIGKILL");
    });
    child.on("close", (code) => {
      stopTimers();
      log?.end();
      resolve({ code, isTimedOut, output: chunks.join(""), elapsedMs: performance.now() - start });
    });
  });
}

function killGroup(pid: number | undefined, signal: "SIGTERM" | "SIGKILL"): void {
  if (pid === undefined) return;
  try {
    Deno.kill(-pid, signal);
  } catch {
    // The whole group has ended already: exactly what was wanted.
  }
}
