/**
 * The error for what an operator wrote: where it is, and the very lines to print for it. Errors are
 * collected and handed back, one for each fault of a configuration, so that all of them can be
 * mended at once.
 *
 * @module
 */

import type { SourcePosition } from "./config.ts";

/** A line, and the line of the main file that led to it when it is in another file. */
export interface Place {
  readonly at: SourcePosition;
  readonly includedAt: SourcePosition | undefined;
}

/** One fault of a configuration. */
export class ConfigError extends SyntaxError {
  override readonly name = "ConfigError";
  readonly file: string;
  /** Counted from 1; 0 for a file that could not be read and for an environment variable. */
  readonly line: number;
  /** What is to be printed for it, in order: the fault, then where it was found. */
  readonly lines: readonly string[];

  constructor(what: string, at: SourcePosition, locations: readonly string[]) {
    super(`Error: ${what}`);
    this.file = at.file;
    this.line = at.line;
    this.lines = [this.message, ...locations];
  }
}

/** The error for what stands in a line. */
export function lineError(what: string, { at, includedAt }: Place): ConfigError {
  const locations = includedAt === undefined
    ? [`Error found at ${formatPosition(at)}.`]
    : [`Error found at '${formatPosition(at)}'.`, `Error found at ${formatPosition(includedAt)}.`];
  return new ConfigError(what, at, locations);
}

/** The error for a file that cannot be read as a whole. */
export function fileError(what: string, file: string, includedAt?: SourcePosition): ConfigError {
  const locations = includedAt === undefined
    ? []
    : [`Error found at ${formatPosition(includedAt)}.`];
  return new ConfigError(what, { file, line: 0 }, locations);
}

/** `<file>:<line>`, or the file alone where there are no lines. */
function formatPosition(at: SourcePosition): string {
  return at.line === 0 ? at.file : `${at.file}:${at.line}`;
}
