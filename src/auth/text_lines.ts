/**
 * The lines of the files that say who may do what, and what reading such a file finds. The three
 * formats are in `password_file.ts`, `psk_file.ts` and `acl_file.ts`.
 *
 * The idea: a file is read to its end and every fault is told; one error makes all of it void.
 *
 * @module
 */

/** Something the operator is told about a file. */
export interface FileProblem {
  readonly severity: "error" | "warning" | "notice";
  readonly message: string;
  /** Counted from 1; absent when the file as a whole is meant. */
  readonly line?: number;
}

/** What a file means; `undefined` when there is an error among the problems. */
export interface Parsed<T> {
  readonly value: T | undefined;
  readonly problems: readonly FileProblem[];
}

/** The value, unless a problem is an error. */
export function parsed<T>(value: T, problems: readonly FileProblem[]): Parsed<T> {
  const isBad = problems.some(({ severity }) => severity === "error");
  return { value: isBad ? undefined : value, problems };
}

/** Lines that are not comments, with their numbers. Only a first character makes a comment. */
export function* significantLines(text: string): Generator<readonly [text: string, line: number]> {
  let start = 0;
  for (let line = 1; start <= text.length; line++) {
    let end = text.indexOf("\n", start);
    if (end < 0) end = text.length;
    if (text[start] !== "#") yield [text.slice(start, end), line];
    start = end + 1;
  }
}

/**
 * A line as it may be shown. Behind a colon there is a secret in some of these files, and the one
 * that was named in a configuration may be another than was meant.
 */
export function concealed(line: string): string {
  const colon = line.indexOf(":");
  return colon < 0 ? line : `${line.slice(0, colon + 1)}...`;
}

/** Removes the blanks of the C language at both ends, and no others. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}
