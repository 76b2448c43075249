/**
 * One suite per runtime: how its runner is called, and how what it wrote becomes test cases. A
 * runner that hangs, crashes or leaves out a file becomes a failed case here, so that no run can
 * pass by not running.
 *
 * @module
 */

import { parseJunit, type TestCase } from "./junit.ts";
import { runCommand, type RunResult } from "./process.ts";
import { fromRoot, ROOT } from "./root.ts";

/** A runtime that runs the tests. */
export type SuiteName = "deno" | "bun" | "node";

/** Where a suite finds its runtime and its files, and how long it may take. */
export interface SuiteOptions {
  readonly binary: string;
  /** Sources, relative to the root: Deno runs these, the others their bundles. */
  readonly files: readonly string[];
  readonly outdir: string;
  readonly limitMs: number;
  readonly env: Readonly<Record<string, string>>;
}

/** What came out of one suite. */
export interface SuiteResult {
  readonly name: string;
  readonly cases: readonly TestCase[];
  readonly elapsedMs: number;
}

// One test may take this long; Bun's own default of five seconds is meant for unit tests only.
const TEST_LIMIT_MS = 60_000;

/** Runs all files of a suite in one process of its runner, and gathers the cases. */
export async function runSuite(name: SuiteName, options: SuiteOptions): Promise<SuiteResult> {
  const reportPath = fromRoot(`${options.outdir}/${name}.xml`);
  const result = await runCommand(options.binary, commandLine(name, reportPath, options), {
    cwd: name === "deno" ? ROOT : fromRoot(`${options.outdir}/bundles`),
    limitMs: options.limitMs,
    env: { ...options.env, NO_COLOR: "1" },
  });
  const report = await Deno.readTextFile(reportPath).catch(() => "");
  const cases = parseJunit(report).map((item) => ({
    ...item,
    file: sourceFile(item.file),
    detail: loadErrorOnNode(result.output, item) ?? item.detail,
  }));
  cases.push(...findUnreported(name, result, cases, options));
  return { name, cases, elapsedMs: result.elapsedMs };
}

function commandLine(name: SuiteName, report: string, options: SuiteOptions): string[] {
  const bundles = options.files.map((file) => `./${file.replace(/\.ts$/, ".js")}`);
  switch (name) {
    case "deno":
      return [
        "test",
        "-A",
        "--no-check",
        "--lock=test/deno.lock",
        `--junit-path=${report}`,
        ...options.files,
      ];
    case "bun":
      return [
        "test",
        `--timeout=${TEST_LIMIT_MS}`,
        "--reporter=junit",
        `--reporter-outfile=${report}`,
        ...bundles,
      ];
    case "node":
      return [
        "--enable-source-maps",
        `--import=${fromRoot("tools/leftovers.ts")}`,
        "--test",
        `--test-timeout=${TEST_LIMIT_MS}`,
        "--test-reporter=junit",
        `--test-reporter-destination=${report}`,
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
        ...bundles,
      ];
  }
}

/** Failures of which the report says nothing: the runner's own, and files that never ran. */
export function findUnreported(
  name: SuiteName,
  result: RunResult,
  cases: readonly TestCase[],
  options: { readonly files: readonly string[]; readonly limitMs: number },
): TestCase[] {
  const last = tail(result.output, 30);
  if (result.isTimedOut) {
    const limit = `${options.limitMs / 1000} s`;
    return [
      failure(`ends within ${limit}`, "", `Still running after ${limit}. It said last:\n${last}`),
    ];
  }
  if (result.code !== 0 && cases.length === 0) {
    return [failure("starts", "", `The runner ended with ${result.code}. It said last:\n${last}`)];
  }
  const found: TestCase[] = [];
  for (const file of options.files) {
    const error = loadError(name, result.output, file);
    if (error !== undefined) found.push(failure("loads", file, error));
    else if (!hasRun(name, result.output, cases, file)) {
      found.push(failure("has a test", file, "Not one test of this file ran"));
    }
  }
  const isExplained = found.length > 0 || cases.some((item) => item.outcome === "failed");
  if (result.code !== 0 && !isExplained) {
    found.push(failure("ends well", "", `The runner ended with ${result.code}. Last:\n${last}`));
  }
  return found;
}

