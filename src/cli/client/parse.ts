/**
 * Reads a command line of pub, sub, rr and ctrl into a draft by the table of options. Nothing is
 * guessed: an option and its argument are words of their own, and a word that is not understood is
 * an error.
 *
 * @module
 */

import type { ToolName } from "./client_settings.ts";
import type { Draft } from "./draft.ts";
import type { ClientOption } from "./option.ts";
import { optionsOf } from "./options/all.ts";
import { UsageError } from "./usage_error.ts";

const OPTION_FILE = "-o";

/** Finds the options of a tool by their names. */
export class OptionNames {
  readonly #byName: Map<string, ClientOption> = new Map();

  constructor(tool: ToolName) {
    for (const option of optionsOf(tool)) {
      for (const name of option.names) this.#byName.set(name, option);
    }
  }

  find(word: string): ClientOption | undefined {
    return this.#byName.get(word);
  }
}

/** Reads words into the draft, up to their end or a request for help or the version. */
export function parseWords(draft: Draft, words: readonly string[], names: OptionNames): void {
  for (let at = 0; at < words.length && draft.request === undefined;) {
    const word = words[at++]!;
    const option = names.find(word);
    if (option === undefined) throw new UsageError(`Error: Unknown option '${word}'.`);
    if ("applyWords" in option) at += option.applyWords(draft, words.slice(at));
    else if (option.argument === undefined) option.apply(draft);
    else {
      const value = words[at++];
      if (value === undefined) {
        const label = option.label ?? option.names[0];
        throw new UsageError(`Error: ${label} argument given but ${option.missing}.`);
      }
      option.apply(draft, value);
    }
  }
}

/** The option file that the words name, found before any of them has an effect. */
export function findOptionFile(
  words: readonly string[],
  names: OptionNames,
): string | undefined {
  let path: string | undefined;
  for (let at = 0; at < words.length; at++) {
    const option = names.find(words[at]!);
    // Whatever is wrong is told when the words are read.
    if (option === undefined || "applyWords" in option) continue;
    if (option.argument === undefined) continue;
    const value = words[++at];
    if (option.names[0] !== OPTION_FILE || value === undefined) continue;
    if (path !== undefined) throw new UsageError("Error: Duplicate -o argument given.");
    path = value;
  }
  return path;
}
