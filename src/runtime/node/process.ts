/**
 * The process as Node and Bun both offer it: arguments, signals, standard streams, exit. Bun
 * borrows this file; what differs between the two is in their `listen_tcp.ts`.
 *
 * @module
 */

import { readFileSync, writeSync } from "node:fs";
import { stat } from "node:fs/promises";
import process from "node:process";
import type { Runtime, Signal } from "../runtime.ts";
import { environment } from "./environment.ts";
import { nameOf, ownWords, wordBytes } from "./own_words.ts";
import { printWhole } from "./print_whole.ts";

/** The part of `Runtime` that Node and Bun share. */
export const processRuntime: Pick<
  Runtime,
  | "now"
  | "defer"
  | "args"
  | "argumentBytes"
  | "programName"
  | "onSignal"
  | "print"
  | "writeOutput"
  | "readInput"
  | "hasFile"
  | "processId"
  | "environment"
  | "exit"
> = {
  hasFile: (path) => stat(path).then(() => true, isThere),
  processId: process.pid,
  environment,
  now: () => performance.now(),
  // Cheaper than a microtask when many connections deliver in one turn: all of them are read first.
  defer: (flush: () => void): void => void setImmediate(flush),
  args: process.argv.slice(2),
  argumentBytes(): readonly Uint8Array[] | undefined {
    try {
      return wordBytes(readFileSync("/proc/self/cmdline"));
    } catch {
      // Not Linux.
      return undefined;
    }
  },
  programName(): string {
    try {
      // The system knows which link was followed; a runtime may tell only where it led.
      const commandLine = readFileSync("/proc/self/cmdline", "utf8");
      return nameOf(ownWords(commandLine, process.argv.length - 2));
    } catch {
      // Not Linux.
      return nameOf(process.argv.slice(0, 2));
    }
  },
  onSignal(signal: Signal, handler: () => void): () => void {
    const listener = () => handler();
    process.on(signal, listener);
    return () => void process.off(signal, listener);
  },
  print(stream: "stdout" | "stderr", text: string): void {
    // Not `process.stdout.write`, which may still hold text when the process exits.
    const descriptor = stream === "stdout" ? 1 : 2;
    printWhole((bytes) => writeSync(descriptor, bytes), text);
  },
  readInput: async (buffer) => (await import("./read_input.ts")).readInput(buffer),
  writeOutput: async (bytes) => await (await import("./write_output.ts")).writeOutput(bytes),
  exit: (status: number): never => process.exit(status),
};

/** Whether it is something else than its absence that keeps a file from being looked at. */
function isThere(error: { readonly code?: unknown }): boolean {
  return error.code !== "ENOENT" && error.code !== "ENOTDIR";
}
