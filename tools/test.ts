/**
 * `deno task test`: says yes or no to the whole checkout. The checks (format, lint, types, house
 * rules) and the test files on Deno, Bun and Node run as child processes, two at a time; the last
 * line is `N passed, N failed`, and the exit status says the same.
 *
 *     deno task test                        everything
 *     deno task test core/codec             the test files whose path contains this, no checks
 *     deno task test --only node            one suite: checks, deno, bun or node; may be repeated
 *     deno task test --limit 900            seconds that one suite may take
 *
 * @module
 */

import { bundleProgram, bundleTests, stopBundler } from "./bundle.ts";
import { runChecks } from "./checks.ts";
import { installForeignPeers } from "./foreign_peers.ts";
import { installPackages, installRuntime } from "./packages.ts";
import { fromRoot, listTestFiles } from "./root.ts";
import { findMissing, runSuite, type SuiteName, type SuiteResult } from "./suite.ts";
import { bundleForWeb, WORKER_ENTRY } from "./web_bundles.ts";

interface Arguments {
  readonly only: ReadonlySet<string>;
  readonly filters: readonly string[];
  readonly limitMs: number;
}

const SUITES = ["checks", "deno", "bun", "node"] as const;
const DEFAULT_LIMIT_S = 300;

async function main(args: Arguments): Promise<boolean> {
  const outdir = `dist/test-${Deno.pid}`;
  await removeLeftovers();
  await Deno.mkdir(fromRoot(outdir), { recursive: true });
  try {
    const results = await runAll(args, outdir);
    return report(results);
  } finally {
    await stopBundler();
    await Deno.remove(fromRoot(outdir), { recursive: true });
  }
}

async function runAll(args: Arguments, outdir: string): Promise<SuiteResult[]> {
  const all = await listTestFiles();
  const files = all.filter((file) =>
    args.filters.length === 0 || args.filters.some((filter) => file.includes(filter))
  );
  const wantsChecks = args.only.has("checks") &&
    (args.filters.length === 0 || args.only.size === 1);
  const runtimes = (["deno", "bun", "node"] as const).filter((name) => args.only.has(name));
  if (files.length === 0 && !wantsChecks) throw new Error("No test file has such a path");

  const setup: SuiteResult[] = [];
  const env: Record<string, string> = { MIDGE_TEST_DENO: Deno.execPath() };
  const binaries: Record<SuiteName, string> = { deno: Deno.execPath(), bun: "", node: "" };
  if (runtimes.length > 0) {
    await installPackages();
    let workerd: string;
    [binaries.bun, binaries.node, workerd] = await Promise.all([
      installRuntime("bun"),
      installRuntime("node"),
      installRuntime("workerd"),
    ]);
    env["MIDGE_TEST_BUN"] = binaries.bun;
    env["MIDGE_TEST_NODE"] = binaries.node;
    env["MIDGE_TEST_BUNDLE"] = fromRoot(`${outdir}/midge.js`);
    env["MIDGE_TEST_WORKERD"] = workerd;
    env["MIDGE_TEST_WORKER"] = fromRoot(`${outdir}/midge_worker.js`);
    setup.push(await setUpPeers());
    setup.push(await bundle(files, outdir));
  }
  const broken = new Set(setup.flatMap((result) => result.cases.map((item) => item.file)));
  const sound = files.filter((file) => !broken.has(file));
  const suites = runtimes.map((name) => (): Promise<SuiteResult> =>
    runSuite(name, { binary: binaries[name], files: sound, outdir, limitMs: args.limitMs, env })
  );
  const jobs = sound.length > 0 ? suites : [];
  if (wantsChecks) jobs.push(runChecks);
  const results = await runTwoAtATime(jobs);
  const missing = findMissing(results.filter((result) => result.name !== "checks"));
  setup.push({ name: "all runtimes", cases: missing, elapsedMs: 0 });
  return [...setup.filter((result) => result.cases.length > 0), ...results];
}

/** Installs the foreign peers; their absence is a failure only where all is meant to be there. */
async function setUpPeers(): Promise<SuiteResult> {
  const start = performance.now();
  const reason = await installForeignPeers();
  if (reason !== undefined) console.log(`foreign peers: ${reason}; their tests are skipped`);
  const isFailure = reason !== undefined && Deno.env.get("CI") === "true";
  return {
    name: "foreign peers",
    cases: isFailure
      ? [{ name: "are installed", file: "", outcome: "failed", detail: reason }]
      : [],
    elapsedMs: performance.now() - start,
  };
}

