/**
 * Deno as a `Runtime`: listening, time, signals and standard streams.
 *
 * @module
 */

import { OperationError } from "../../core/base/operation_error.ts";
import { nameOf, ownWords, wordBytes } from "../node/own_words.ts";
import type { Runtime, Signal } from "../runtime.ts";
import { dial } from "./dial.ts";
import { upgradeWebSocket } from "./upgrade_web_socket.ts";

/** The runtime contract on Deno. */
export const denoRuntime: Runtime = {
  name: "deno",
  version: Deno.version.deno,
  // A client listens to nothing, and loads none of it.
  listenTcp: async (options, accept) =>
    await (await import("./listen_tcp.ts")).listenTcp(options, accept),
  listenUnix: async (options, accept) =>
    await (await import("./listen_unix.ts")).listenUnix(options, accept),
  dial,
  upgradeWebSocket,
  socketUpgrader: async (rules, accept) =>
    (await import("../node/socket_upgrader.ts")).socketUpgrader(rules, accept),
  files: async () => (await import("../node/files.ts")).nodeFiles,
  host: async () => (await import("./own_host.ts")).denoHost(),
  openDatabase: async (options) => (await import("../node/sqlite.ts")).openDatabase(options),
  processId: Deno.pid,
  environment: () => Deno.env.toObject(),
  async hasFile(path: string): Promise<boolean> {
    return await Deno.stat(path).then(() => true, isThere);
  },
  now: () => performance.now(),
  // A microtask, where the other runtimes take `setImmediate`: here a turn is one read's worth of
  // work, and waiting for the event loop would cost more than it gathers.
  defer: queueMicrotask,
  args: Deno.args,
  argumentBytes(): readonly Uint8Array[] | undefined {
    try {
      return wordBytes(Deno.readFileSync("/proc/self/cmdline"));
    } catch {
      // Not Linux, or not allowed to read that.
      return undefined;
    }
  },
  programName(): string {
    try {
      return nameOf(ownWords(Deno.readTextFileSync("/proc/self/cmdline"), Deno.args.length));
    } catch {
      // Not Linux, or not allowed to read that.
      return nameOf([Deno.mainModule]);
    }
  },
  onSignal(signal: Signal, handler: () => void): () => void {
    Deno.addSignalListener(signal, handler);
    return () => Deno.removeSignalListener(signal, handler);
  },
  print(stream: "stdout" | "stderr", text: string): void {
    const bytes = new TextEncoder().encode(text);
    for (let written = 0; written < bytes.length;) {
      try {
        written += Deno[stream].writeSync(bytes.subarray(written));
      } catch (error) {
        // Whoever read the stream has gone: nobody is left to be told, and the broker lives on.
        if (error instanceof Deno.errors.BrokenPipe) return;
        // A pipe that somebody made non-blocking is full: try until it is not.
        if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      }
    }
  },
  async readInput(buffer: Uint8Array): Promise<number | undefined> {
    try {
      return await Deno.stdin.read(buffer) ?? undefined;
    } catch (cause) {
      throw new OperationError("file-failed", "Cannot read standard input", { cause });
    }
  },
  writeOutput: async (bytes) => await (await import("./write_output.ts")).writeOutput(bytes),
  // Nothing that can be set from inside has been found to pay.
  tuneProcess: () => {},
  exit: (status: number): never => Deno.exit(status),
};

/** Whether it is something else than its absence that keeps a file from being looked at. */
function isThere(error: unknown): boolean {
  return !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory);
}
