/**
 * The kinds of values that options have: truth values, numbers, texts and words, each with its
 * limits and the message for what is outside of them. Values with a grammar of their own are in
 * bridge_values.ts and beside the options that have them.
 *
 * @module
 */

import { encodedLength, encodeUtf8, isUtf8 } from "../core/base/utf8.ts";
import type { Input, Reading, ValueKind } from "./option.ts";

const INTEGER_MIN = -0x80000000;
const INTEGER_MAX = 0x7fffffff;
const TEXT_BYTES_MAX = 65_535;

/** `true` or `false`; nothing else is guessed at. */
export const truth: ValueKind = {
  syntax: "`true` or `false`",
  read(input: Input): Reading {
    const [word] = words(input.text);
    switch (word) {
      case undefined:
        return empty(input);
      case "true":
      case "1":
        return { value: true };
      case "false":
      case "0":
        return { value: false };
      default:
        return invalid(input, word);
    }
  },
};

/** The limits of a number. */
export interface IntegerLimits {
  readonly syntax?: string;
  readonly min?: number;
  readonly max?: number;
  /** What is wrong with a number outside of the limits; the usual words without it. */
  fault?(shown: string): string;
  /** What the configuration holds for a number within the limits. */
  value?(number: number): unknown;
}

/** A number of 32 bits with a sign. What stands after it is ignored. */
export function integer(limits: IntegerLimits = {}): ValueKind {
  const { min = INTEGER_MIN, max = INTEGER_MAX, value = (number: number) => number } = limits;
  return {
    syntax: limits.syntax ??
      (max < INTEGER_MAX ? `${min} to ${max}` : min > INTEGER_MIN ? `${min} or more` : "a number"),
    read(input) {
      const [word] = words(input.text);
      if (word === undefined) return empty(input);
      const number = parseInteger(word);
      if (number === undefined) return { fault: `'${input.name}' value not a number.` };
      if (number < INTEGER_MIN || number > INTEGER_MAX) {
        return { fault: `'${input.name}' value out of range.` };
      }
      if (number >= min && number <= max) return { value: value(number) };
      const shown = input.show(word);
      return limits.fault === undefined ? invalid(input, word) : { fault: limits.fault(shown) };
    },
  };
}

/** A number below which the value is 0: off, or no limit. */
export const countOrZero: ValueKind = integer({ value: (number) => Math.max(0, number) });

/** A number; 0 and less is no limit. */
export const countOrInfinity: ValueKind = integer({
  value: (number) => number > 0 ? number : Infinity,
});

/** A text: the rest of the line. */
export function text(
  { syntax, bytesMax, tooLong, check }: {
    readonly syntax: string;
    readonly bytesMax?: number;
    readonly tooLong?: string;
    /** What is wrong with a text that is otherwise one. */
    readonly check?: (text: string, show: Input["show"]) => string | undefined;
  },
): ValueKind {
  return {
    syntax,
    read(input) {
      if (input.text === "") return empty(input);
      const fault = textFault(input, input.text);
      if (fault !== undefined) return { fault };
      if (bytesMax !== undefined && encodedLength(input.text) > bytesMax) {
        return { fault: tooLong ?? `'${input.name}' value too long.` };
      }
      const found = check?.(input.text, input.show);
      return found === undefined ? { value: input.text } : { fault: found };
    },
  };
}

/** One of several words. */
export function choice(
  choices: readonly string[],
  fault?: (shown: string) => string,
): ValueKind {
  return {
    syntax: choices.map((word) => `\`${word}\``).join(", "),
    read(input) {
      const [word] = words(input.text);
      if (word === undefined) return empty(input);
      if (choices.includes(word)) return { value: word };
      return fault === undefined ? invalid(input, word) : { fault: fault(input.show(word)) };
    },
  };
}

/** Anything at all, and it does not matter. */
export const anything: ValueKind = {
  syntax: "anything",
  read: () => ({ isIgnored: true, notes: [] }),
};

/** Something that cannot be had here, and whose absence must not go unnoticed. */
export function refused(syntax: string, fault: string): ValueKind {
  return { syntax, read: () => ({ fault }) };
}

/** What is wrong with a text that stands in a line: the same for every option that has one. */
export function textFault(input: Input, value: string): string | undefined {
  const bytes = encodeUtf8(value);
  if (bytes === null || !input.isWellFormed || !isUtf8(bytes, 0, bytes.length)) {
    return "Malformed UTF-8 in configuration.";
  }
  return bytes.length > TEXT_BYTES_MAX ? `'${input.name}' value too long.` : undefined;
}

/** The words of a value; only spaces are between words. */
export function words(value: string): string[] {
  return value.split(" ").filter((word) => word !== "");
}

/** A number in decimal, hexadecimal or octal; `undefined` when it is none. */
export function parseInteger(word: string): number | undefined {
  const match = /^([+-]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]*)|([1-9][0-9]*))$/.exec(word);
  if (match === null) return undefined;
  const [, sign, hexadecimal, octal, decimal] = match;
  const size = hexadecimal !== undefined
    ? parseInt(hexadecimal, 16)
    : decimal !== undefined
    ? Number(decimal)
    : parseInt(`0${octal}`, 8);
  // Without the sum, -0 would be another zero.
  return sign === "-" ? 0 - size : size;
}

export function empty({ name }: Input): Reading {
  return { fault: `Empty '${name}' value in configuration.` };
}

export function invalid({ name, show }: Input, word: string): Reading {
  return { fault: `Invalid '${name}' value (${show(word)}).` };
}
