/**
 * The system's log. It listens on a socket of a kind that no runtime speaks, so lines go through
 * `logger`, the system's own program, which is started once and reads them line by line.
 *
 * The idea: the log must never hold up the broker. What the program does not take in time is
 * dropped, and a program that ends is started again, but not at once.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { OperationError } from "../../core/base/operation_error.ts";
import type { SystemLog } from "../host.ts";

const BACKLOG_BYTES_MAX = 256 * 1024;
const RESTART_PAUSE_MS = 5000;
const CLOSE_LIMIT_MS = 1000;

/** As `Host.openSystemLog`. */
export function openSystemLog(ident: string, facility: number): SystemLog {
  const command = findProgram("logger");
  if (command === undefined) {
    throw new OperationError(
      "not-supported",
      'The system\'s log cannot be reached: there is no program "logger"',
    );
  }
  return new LoggerProcess(command, ident, facility);
}

class LoggerProcess implements SystemLog {
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #facility: number;
  #child: ChildProcess | undefined;
  /** Bytes that the program has not taken yet. */
  #backlog = 0;
  #startedAt = -Infinity;
  #isClosed = false;

  constructor(command: string, ident: string, facility: number) {
    this.#command = command;
    this.#args = ["-t", ident, `--id=${process.pid}`, "--prio-prefix"];
    this.#facility = facility;
    this.#start();
  }

  write(priority: number, text: string): void {
    if (this.#isClosed) return;
    if (this.#child === undefined) {
      if (performance.now() - this.#startedAt < RESTART_PAUSE_MS) return;
      this.#start();
    }
    const child = this.#child;
    const input = child?.stdin;
    if (input === undefined || input === null || !input.writable) return;
    if (this.#backlog > BACKLOG_BYTES_MAX) return;
    const line = new TextEncoder().encode(`<${this.#facility * 8 + priority}>${text}\n`);
    this.#backlog += line.length;
    // Counted here, because not every runtime's streams do.
    input.write(line, () => {
      if (this.#child === child) this.#backlog -= line.length;
    });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    const child = this.#child;
    if (child === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const limit = setTimeout(() => {
        child.kill();
        resolve();
      }, CLOSE_LIMIT_MS);
      child.on("close", () => {
        clearTimeout(limit);
        resolve();
      });
      child.stdin?.end();
    });
  }

  #start(): void {
    this.#startedAt = performance.now();
    const child = spawn(this.#command, [...this.#args], { stdio: ["pipe", "ignore", "ignore"] });
    const forget = (): void => {
      if (this.#child === child) this.#child = undefined;
    };
    child.on("error", forget);
    child.on("exit", forget);
    // A program that has ended takes no more; that is all there is to say about it.
    child.stdin?.on("error", forget);
    // A log is no reason to go on running.
    child.unref();
    this.#child = child;
    this.#backlog = 0;
  }
}

function findProgram(name: string): string | undefined {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here: look in the next folder.
    }
  }
  return undefined;
}
