/**
 * What a fuzzer is: a name, what its inputs are made of, and one function that takes any bytes and
 * throws when something is wrong with what a parser made of them. Whoever drives it (tests, the
 * explorer) knows nothing of parsers, and a target knows nothing of who drives it.
 *
 * Here are also the checks that all parsers of bytes share: what lies around the input must not
 * matter, and nothing may be thrown but what is documented.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";

export interface FuzzTarget {
  readonly name: string;
  /** Inputs to begin with, whose parts are worth putting together anew. */
  readonly seeds: () => readonly Uint8Array[];
  /** Words that mean something to the parser. */
  readonly tokens: readonly string[];
  /** Throws for an input that is taken wrongly; that is a finding, whatever is thrown. */
  readonly run: (input: Uint8Array) => void | Promise<void>;
}

/** An error that a parser is documented to throw. */
export type ErrorType = abstract new (...args: never[]) => Error;

/** What a parser made of its input: a value, or the fault that it is documented to find. */
export type Outcome<T> = { readonly value: T } | { readonly fault: string };

/** Runs a step that may throw errors of these types and no others. */
export function outcomeOf<T>(step: () => T, ...types: readonly ErrorType[]): Outcome<T> {
  try {
    return { value: step() };
  } catch (error) {
    if (error instanceof Error && types.some((type) => error instanceof type)) {
      return { fault: `${error.name}: ${error.message}` };
    }
    throw error;
  }
}

/** The same of a promise. */
export async function settledOf<T>(
  step: () => Promise<T>,
  ...types: readonly ErrorType[]
): Promise<Outcome<T>> {
  try {
    return { value: await step() };
  } catch (error) {
    return outcomeOf((): T => {
      throw error;
    }, ...types);
  }
}

const MARGIN = 16;

/**
 * Runs a parser on the same bytes in two surroundings, which must not matter, and in memory that is
 * overwritten once it is done; what it gives has to own all that it is.
 */
export function inAnySurroundings<T>(
  input: Uint8Array,
  parse: (bytes: Uint8Array, start: number, end: number) => T,
): T {
  const [first, second] = [0x00, 0xff].map((filler) => {
    const bytes = new Uint8Array(input.length + 2 * MARGIN).fill(filler);
    bytes.set(input, MARGIN);
    const result = parse(bytes, MARGIN, MARGIN + input.length);
    bytes.fill(filler);
    return result;
  });
  assertEquals(first, second);
  return first!;
}

/**
 * Bytes that note how they are read one by one: how often, and whether from outside of a range.
 * What is called on them as a whole is not noted.
 */
export function watched(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly bytes: Uint8Array; readonly count: () => number } {
  let count = 0;
  const proxy = new Proxy(bytes, {
    get(target, key): unknown {
      if (typeof key === "string" && /^\d+$/.test(key)) {
        const at = Number(key);
        assert(at >= start && at < end, `Byte ${at} is read, outside of ${start} to ${end}`);
        count++;
        return target[at];
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { bytes: proxy, count: () => count };
}

/** Where to cut an input in two: everywhere if it is short, at so many places otherwise. */
export function* cutsOf(input: Uint8Array, countMax = 32): Generator<number> {
  const step = Math.max(1, Math.floor(input.length / countMax));
  for (let at = 1; at < input.length; at += step) yield at;
}

/** Text as bytes. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Bytes as text, whatever they are; what is no UTF-8 is replaced. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
