/**
 * `deno task fuzz`: looks for inputs that a parser takes wrongly, guided by what they reach.
 *
 *     deno task fuzz packets --seconds 600      one fuzzer for ten minutes
 *     deno task fuzz --seconds 30               each of them for half a minute
 *     deno task fuzz packets --keep             also makes what was reached the corpus
 *     deno task fuzz packets --replay 00c000    one input; with --keep it joins the corpus for good
 *     deno task fuzz packets --seed 7           other changes than those of seed 1
 *
 * A finding is printed with the bytes and the command that shows it again; the status is 1 then.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { fileURLToPath, pathToFileURL } from "node:url";
import { keepFound, readCorpus, writeCorpus } from "./corpus.ts";
import { type Discovery, type Exploration, INPUT_BYTES_MAX } from "./exploration.ts";
import { instrumentExplorer } from "./instrument.ts";
import type { FuzzTarget } from "./target.ts";
import { TARGETS } from "./targets.ts";

const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
const SECONDS = 30;
/** No input of a few kilobytes may take this long. */
const RUN_LIMIT_MS = 10_000;
const WATCH_MS = 1000;
const HEAD_BYTES = 8;

const flags = parseArgs(Deno.args, {
  string: ["seconds", "seed", "replay"],
  boolean: ["keep"],
  unknown(word: string, key?: string): boolean {
    if (key === undefined) return true;
    console.error(`Unknown option "${word}"`);
    Deno.exit(2);
  },
});

async function main(): Promise<boolean> {
  const names = flags._.map(String);
  for (const name of names) {
    if (TARGETS.some((target) => target.name === name)) continue;
    console.error(`There is no fuzzer "${name}": there are ${TARGETS.map(nameOf).join(", ")}`);
    return false;
  }
  const chosen = TARGETS.filter(({ name }) => names.length === 0 || names.includes(name));
  if (flags.replay !== undefined) {
    const input = fromHex(flags.replay);
    for (const target of chosen) {
      if (flags.keep) await keepFound(target.name, input);
      await target.run(input);
    }
    console.log("Nothing is wrong with it");
    return true;
  }
  const folder = `${DIST}/fuzz-${Deno.pid}`;
  const file = `${folder}/explorer.js`;
  await Deno.mkdir(folder, { recursive: true });
  try {
    await instrumentExplorer(file);
    let isSound = true;
    for (const target of chosen) isSound = await explore(target, file) && isSound;
    return isSound;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function explore({ name }: FuzzTarget, file: string): Promise<boolean> {
  const memory = new SharedArrayBuffer(HEAD_BYTES + INPUT_BYTES_MAX);
  const corpus = await readCorpus(name);
  const discovery = await discover(file, {
    target: name,
    seconds: Number(flags.seconds ?? SECONDS),
    seed: Number(flags.seed ?? 1),
    inputs: corpus,
    memory,
  });
  const { runs, reached, finding } = discovery;
  console.log(`${name}: ${runs} runs, ${reached[0]} of ${reached[1]} branches and functions`);
  if (finding !== undefined) {
    const hex = toHex(finding.input);
    console.log(`\nFOUND by ${name}: ${finding.error}\n`);
    console.log(`    bytes: ${hex}\n    again: deno task fuzz ${name} --replay "${hex}"\n`);
    return false;
  }
  if (flags.keep) {
    await writeCorpus(name, discovery.corpus);
    console.log(`${name}: ${discovery.corpus.length} inputs are the corpus`);
  }
  return true;
}

/** Runs the worker to its end; an input that takes too long is a finding, too. */
function discover(file: string, exploration: Exploration): Promise<Discovery> {
  const worker = new Worker(pathToFileURL(file).href, { type: "module" });
  const words = new Int32Array(exploration.memory, 0, 2);
  return new Promise((resolve, reject) => {
    let runs = -1;
    let since = performance.now();
    const end = (): void => {
      clearInterval(timer);
      worker.terminate();
    };
    const timer = setInterval(() => {
      const now = performance.now();
      if (words[0] !== runs) [runs, since] = [words[0]!, now];
      if (runs === 0 || now - since < RUN_LIMIT_MS) return;
      end();
      const input = new Uint8Array(exploration.memory).slice(HEAD_BYTES, HEAD_BYTES + words[1]!);
      const error = `It takes longer than ${RUN_LIMIT_MS / 1000} s`;
      resolve({ runs, reached: [0, 0], corpus: [], finding: { input, error } });
    }, WATCH_MS);
    worker.onmessage = ({ data }): void => {
      end();
      resolve(data);
    };
    worker.onerror = (event): void => {
      event.preventDefault();
      end();
      reject(new Error(event.message));
    };
    worker.postMessage(exploration);
  });
}

function nameOf({ name }: FuzzTarget): string {
  return name;
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, "");
  if (!/^(?:[\da-f]{2})*$/i.test(digits)) throw new Error("The input is no bytes in hexadecimal");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

Deno.exit(await main() ? 0 : 1);
