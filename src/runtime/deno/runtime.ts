/**
 * Deno as a `Runtime`: listening, time, signals and standard streams.
 *
 * @module
 */

import { printWhole } from "../print_whole.ts";
import type { Runtime, Signal } from "../runtime.ts";
import { listenTcp } from "./listen_tcp.ts";

/** The runtime contract on Deno. */
export const denoRuntime: Runtime = {
  name: "deno",
  version: Deno.version.deno,
  listenTcp,
  now: () => performance.now(),
  // A microtask, where the other runtimes take `setImmediate`: here a turn is one read's worth of
  // work, and waiting for the event loop would cost more than it gathers.
  defer: queueMicrotask,
  args: Deno.args,
  onSignal(signal: Signal, handler: () => void): () => void {
    Deno.addSignalListener(signal, handler);
    return () => Deno.removeSignalListener(signal, handler);
  },
  print(stream: "stdout" | "stderr", text: string): void {
    printWhole((bytes) => Deno[stream].writeSync(bytes), text);
  },
  exit: (status: number): never => Deno.exit(status),
};
