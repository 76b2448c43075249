/**
 * The environment of the process, without the gaps that its type allows.
 *
 * @module
 */

import process from "node:process";

/** See `Runtime.environment`. */
export function environment(): Record<string, string> {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => {
    return entry[1] !== undefined;
  }));
}
