/**
 * The process as Node and Bun both offer it: arguments, signals, standard streams, exit. Bun
 * borrows this file; what differs between the two is in their `listen_tcp.ts`.
 *
 * @module
 */

import { writeSync } from "node:fs";
import process from "node:process";
import type { Runtime, Signal } from "../runtime.ts";
import { printWhole } from "./print_whole.ts";

/** The part of `Runtime` that Node and Bun share. */
export const processRuntime: Pick<
  Runtime,
  "now" | "defer" | "args" | "onSignal" | "print" | "exit"
> = {
  now: () => performance.now(),
  // Cheaper than a microtask when many connections deliver in one turn: all of them are read first.
  defer: (flush: () => void): void => void setImmediate(flush),
  args: process.argv.slice(2),
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
  exit: (status: number): never => process.exit(status),
};
