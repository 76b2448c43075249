/**
 * The checks that are not tests of behaviour: format, lint, types, types of the neutral zone, and
 * the house rules of `tidy.ts`. Each counts as one test, and all of them run even if one fails.
 *
 * @module
 */

import { bundleForWeb, faultsOf, WEB_BUNDLES } from "./web_bundles.ts";
import { zoneCheckCommand, ZONES } from "./zone_types.ts";
import { runCommand } from "./process.ts";
import { ROOT } from "./root.ts";
import type { SuiteResult } from "./suite.ts";
import type { TestCase } from "./junit.ts";
import { readProject, RULES } from "./tidy.ts";

const CHECK_LIMIT_MS = 240_000;
const DETAIL_LINES = 60;

/** Runs all checks, one after the other: they leave the second core to the tests. */
export async function runChecks(): Promise<SuiteResult> {
  const start = performance.now();
  const cases: TestCase[] = [];
  const typeCheck = ["check", "-q", "--lock=test/deno.lock", "."];
  // Nobody is there to commit a lock that had to grow.
  if (Deno.env.get("CI") === "true") typeCheck.push("--frozen");
  const commands: [string, string[]][] = [
    ["every file is formatted", ["fmt", "--check"]],
    ["every file passes the linter", ["lint", "-q"]],
    ["every file passes the type check", typeCheck],
  ];
  for (const zone of ZONES) {
    const name = `the ${zone.name} zone passes the type check with ${zone.lib.join(", ")} alone`;
    commands.push([name, await zoneCheckCommand(zone)]);
  }
  for (const [name, args] of commands) {
    const result = await runCommand(Deno.execPath(), args, {
      cwd: ROOT,
      limitMs: CHECK_LIMIT_MS,
      env: { NO_COLOR: "1" },
    });
    const detail = result.isTimedOut ? "It ran into its time limit" : result.output.trim();
    cases.push(toCase(name, result.code === 0 ? [] : detail.split("\n")));
  }
  for (const bundle of WEB_BUNDLES) {
    const kilobytes = bundle.compressedBytesMax / 1000;
    const name = `${bundle.name} imports nothing and takes at most ${kilobytes} KB compressed`;
    cases.push(toCase(name, faultsOf(bundle, await bundleForWeb(bundle.entry))));
  }
  const project = await readProject();
  for (const rule of RULES) cases.push(toCase(rule.name, rule.find(project)));
  return { name: "checks", cases, elapsedMs: performance.now() - start };
}

function toCase(name: string, problems: readonly string[]): TestCase {
  const left = problems.length - DETAIL_LINES;
  const shown = problems.slice(0, DETAIL_LINES);
  if (left > 0) shown.push(`… and ${left} more lines`);
  const outcome = problems.length === 0 ? "passed" : "failed";
  return { name, file: "", outcome, detail: shown.join("\n") };
}
