/**
 * Where the checkout is, and which files it has. Tools are started from anywhere; every path they
 * print or compare is relative to the root of the checkout.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** The absolute path of the checkout, without a slash at its end. */
export const ROOT: string = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** The absolute path of something named relative to the root. */
export function fromRoot(path: string): string {
  return `${ROOT}/${path}`;
}

const LEFT_OUT: ReadonlySet<string> = new Set(["node_modules", "dist", "coverage", ".git"]);

/** All files under a folder, sorted, relative to the root; none if there is no such folder. */
export async function listFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const entry of Deno.readDir(fromRoot(folder))) {
      if (LEFT_OUT.has(entry.name)) continue;
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory) found.push(...await listFiles(path));
      else if (entry.isFile) found.push(path);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort();
}

/** The test files: whatever ends in `_test.ts` under `test`. */
export async function listTestFiles(): Promise<string[]> {
  return (await listFiles("test")).filter((path) => path.endsWith("_test.ts"));
}
