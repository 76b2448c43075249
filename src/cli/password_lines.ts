/**
 * Changes to a password file's bytes: one user set or deleted, or all passwords hashed. Where the
 * bytes come from and go to is in passwd.ts.
 *
 * The idea: every line that is not meant stays as it is, to the byte.
 *
 * @module
 */

import { parsePasswordLine, type PasswordLine } from "../auth/password_file.ts";

/** A line with its end, and what it says. */
export interface FileLine extends PasswordLine {
  readonly bytes: Uint8Array;
  /** `undefined` is for what nobody may log in with. */
  readonly hash: string;
}

/** Every line has a user and something behind the colon, or the file is not to be touched. */
export class CorruptLineError extends SyntaxError {
  readonly line: number;

  constructor(line: number) {
    super(`Corrupt password file at line ${line}`);
    this.line = line;
  }
}

const LINE_FEED = 0x0a;

/**
 * Takes a file apart.
 *
 * @throws {CorruptLineError}
 */
export function splitPasswordFile(bytes: Uint8Array): FileLine[] {
  const decoder = new TextDecoder();
  const lines: FileLine[] = [];
  for (let start = 0; start < bytes.length;) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed < 0 ? bytes.length : feed + 1;
    const line = bytes.subarray(start, end);
    const entry = parsePasswordLine(decoder.decode(line));
    if (entry === undefined || entry.username === "" || entry.hash === undefined) {
      throw new CorruptLineError(lines.length + 1);
    }
    lines.push({ bytes: line, username: entry.username, hash: entry.hash });
    start = end;
  }
  return lines;
}

/** The file in which a user has this line; a new user comes last. */
export function withUser(lines: readonly FileLine[], username: string, line: string): Uint8Array {
  const own = new TextEncoder().encode(`${line}\n`);
  if (lines.some((each) => each.username === username)) {
    return concatenate(lines.map((each) => each.username === username ? own : each.bytes));
  }
  const parts = lines.map(({ bytes }) => bytes);
  const last = parts.at(-1);
  // A last line without an end would take the new one in.
  if (last !== undefined && last.at(-1) !== LINE_FEED) parts.push(Uint8Array.of(LINE_FEED));
  return concatenate([...parts, own]);
}

/** The file without a user; `undefined` when there is none. */
export function withoutUser(lines: readonly FileLine[], username: string): Uint8Array | undefined {
  const left = lines.filter((line) => line.username !== username);
  if (left.length === lines.length) return undefined;
  return concatenate(left.map(({ bytes }) => bytes));
}

/** The lines put together again. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
