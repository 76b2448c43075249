/**
 * Finds the runtime that the program runs on. Each is loaded only where it is present, because
 * evaluating another runtime's files fails.
 *
 * @module
 */

import type { Runtime } from "./runtime.ts";

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
