/**
 * One fuzzer at work, in a worker of its own: inputs are changed, and those that reach what none
 * has reached before are kept and changed further. What runs at the moment lies in shared memory,
 * where whoever started the worker finds it should it never end.
 *
 * @module
 */

import { Coverage } from "./coverage.ts";
import { type Discovery, type Exploration, INPUT_BYTES_MAX } from "./exploration.ts";
import { Mutator } from "./mutator.ts";
import { shrink } from "./shrink.ts";
import { TARGETS } from "./targets.ts";

const HEAD_WORDS = 2;

interface Scope {
  onmessage: ((event: { readonly data: Exploration }) => void) | null;
  postMessage(discovery: Discovery): void;
  readonly fuzzCounters: ConstructorParameters<typeof Coverage>[0];
}

// This module is loaded as a worker only.
const scope = globalThis as unknown as Scope;

scope.onmessage = ({ data }) => {
  explore(data).then((discovery) => scope.postMessage(discovery));
};

async function explore(exploration: Exploration): Promise<Discovery> {
  const target = TARGETS.find(({ name }) => name === exploration.target)!;
  const coverage = new Coverage(scope.fuzzCounters);
  const mutator = new Mutator(exploration.seed, target.tokens, INPUT_BYTES_MAX);
  const words = new Int32Array(exploration.memory, 0, HEAD_WORDS);
  const shared = new Uint8Array(exploration.memory, HEAD_WORDS * 4);
  const run = async (input: Uint8Array): Promise<unknown> => {
    words[0] = words[0]! + 1;
    words[1] = input.length;
    shared.set(input);
    try {
      await target.run(input);
      return undefined;
    } catch (error) {
      return error ?? "nothing";
    }
  };
  const kept: Uint8Array[] = [];
  const fresh = [...exploration.inputs, ...target.seeds(), new Uint8Array(0)]
    .map((bytes) => bytes.slice(0, INPUT_BYTES_MAX));
  coverage.clear();
  let fault: unknown;
  let input = new Uint8Array(0) as Uint8Array;
  const end = performance.now() + exploration.seconds * 1000;
  while (fault === undefined && (fresh.length > 0 || performance.now() < end)) {
    input = fresh.pop() ?? mutator.mutate(kept);
    fault = await run(input.slice());
    if (coverage.take(false)) kept.push(input);
  }
  if (fault !== undefined) {
    const kind = kindOf(fault);
    input = await shrink(input, async (smaller) => kindOf(await run(smaller.slice())) === kind);
    fault = await run(input.slice());
  }
  const runs = words[0]!;
  const corpus = await smallest(kept, run, coverage);
  const error = fault === undefined ? "" : textOf(fault);
  const finding = fault === undefined ? undefined : { input, error };
  return { runs, reached: coverage.counts, corpus, finding };
}

/** The shortest inputs first, of which each reaches something that those before it do not. */
async function smallest(
  kept: readonly Uint8Array[],
  run: (input: Uint8Array) => Promise<unknown>,
  coverage: Coverage,
): Promise<Uint8Array[]> {
  coverage.clear();
  const corpus: Uint8Array[] = [];
  for (const input of kept.toSorted((one, other) => one.length - other.length)) {
    if (await run(input.slice()) === undefined && coverage.take(true)) corpus.push(input);
  }
  return corpus;
}

/** Faults of one kind have one name and were found at one place. */
function kindOf(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  const frames = (fault.stack ?? "").split("\n").filter((line) => line.includes("explorer.js:"));
  return `${fault.name} ${frames[0] ?? ""}`;
}

function textOf(fault: unknown): string {
  return fault instanceof Error ? fault.stack ?? fault.message : String(fault);
}
