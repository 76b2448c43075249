/**
 * `deno task build`: bundles `mod.ts` into `dist/midge.js`, one module that Deno, Bun and Node run,
 * what browsers and Workers load into files of their own (`web_bundles.ts`), and the example that
 * shows them in a browser into `dist/browser`. With `--compile`, Bun makes a single executable of
 * the program. Prints what each weighs. The path of another program of ours, such as a benchmark's
 * server, is bundled into `dist` under its own name.
 *
 * @module
 */

import { gzipSync } from "node:zlib";
import { buildBrowserExample } from "./browser_example.ts";
import { bundleProgram, stopBundler } from "./bundle.ts";
import { makeExecutable } from "./executable.ts";
import { installPackages } from "./packages.ts";
import { fromRoot } from "./root.ts";
import { bundleForWeb, faultsOf, WEB_BUNDLES } from "./web_bundles.ts";

const BUNDLE = "dist/midge.js";
const EXECUTABLE = "dist/midge";

async function build(args: readonly string[]): Promise<void> {
  const program = args.find((arg) => arg.endsWith(".ts"));
  const unknown = args.find((arg) => arg !== "--compile" && arg !== program);
  if (unknown !== undefined) throw new Error(`Unknown option "${unknown}": there is "--compile"`);
  const bundle = program === undefined
    ? BUNDLE
    : `dist/${program.slice(program.lastIndexOf("/") + 1, -".ts".length)}.js`;
  await installPackages();
  await bundleProgram(program ?? "mod.ts", bundle);
  if (program === undefined) await buildForWeb();
  await stopBundler();
  const code = await Deno.readFile(fromRoot(bundle));
  printSize(bundle, code.length, gzipSync(code, { level: 9 }).length);
  if (!args.includes("--compile")) return;
  await makeExecutable(BUNDLE, EXECUTABLE);
  console.log(`${EXECUTABLE}: ${kb((await Deno.stat(fromRoot(EXECUTABLE))).size)}`);
}

async function buildForWeb(): Promise<void> {
  const faults: string[] = [];
  for (const bundle of WEB_BUNDLES) {
    const built = await bundleForWeb(bundle.entry);
    await Deno.writeFile(fromRoot(bundle.path), built.code);
    printSize(bundle.path, built.code.length, built.compressedBytes, bundle.compressedBytesMax);
    faults.push(...faultsOf(bundle, built).map((fault) => `${bundle.path} ${fault}`));
  }
  console.log(`${await buildBrowserExample()}: the example for browsers, for any web server`);
  if (faults.length > 0) throw new Error(faults.join("\n"));
}

function printSize(path: string, bytes: number, compressed: number, most?: number): void {
  const bound = most === undefined ? "" : `, at most ${kb(most)}`;
  console.log(`${path}: ${kb(bytes)}, ${kb(compressed)} compressed${bound}`);
}

function kb(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`;
}

if (import.meta.main) await build(Deno.args);