/**
 * Tests that one runtime reports and another does not: a runner that loses reports must not pass.
 * A test that is there for some runtimes only has the name of one in its own.
 */
export function findMissing(results: readonly SuiteResult[]): TestCase[] {
  const names = results.map(({ cases }) => new Set(cases.map(({ name }) => name)));
  const all = new Set(names.flatMap((set) => [...set]));
  return results.flatMap((result, index) => {
    // What kept a suite from its tests has been reported.
    if (result.cases.some(({ file, outcome }) => file === "" && outcome === "failed")) return [];
    const missing = [...all].filter((name) =>
      !names[index]!.has(name) && !/\b(?:deno|bun|node)\b/i.test(name) && !isAboutAFile(name)
    );
    if (missing.length === 0) return [];
    const shown = missing.slice(0, 10).join("\n");
    const detail = `${missing.length} that others report are not reported:\n${shown}`;
    return [failure(`${result.name} reports every test`, "", detail)];
  });
}

function isAboutAFile(name: string): boolean {
  return /_test\.js$/.test(name) || ["loads", "has a test"].includes(name);
}

function failure(name: string, file: string, detail: string): TestCase {
  return { name, file, outcome: "failed", detail };
}

// A case's file is where `test` was called, which may be a helper shared by several files: only
// Bun's report can be asked. Deno announces each file, and Node reports an empty file as a case.
function hasRun(
  name: SuiteName,
  output: string,
  cases: readonly TestCase[],
  file: string,
): boolean {
  switch (name) {
    case "deno":
      return new RegExp(`^running [1-9]\\d* tests? from \\./${file}$`, "m").test(output);
    case "bun":
      return cases.some((item) => item.file === file);
    case "node":
      return !cases.some((item) => item.outcome === "passed" && sourceFile(item.name) === file);
  }
}

/** What a runner says of a file that throws outside of its tests, which its report leaves out. */
function loadError(name: SuiteName, output: string, file: string): string | undefined {
  const lines = output.split("\n");
  if (name === "deno") {
    const start = lines.findIndex((line) => line.startsWith(`./${file} (uncaught error)`));
    return start < 0 ? undefined : lines.slice(start + 1, start + 12).join("\n").trim();
  }
  // Node's report has the file as a failed case.
  if (name === "node") return undefined;
  const header = lines.indexOf(`${file.replace(/\.ts$/, ".js")}:`);
  if (header < 0) return undefined;
  const length = lines.slice(header + 1).findIndex((line) => /^\S+_test\.js:$/.test(line));
  const section = lines.slice(header + 1, length < 0 ? undefined : header + 1 + length);
  const start = section.findIndex((line) => line.startsWith("# Unhandled error"));
  return start < 0 ? undefined : section.slice(start, start + 14).join("\n").trim();
}

/** Node reports a file that throws while loading as a case of its own, but not what was thrown. */
function loadErrorOnNode(output: string, item: TestCase): string | undefined {
  if (item.outcome !== "failed" || !/_test\.js$/.test(item.name)) return undefined;
  const lines = output.split("\n");
  const end = lines.findIndex((line) => line.includes(`✖ ${item.name}`));
  return end < 0 ? undefined : lines.slice(Math.max(0, end - 20), end).join("\n").trim();
}

function sourceFile(reported: string): string {
  const match = /(?:^|\/)(test\/\S+_test)\.[jt]s$/.exec(reported.replace(/^\.\//, ""));
  return match === null ? reported : `${match[1]!}.ts`;
}

function tail(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}
