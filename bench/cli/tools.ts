/**
 * The programs that are compared: Mosquitto's own, and Midge in each form in which people run it.
 *
 * @module
 */

import { bundleProgram, stopBundler } from "../../tools/bundle.ts";
import { makeExecutable } from "../../tools/executable.ts";
import { installPackages, installRuntime } from "../../tools/packages.ts";
import { fromRoot } from "../../tools/root.ts";
import { hasProgram } from "../broker/brokers.ts";

/** A way to run `pub` and `sub`. */
export interface Tool {
  readonly name: string;
  /** The words of a command line. */
  command(tool: "pub" | "sub", args: readonly string[]): string[];
}

const BUNDLE = "dist/bench/cli/midge.js";
const EXECUTABLE = "dist/bench/cli/midge";

/** All of them, the one to compare with first; builds what has to be built. */
export async function prepareTools(): Promise<Tool[]> {
  if (!hasProgram("mosquitto_pub") || !hasProgram("mosquitto_sub")) {
    throw new Error("There is no program to compare with: install mosquitto-clients");
  }
  await installPackages();
  await bundleProgram("mod.ts", BUNDLE);
  await stopBundler();
  await makeExecutable(BUNDLE, EXECUTABLE);
  const bundle = fromRoot(BUNDLE);
  const deno = [Deno.execPath(), "run", "-A", "-q"];
  const midge = (name: string, words: readonly string[]): Tool => ({
    name,
    command: (tool, args) => [...words, tool, ...args],
  });
  return [
    { name: "mosquitto", command: (tool, args) => [`mosquitto_${tool}`, ...args] },
    midge("deno, from a checkout", [...deno, "--no-check", fromRoot("mod.ts")]),
    midge("deno", [...deno, bundle]),
    midge("bun", [await installRuntime("bun"), bundle]),
    midge("bun, executable", [fromRoot(EXECUTABLE)]),
    midge("node", [await installRuntime("node"), bundle]),
  ];
}
