/**
 * `deno task build`: bundles `mod.ts` into `dist/midge.js`, one module that Deno, Bun and Node run,
 * `client_web.ts` into `dist/midge_client_web.js`, one for browsers, and the Worker into
 * `dist/midge_worker.js`. With `--compile`, Bun makes a single executable of the first. Prints what
 * each weighs. The path of another program of ours, such as a benchmark's server, is bundled into
 * `dist` under its own name.
 *
 * @module
 */

import { bundleProgram, stopBundler } from "./bundle.ts";
import { makeExecutable } from "./executable.ts";
import { installPackages } from "./packages.ts";
import { fromRoot } from "./root.ts";
import { bundleWebClient } from "./web_client.ts";
import { bundleWorker } from "./worker.ts";

const BUNDLE = "dist/midge.js";
const WEB_CLIENT = "dist/midge_client_web.js";
const WORKER = "dist/midge_worker.js";
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
  if (program === undefined) {
    const { code } = await bundleWebClient();
    await Deno.writeFile(fromRoot(WEB_CLIENT), code);
    await printSize(WEB_CLIENT, code);
    const worker = await bundleWorker();
    await Deno.writeFile(fromRoot(WORKER), worker.code);
    await printSize(WORKER, worker.code);
  }
  await stopBundler();
  await printSize(bundle, await Deno.readFile(fromRoot(bundle)));
  if (!args.includes("--compile")) return;
  await makeExecutable(BUNDLE, EXECUTABLE);
  console.log(`${EXECUTABLE}: ${kib((await Deno.stat(fromRoot(EXECUTABLE))).size)}`);
}

async function printSize(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  console.log(`${path}: ${kib(bytes.length)}, ${kib(await gzipSize(bytes))} compressed`);
}

async function gzipSize(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).arrayBuffer()).byteLength;
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

if (import.meta.main) await build(Deno.args);
