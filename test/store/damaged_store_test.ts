// Files of a store that are cut short or have a bit flipped, anywhere (B-55): the broker that finds
// one either has all that was in it or says that it is damaged. It never stumbles over it in another
// way, and a cut never passes for a store with less in it.

import { assertEquals } from "@std/assert";
import * as fs from "node:fs";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { prng, type Random } from "../../src/core/base/prng.ts";
import { test } from "../harness.ts";
import { RandomChanges } from "../support/random_changes.ts";
import { SqliteFiles } from "../support/sqlite_files.ts";
import { contentsOfStore } from "../support/store_contents.ts";

const SEED = 20_240_607;
const SAMPLE = 60;
const BATCHES = 12;

/** What a store of some of everything is as bytes, and what it holds. */
async function sample(): Promise<{ bytes: Uint8Array; contents: string }> {
  const files = new SqliteFiles();
  try {
    const changes = new RandomChanges(prng(SEED));
    const store = await files.open();
    for (let n = 0; n < BATCHES; n++) store.commit(changes.batch());
    const contents = JSON.stringify(await contentsOfStore(store));
    store.close();
    files.database = undefined;
    return { bytes: fs.readFileSync(files.path), contents };
  } finally {
    files.release();
  }
}

/** What a broker finds in these bytes: what is in there, or the code of its complaint. */
async function find(bytes: Uint8Array): Promise<{ contents?: string; code?: string }> {
  const files = new SqliteFiles();
  try {
    fs.writeFileSync(files.path, bytes);
    const store = await files.open();
    return { contents: JSON.stringify(await contentsOfStore(store)) };
  } catch (error) {
    // Anything else would be a fault of ours.
    if (!(error instanceof OperationError)) throw error;
    return { code: error.code };
  } finally {
    files.release();
  }
}

function places(random: Random, length: number): number[] {
  return Array.from({ length: SAMPLE }, () => random() % length);
}

test("B-55 A store that is cut short anywhere is damaged, and not one with less in it", async () => {
  const { bytes, contents } = await sample();
  assertEquals(await find(bytes), { contents });
  // Some at the edges of pages, where a cut is hardest to see.
  const edges = Array.from({ length: 7 }, (_, n) => (n + 1) * 4096).filter((at) =>
    at < bytes.length
  );
  const lengths = [1, 511, 512, ...places(prng(SEED), bytes.length), ...edges, bytes.length - 1];
  for (const length of lengths) {
    // As good as no file.
    if (length === 0) continue;
    const { contents: found, code } = await find(bytes.subarray(0, length));
    const outcome = found === contents || code === "database-corrupt" || code === "not-supported"
      ? "told"
      : { code, found };
    assertEquals({ length, outcome }, { length, outcome: "told" });
  }
});

test("B-55 A store with a flipped bit is read or told of, and never stumbled over", async () => {
  const { bytes } = await sample();
  let told = 0;
  for (const at of places(prng(SEED + 1), bytes.length * 8)) {
    const flipped = bytes.slice();
    flipped[at >> 3]! ^= 1 << (at & 7);
    const { code } = await find(flipped);
    if (code !== undefined) told++;
  }
  assertEquals(told > 0, true);
});
