/**
 * Where log lines go and which ones are written: lists that one line after the other adds to, and
 * that `none` empties.
 *
 * @module
 */

import type { LogDestination } from "./config.ts";
import type { Input, Reading, ValueKind } from "./option.ts";
import { empty, invalid, textFault, words } from "./values.ts";

const NONE = "none";

/** In the order in which a configuration lists them. */
const TYPES: readonly string[] = [
  "error",
  "warning",
  "notice",
  "information",
  "debug",
  "subscribe",
  "unsubscribe",
  "internal",
  "websockets",
];

/** What is logged unless told otherwise. */
export const USUAL_LOG_TYPES: readonly string[] = TYPES.slice(0, 4);

/** A type of lines. */
export const logType: ValueKind = {
  syntax: ["none", ...TYPES, "all"].map((type) => `\`${type}\``).join(", "),
  read(input) {
    const [type] = words(input.text);
    if (type === undefined) return empty(input);
    if (type === NONE || type === "all" || TYPES.includes(type)) return { value: type };
    return invalid(input, type);
  },
};

/** Adds a type, all of them, or takes all away. */
export function mergeLogTypes(before: readonly unknown[], type: unknown): Reading {
  if (type === NONE) return { value: [] };
  return { value: TYPES.filter((one) => type === "all" || one === type || before.includes(one)) };
}

/** A place for lines. */
export const logDestination: ValueKind = {
  syntax: "`none`, `stdout`, `stderr`, `syslog`, `topic`, `file <path>`",
  read(input) {
    const [kind] = words(input.text);
    switch (kind) {
      case undefined:
        return empty(input);
      case NONE:
      case "stdout":
      case "stderr":
      case "syslog":
      case "topic":
        return { value: kind === NONE ? NONE : { kind } satisfies LogDestination };
      case "file":
        return logFile(input);
      case "dlt":
      case "android":
        return {
          isIgnored: true,
          notes: [{
            type: "warning",
            text: `Warning: '${input.name} ${kind}' is not available and is ignored.`,
          }],
        };
      default:
        return invalid(input, kind);
    }
  },
};

function logFile(input: Input): Reading {
  const path = input.text.slice("file".length).trim();
  if (path === "") return { fault: 'Empty "log_dest file" value in configuration.' };
  const fault = textFault(input, path);
  if (fault !== undefined) return { fault };
  return { value: { kind: "file", path } satisfies LogDestination };
}

/** Adds a place, or takes all away. There is one file at most. */
export function mergeLogDestinations(before: readonly unknown[], added: unknown): Reading {
  if (added === NONE) return { value: [] };
  // Both casts hold: `logDestination` is the only one that makes these values.
  const kind = (added as LogDestination).kind;
  const isThere = before.some((one) => (one as LogDestination).kind === kind);
  if (isThere && kind === "file") return { fault: 'Duplicate "log_dest file" value.' };
  return { value: isThere ? before : [...before, added] };
}
