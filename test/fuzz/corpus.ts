/**
 * The inputs that are kept with the sources: one file each below `corpus/<target>/`, named after
 * what is in it, so that the same input is never kept twice and no two additions meet in a merge.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("corpus", import.meta.url));

/** What the names of inputs begin with that are never left out again. */
const FOUND = "found_";

/** The inputs of a target, in the order of their names. */
export async function readCorpus(target: string): Promise<Uint8Array[]> {
  const names = await readdir(`${FOLDER}/${target}`).catch(() => []);
  return Promise.all(
    names.sort().map(async (name) => new Uint8Array(await readFile(`${FOLDER}/${target}/${name}`))),
  );
}

/** Makes these the inputs of a target, beside those that once showed a fault. */
export async function writeCorpus(target: string, inputs: readonly Uint8Array[]): Promise<void> {
  const folder = `${FOLDER}/${target}`;
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    if (!name.startsWith(FOUND)) await rm(`${folder}/${name}`);
  }
  for (const input of inputs) await writeFile(`${folder}/${nameOf(input)}`, input);
}

/** Keeps an input for good, because it showed a fault. */
export async function keepFound(target: string, input: Uint8Array): Promise<void> {
  await mkdir(`${FOLDER}/${target}`, { recursive: true });
  await writeFile(`${FOLDER}/${target}/${FOUND}${nameOf(input)}`, input);
}

function nameOf(input: Uint8Array): string {
  return createHash("sha256").update(input).digest("hex").slice(0, 16);
}