/** Bundles the program, the Worker and the tests; only what could not be bundled becomes a case. */
async function bundle(files: readonly string[], outdir: string): Promise<SuiteResult> {
  const start = performance.now();
  const failures = await bundleTests(files, `${outdir}/bundles`);
  if (await Deno.stat(fromRoot("mod.ts")).then(() => true, () => false)) {
    await bundleProgram("mod.ts", `${outdir}/midge.js`).catch((error: Error) =>
      failures.push({ file: "mod.ts", message: error.message })
    );
  }
  await bundleForWeb(WORKER_ENTRY).then(
    ({ code }) => Deno.writeFile(fromRoot(`${outdir}/midge_worker.js`), code),
    (error: Error) => failures.push({ file: WORKER_ENTRY, message: error.message }),
  );
  return {
    name: "bundle",
    cases: failures.map(({ file, message }) => ({
      name: "can be bundled",
      file,
      outcome: "failed",
      detail: message,
    })),
    elapsedMs: performance.now() - start,
  };
}

async function runTwoAtATime(
  jobs: readonly (() => Promise<SuiteResult>)[],
): Promise<SuiteResult[]> {
  const results: SuiteResult[] = [];
  const waiting = jobs.values();
  const lane = async (): Promise<void> => {
    for (const job of waiting) {
      const result = await job();
      results.push(result);
      console.log(summary(result));
    }
  };
  await Promise.all([lane(), lane()]);
  return results;
}

function count(results: readonly SuiteResult[], outcome: string): number {
  return results.flatMap((result) => result.cases).filter((item) => item.outcome === outcome)
    .length;
}

function totals(results: readonly SuiteResult[]): string {
  const skipped = count(results, "skipped");
  return `${count(results, "passed")} passed, ${count(results, "failed")} failed` +
    (skipped > 0 ? `, ${skipped} skipped` : "");
}

function summary(result: SuiteResult): string {
  return `${result.name.padEnd(6)}  ${totals([result])} (${
    (result.elapsedMs / 1000).toFixed(1)
  } s)`;
}

function report(results: readonly SuiteResult[]): boolean {
  for (const result of results) {
    for (const item of result.cases) {
      if (item.outcome !== "failed") continue;
      const place = item.file === "" ? "" : ` in ${item.file}`;
      console.log(`\nFAILED on ${result.name}${place}: ${item.name}`);
      console.log(plain(item.detail).replaceAll(/^/gm, "    "));
    }
  }
  const passed = count(results, "passed");
  console.log(`\n${totals(results)}`);
  return passed > 0 && count(results, "failed") === 0;
}

/** Without the colours that assertions write on runtimes where they know no way to ask. */
function plain(text: string): string {
  // deno-lint-ignore no-control-regex -- the escape character is what is looked for
  return text.replaceAll(/\x1b?\[\d+m/g, "").replaceAll(/\n(?:[ \t]*\n)+/g, "\n");
}

/** Folders of runs that were ended before they could clean up. */
async function removeLeftovers(): Promise<void> {
  await Deno.mkdir(fromRoot("dist"), { recursive: true });
  for await (const entry of Deno.readDir(fromRoot("dist"))) {
    const pid = /^test-(\d+)$/.exec(entry.name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    await Deno.remove(fromRoot(`dist/${entry.name}`), { recursive: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}

function parseArguments(args: readonly string[]): Arguments {
  const only = new Set<string>();
  const filters: string[] = [];
  let limitSeconds = DEFAULT_LIMIT_S;
  const rest = args.values();
  for (const arg of rest) {
    if (arg === "--only") only.add(oneOf(SUITES, rest.next().value));
    else if (arg === "--limit") limitSeconds = Number(rest.next().value);
    else if (arg.startsWith("-")) throw new Error(`Unknown option "${arg}"`);
    else filters.push(arg.replace(/^\.\//, ""));
  }
  if (!(limitSeconds > 0)) throw new Error('"--limit" takes a number of seconds');
  return { only: only.size > 0 ? only : new Set(SUITES), filters, limitMs: limitSeconds * 1000 };
}

function oneOf(allowed: readonly string[], value: string | undefined): string {
  if (value !== undefined && allowed.includes(value)) return value;
  throw new Error(`"--only" takes one of ${allowed.join(", ")}`);
}

if (import.meta.main) {
  const hasPassed = await main(parseArguments(Deno.args));
  Deno.exit(hasPassed ? 0 : 1);
}
