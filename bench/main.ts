/**
 * `deno task bench`: runs every `*_bench.ts` under `bench/`, one process each, so that none warms
 * up or disturbs another. `--runtime bun` or `node` runs them bundled on that runtime; other
 * arguments pick files by a part of their path. Each bench file runs alone with `deno run` too.
 *
 * @module
 */

import { bundleTests, stopBundler } from "../tools/bundle.ts";
import { installPackages, installRuntime } from "../tools/packages.ts";
import { runCommand } from "../tools/process.ts";
import { fromRoot, listFiles, ROOT } from "../tools/root.ts";

const LIMIT_MS = 300_000;

async function main(args: readonly string[]): Promise<boolean> {
  const { runtime, filters } = parseArguments(args);
  const files = (await listFiles("bench")).filter((path) =>
    path.endsWith("_bench.ts") &&
    (filters.length === 0 || filters.some((filter) => path.includes(filter)))
  );
  if (files.length === 0) throw new Error("No bench file has such a path");
  const outdir = `dist/bench-${Deno.pid}`;
  const commandLine = await prepare(runtime, files, outdir);
  let isSound = true;
  try {
    for (const file of files) {
      console.log(`\n── ${file} on ${runtime}`);
      const [command, ...rest] = commandLine(file);
      const result = await runCommand(command!, rest, { cwd: ROOT, limitMs: LIMIT_MS });
      console.log(result.output.trim());
      if (result.isTimedOut) console.log(`Ended after ${LIMIT_MS / 1000} s`);
      if (result.code !== 0) isSound = false;
    }
  } finally {
    await Deno.remove(fromRoot(outdir), { recursive: true }).catch(ignoreMissing);
  }
  return isSound;
}

async function prepare(
  runtime: "deno" | "bun" | "node",
  files: readonly string[],
  outdir: string,
): Promise<(file: string) => string[]> {
  if (runtime === "deno") {
    return (file) => [Deno.execPath(), "run", "-A", "-q", "--lock=test/deno.lock", file];
  }
  await installPackages();
  const binary = await installRuntime(runtime);
  const failures = await bundleTests(files, outdir);
  await stopBundler();
  for (const { file, message } of failures) console.log(`${file}: ${message}`);
  if (failures.length > 0) throw new Error("Not every bench could be bundled");
  return (file) => [binary, fromRoot(`${outdir}/${file.replace(/\.ts$/, ".js")}`)];
}

function parseArguments(
  args: readonly string[],
): { runtime: "deno" | "bun" | "node"; filters: string[] } {
  let runtime: "deno" | "bun" | "node" = "deno";
  const filters: string[] = [];
  const rest = args.values();
  for (const arg of rest) {
    if (arg !== "--runtime") filters.push(arg);
    else {
      const value = rest.next().value;
      if (value !== "deno" && value !== "bun" && value !== "node") {
        throw new Error('"--runtime" takes deno, bun or node');
      }
      runtime = value;
    }
  }
  return { runtime, filters };
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

if (import.meta.main) Deno.exit(await main(Deno.args) ? 0 : 1);
