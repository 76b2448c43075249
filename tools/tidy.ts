/**
 * `deno task tidy`: the house rules that a machine can check, so that nobody has to remember them.
 * The rules themselves are in `tidy/`, each a search over the text of all files; this file reads
 * the files and prints what was found.
 *
 * @module
 */

import { generatedDocs } from "./docs.ts";
import { runCommand } from "./process.ts";
import { fromRoot, listFiles, ROOT } from "./root.ts";
import { importArrows, noCycles } from "./tidy/arrows.ts";
import { badInputs } from "./tidy/bad_inputs.ts";
import { linksLead } from "./tidy/links.ts";
import {
  fileSize,
  noUnusedExports,
  openingComment,
  snakeCase,
  testPerSource,
} from "./tidy/shape.ts";
import type { Project, Rule } from "./tidy/source.ts";
import {
  noMachinePaths,
  noPromises,
  noRegistryHosts,
  productLock,
  reasonedSkips,
} from "./tidy/words.ts";
import { traceability } from "./trace/traces.ts";
import { hashPrivate, neutralZone, noModuleState, pureCore } from "./tidy/zones.ts";

/** All rules, in the order in which their findings are printed. */
export const RULES: readonly Rule[] = [
  importArrows,
  noCycles,
  pureCore,
  neutralZone,
  noModuleState,
  hashPrivate,
  fileSize,
  snakeCase,
  openingComment,
  testPerSource,
  noUnusedExports,
  noPromises,
  noMachinePaths,
  noRegistryHosts,
  reasonedSkips,
  productLock,
  generatedDocs,
  linksLead,
  badInputs,
  traceability,
];

const GIT_LIMIT_MS = 30_000;

/** Reads what is, or is about to be, under version control. */
export async function readProject(): Promise<Project> {
  const tracked = await git("ls-files", "--cached", "--others", "--exclude-standard");
  const paths = tracked?.split("\n").filter((path) => path !== "") ?? await listFiles("");
  const files = new Map<string, string>();
  for (const path of paths.sort()) {
    // A file may have gone since it was listed; one with a zero byte is not text.
    const text = await Deno.readTextFile(fromRoot(path)).catch(() => undefined);
    if (text !== undefined && !text.includes("\0")) files.set(path, text);
  }
  // Running one test by hand adds its packages to the lock on disk; what counts is the commit.
  const lock = await git("show", ":deno.lock");
  return { files, productLock: lock ?? files.get("deno.lock") ?? "" };
}

async function git(...args: readonly string[]): Promise<string | undefined> {
  const result = await runCommand("git", args, { cwd: ROOT, limitMs: GIT_LIMIT_MS })
    .catch(() => undefined);
  return result?.code === 0 ? result.output : undefined;
}

async function tidy(): Promise<boolean> {
  const project = await readProject();
  let isTidy = true;
  for (const rule of RULES) {
    const problems = rule.find(project);
    if (problems.length === 0) continue;
    isTidy = false;
    console.log(
      `\nNot so: ${rule.name}\n${problems.map((problem) => `    ${problem}`).join("\n")}`,
    );
  }
  if (isTidy) console.log(`${RULES.length} rules hold for ${project.files.size} files`);
  return isTidy;
}

if (import.meta.main) Deno.exit(await tidy() ? 0 : 1);
