/**
 * How a test starts Midge's program as a process: on the runtime that runs the test, or on one it
 * names. Deno runs the sources, Bun and Node run the bundle. `deno task test` says in the
 * environment where the other runtimes and the bundle are; a single file run by hand with Deno
 * needs none of it.
 *
 * @module
 */

import process from "node:process";
import { fileURLToPath } from "node:url";

/** The runtimes that run Midge as a program. */
export type RuntimeName = "deno" | "bun" | "node";

/** A command line in the two parts that `node:child_process` takes. */
export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
}

/** The runtime that this very test runs on. */
export function currentRuntime(): RuntimeName {
  if ("Deno" in globalThis) return "deno";
  return "Bun" in globalThis ? "bun" : "node";
}

/** The command line of Midge's program with these arguments. */
export function midgeCommand(
  args: readonly string[] = [],
  runtime: RuntimeName = currentRuntime(),
): CommandLine {
  const command = binaryPath(runtime);
  if (runtime === "deno") {
    const program = fileURLToPath(new URL("../../mod.ts", import.meta.url));
    return { command, args: ["run", "-A", "-q", "--no-check", program, ...args] };
  }
  return { command, args: [required("MIDGE_TEST_BUNDLE"), ...args] };
}

/** Where workerd is, the runtime of Workers, and the file of a Worker. */
export interface WorkerdProgram {
  readonly binary: string;
  readonly worker: string;
}

/** Where workerd is, and Midge's Worker as it is deployed. */
export function workerdProgram(): WorkerdProgram {
  return { binary: required("MIDGE_TEST_WORKERD"), worker: required("MIDGE_TEST_WORKER") };
}

/** The runtimes on which the program can be started here, the current one first. */
export function availableRuntimes(): RuntimeName[] {
  const current = currentRuntime();
  const others = (["deno", "bun", "node"] as const).filter((name) =>
    name !== current && process.env[BINARY_VARIABLES[name]] !== undefined
  );
  return [current, ...others];
}

const BINARY_VARIABLES: Readonly<Record<RuntimeName, string>> = {
  deno: "MIDGE_TEST_DENO",
  bun: "MIDGE_TEST_BUN",
  node: "MIDGE_TEST_NODE",
};

function binaryPath(runtime: RuntimeName): string {
  if (runtime === currentRuntime()) return process.execPath;
  return required(BINARY_VARIABLES[runtime]);
}

function required(variable: string): string {
  const value = process.env[variable];
  if (value !== undefined) return value;
  throw new Error(`"${variable}" is not set: run the tests with "deno task test"`);
}
