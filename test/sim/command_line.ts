// What `deno task sim` was asked for: one plan, whole or with something left out, or a range of seeds.

import { type Fault, FAULTS, type Plan, planOf } from "./plan.ts";

/** One plan to run, or seeds to search through. */
export type Wish =
  | { readonly kind: "plan"; readonly plan: Plan }
  | {
    readonly kind: "seeds";
    readonly from: number;
    readonly count: number;
    readonly workers: number;
  };

export const HELP = `deno task sim --seeds N [--from S] [--workers W]
    Runs N worlds, from seed S on (1), in W threads (1); the first that fails is made smaller.
deno task sim --seed S [--clients 0,2] [--faults cut,crash] [--ms 2000]
    Runs one world again, with these clients and faults only, and so many milliseconds of them.
    Faults are ${FAULTS.join(", ")}.`;

/** @throws {SyntaxError} for what it does not understand. */
export function parseWish(words: readonly string[]): Wish {
  const given = new Map<string, string>();
  for (let i = 0; i < words.length; i += 2) {
    const [name, value] = [words[i]!, words[i + 1]];
    if (!NAMES.includes(name) || value === undefined) {
      throw new SyntaxError(`Cannot understand "${name}"`);
    }
    given.set(name, value);
  }
  const seed = given.get("--seed");
  if (seed === undefined) {
    return {
      kind: "seeds",
      from: numberIn(given.get("--from") ?? "1"),
      count: numberIn(given.get("--seeds") ?? "100"),
      workers: numberIn(given.get("--workers") ?? "1"),
    };
  }
  const whole = planOf(numberIn(seed));
  const clients = given.get("--clients");
  const faults = given.get("--faults");
  const plan = {
    seed: whole.seed,
    clients: clients === undefined ? whole.clients : listIn(clients).map(numberIn),
    faults: faults === undefined ? whole.faults : listIn(faults).map(faultIn),
    safetyMs: numberIn(given.get("--ms") ?? `${whole.safetyMs}`),
  };
  return { kind: "plan", plan };
}

const NAMES = ["--seed", "--seeds", "--from", "--workers", "--clients", "--faults", "--ms"];

function numberIn(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new SyntaxError(`Cannot use "${text}" as a number`);
  return Number(text);
}

function listIn(text: string): string[] {
  return text === "none" ? [] : text.split(",");
}

function faultIn(text: string): Fault {
  const fault = FAULTS.find((one) => one === text);
  if (fault === undefined) throw new SyntaxError(`Cannot find the fault "${text}"`);
  return fault;
}
