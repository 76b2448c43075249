/**
 * The process as Node and Bun both offer it: arguments, signals, standard streams, exit. Bun borrows
 * this file; what differs between the two is in their `listen_tcp.ts`.
 *
 * @module
 */

import { writeSync } from "node:fs";
import process from "node:process";
import type { Runtime, Signal } from "../runtime.ts";

const FULL_PIPE_WAIT_MS = 1;

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
    printWhole(stream === "stdout" ? 1 : 2, new TextEncoder().encode(text));
  },
  exit: (status: number): never => process.exit(status),
};

/** `process.stdout.write` may still hold text when the process exits; this returns when it is out. */
function printWhole(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      // Whoever read the stream has gone: nobody is left to be told, and the broker lives on.
      if (code === "EPIPE") return;
      // A pipe that somebody made non-blocking is full.
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_WAIT_MS);
    }
  }
}
