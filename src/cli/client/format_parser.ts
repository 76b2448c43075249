/**
 * The text of `-F` as what it consists of: literal bytes, directives (`%`) and times (`@`). What a
 * directive prints is in message_format.ts.
 *
 * @module
 */

import { UsageError } from "./usage_error.ts";

/** The letters that may end a directive. */
export type DirectiveLetter =
  | "A"
  | "C"
  | "D"
  | "d"
  | "E"
  | "F"
  | "f"
  | "I"
  | "J"
  | "j"
  | "l"
  | "m"
  | "P"
  | "p"
  | "q"
  | "R"
  | "r"
  | "S"
  | "t"
  | "U"
  | "X"
  | "x";

/** How a directive lays out what it prints: `%[-][0][width][.precision][separator]`. */
export interface Layout {
  readonly isLeft: boolean;
  readonly isZero: boolean;
  /** 0 when there is none. */
  readonly width: number;
  readonly precision: number | undefined;
  /** The byte that parts digits of hex. */
  readonly separator: number;
}

export type FormatElement =
  | { readonly kind: "literal"; readonly bytes: Uint8Array }
  | { readonly kind: "directive"; readonly letter: DirectiveLetter; readonly layout: Layout }
  /** A conversion of `strftime`, without its percent sign. */
  | { readonly kind: "time"; readonly conversion: string }
  | { readonly kind: "nanoseconds" };

const LETTERS = "ACDdEFfIJjlmPpqRrStUXx";
const SEPARATORS = " !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~";
const SPACE = 0x20;
/** Of width and precision: no line needs more, and a slip must not fill the memory. */
const WIDTH_MAX = 1_000_000;

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\",
  "0": "\0",
  a: "\x07",
  e: "\x1b",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/**
 * Parses the text of `-F`.
 *
 * @throws {UsageError} for what is no format.
 */
export function parseFormat(text: string): FormatElement[] {
  const characters = [...text];
  const elements: FormatElement[] = [];
  let literal = "";
  const add = (element: FormatElement): void => {
    if (literal !== "") {
      elements.push({ kind: "literal", bytes: new TextEncoder().encode(literal) });
    }
    literal = "";
    elements.push(element);
  };
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    const next = characters[at + 1];
    if (character === "\\") {
      if (next === undefined) throw new UsageError("Error: Incomplete escape specifier.");
      if (!Object.hasOwn(ESCAPES, next)) {
        throw new UsageError(`Error: Invalid escape specifier '${next}'.`);
      }
      literal += ESCAPES[next];
      at++;
    } else if (character === "@") {
      if (next === undefined) throw incomplete();
      if (next === "@") literal += "@";
      else if (next === "N") add({ kind: "nanoseconds" });
      else add({ kind: "time", conversion: next });
      at++;
    } else if (character === "%") {
      const { layout, end } = parseLayout(characters, at + 1);
      const letter = characters[end];
      if (letter === undefined) throw incomplete();
      if (letter === "%") literal += "%";
      else if (isLetter(letter)) add({ kind: "directive", letter, layout });
      else throw invalid(letter);
      at = end;
    } else {
      literal += character;
    }
  }
  if (literal !== "") elements.push({ kind: "literal", bytes: new TextEncoder().encode(literal) });
  return elements;
}

/** What stands between the percent sign and the letter, which is at `end`. */
function parseLayout(
  characters: readonly string[],
  start: number,
): { readonly layout: Layout; readonly end: number } {
  let at = start;
  const isLeft = characters[at] === "-";
  if (isLeft) at++;
  const isZero = characters[at] === "0";
  if (isZero) at++;
  const width = parseNumber(characters, at);
  at = width.end;
  let precision: number | undefined;
  if (characters[at] === ".") {
    const digits = parseNumber(characters, at + 1);
    precision = digits.value;
    at = digits.end;
  }
  let separator = SPACE;
  const mark = characters[at];
  if (mark !== undefined && SEPARATORS.includes(mark)) {
    separator = mark.charCodeAt(0);
    at++;
  }
  return { layout: { isLeft, isZero, width: width.value, precision, separator }, end: at };
}

/** Digits, of which there may be none. */
function parseNumber(
  characters: readonly string[],
  start: number,
): { readonly value: number; readonly end: number } {
  let value = 0;
  let end = start;
  for (; /^\d$/.test(characters[end] ?? ""); end++) {
    value = value * 10 + Number(characters[end]);
    if (value > WIDTH_MAX) throw invalid(characters[end]!);
  }
  return { value, end };
}

function isLetter(character: string): character is DirectiveLetter {
  return LETTERS.includes(character);
}

function incomplete(): UsageError {
  return new UsageError("Error: Incomplete format specifier.");
}

function invalid(character: string): UsageError {
  return new UsageError(`Error: Invalid format specifier '${character}'.`);
}
