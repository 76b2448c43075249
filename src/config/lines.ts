/**
 * A configuration file as lines: the name of an option and what stands after it. What a name means
 * and what a value may be is decided elsewhere.
 *
 * @module
 */

import type { Place } from "./config_error.ts";

/** One option as it was written. */
export interface Line {
  readonly name: string;
  /** Without blanks at its ends. */
  readonly text: string;
  readonly isWellFormed: boolean;
  /** The text must not be shown. */
  readonly isSecret: boolean;
  readonly place: Place;
}

const LINE_FEED = 0x0a;
const HASH = 0x23;

/** Reads the lines of a file that hold an option. */
export function readLines(bytes: Uint8Array, place: (line: number) => Place): Line[] {
  const lines: Line[] = [];
  // A byte order mark is no part of the first name.
  let start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  for (let number = 1; start < bytes.length; number++) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed < 0 ? bytes.length : feed;
    // Only the very first byte of a line makes it a comment.
    if (bytes[start] !== HASH) {
      const line = readLine(bytes.subarray(start, end), place(number));
      if (line !== undefined) lines.push(line);
    }
    start = end + 1;
  }
  return lines;
}

function readLine(bytes: Uint8Array, place: Place): Line | undefined {
  const decoded = decode(bytes);
  const { name, text } = splitLine(decoded.text);
  if (name === "") return undefined;
  return { name, text, isWellFormed: decoded.isWellFormed, isSecret: false, place };
}

/** Takes the name from what follows it: only spaces are between them. */
function splitLine(line: string): { readonly name: string; readonly text: string } {
  const trimmed = line.replace(/^ +/, "").trimEnd();
  const space = trimmed.indexOf(" ");
  if (space < 0) return { name: trimmed, text: "" };
  return { name: trimmed.slice(0, space), text: trimmed.slice(space).trim() };
}

/** Decodes what may not be UTF-8: in a comment or an unknown name that is no fault of its own. */
export function decode(
  bytes: Uint8Array,
): { readonly text: string; readonly isWellFormed: boolean } {
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return { text: decoder.decode(bytes), isWellFormed: true };
  } catch {
    return { text: new TextDecoder().decode(bytes), isWellFormed: false };
  }
}
