/**
 * Finds the runtime that the program runs on. Each is loaded only where it is present, because
 * evaluating another runtime's files fails.
 *
 * @module
 */

import type { BrokerRuntime, Runtime } from "./runtime.ts";

/** The name of the present runtime. */
export function currentRuntimeName(): Runtime["name"] {
  if ("Deno" in globalThis) return "deno";
  if ("Bun" in globalThis) return "bun";
  return "node";
}

/** The present runtime. */
export async function currentRuntime(): Promise<Runtime> {
  switch (currentRuntimeName()) {
    case "deno":
      return (await import("./deno/runtime.ts")).denoRuntime;
    case "bun":
      return (await import("./bun/runtime.ts")).bunRuntime;
    case "node":
      return (await import("./node/runtime.ts")).nodeRuntime;
  }
}

/** What of the present runtime a broker needs, in a Worker too. */
export async function currentBrokerRuntime(): Promise<BrokerRuntime> {
  if (!("WebSocketPair" in globalThis)) return await currentRuntime();
  return (await import("./workers/broker_runtime.ts")).workersRuntime;
}
