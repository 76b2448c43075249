// Each fuzzer on what is committed for it, and on changes of that which are the same everywhere; and
// that a fuzzer finds what is there to be found.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "../harness.ts";
import { readCorpus } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { Mutator } from "./mutator.ts";
import { shrink } from "./shrink.ts";
import { TARGETS } from "./targets.ts";

const CHANGES = 300;
const BYTES_MAX = 512;
/** Long enough for whatever takes more than linear time to run into the limit of a test. */
const PUMPED_BYTES = 8192;

async function inputsOf(name: string): Promise<Uint8Array[]> {
  const target = TARGETS.find((one) => one.name === name)!;
  return [...await readCorpus(name), ...target.seeds()];
}

for (const { name, tokens, run } of TARGETS) {
  test(`The fuzzer of ${name} finds nothing in its corpus`, async () => {
    assert((await readCorpus(name)).length > 0);
    for (const input of await inputsOf(name)) await run(input);
    await run(new Uint8Array(0));
  });

  test(`The fuzzer of ${name} finds nothing in changes of its corpus`, async () => {
    const inputs = await inputsOf(name);
    const mutator = new Mutator(1, tokens, BYTES_MAX);
    for (let left = CHANGES; left > 0; left--) await run(mutator.mutate(inputs));
  });

  test(`The fuzzer of ${name} finds nothing in words said a thousand times over`, async () => {
    for (const token of tokens.slice(0, 6)) {
      const word = new TextEncoder().encode(token);
      const pumped = Uint8Array.from({ length: PUMPED_BYTES }, (_, at) => word[at % word.length]!);
      await run(pumped);
    }
  });
}

test("Mutator and shrink() find the shortest input that shows a fault", async () => {
  const run = (input: Uint8Array): void => {
    const text = String.fromCharCode(...input);
    if (/a.*b!/s.test(text)) throw new Error("found");
  };
  const showsFault = (input: Uint8Array): Promise<boolean> =>
    assertRejects(() => Promise.resolve(input).then(run)).then(() => true, () => false);
  const mutator = new Mutator(7, ["b!"], 40);
  let input = new Uint8Array(0) as Uint8Array;
  for (let tries = 0; !await showsFault(input); tries++) {
    assert(tries < 10_000);
    input = mutator.mutate([new TextEncoder().encode("--a--"), new Uint8Array(20)]);
  }
  assertEquals(await shrink(input, showsFault), new TextEncoder().encode("ab!"));
});

test("Coverage.take() tells what has run for the first time, or far more often than before", () => {
  const b = { "0": [0, 0] };
  const f: Record<string, number> = { "0": 0 };
  const coverage = new Coverage({ "a.ts": { b, f } });
  const taken = (count: number, isPlain = false): boolean => {
    b["0"][1] = count;
    f["0"] = 1;
    return coverage.take(isPlain);
  };
  assertEquals([1, 1, 2, 3, 4].map((count) => taken(count)), [true, false, true, false, true]);
  assertEquals([coverage.counts, b, f], [[2, 3], { "0": [0, 0] }, { "0": 0 }]);
  coverage.clear();
  assertEquals([1, 2, 100].map((count) => taken(count, true)), [true, false, false]);
});
