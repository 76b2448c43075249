/**
 * Manuals as the scripts of all shells need them: for each command by which names it is called,
 * which words may begin an option, which of those have an argument and what it may be, and what
 * stands behind them.
 *
 * The idea: a shell only walks over the words before the cursor. A word after an option with an
 * argument is that argument, whatever it looks like; any other word that does not begin with a
 * hyphen is the next operand. So a script is this table and that walk.
 *
 * @module
 */

import type { Candidates, Manual } from "../manual.ts";

export interface CommandGrammar {
  /** As a first word behind the program, or as a program. */
  readonly names: readonly string[];
  readonly options: readonly Described[];
  /** What may follow an option that has an argument, by each of the option's names. */
  readonly arguments: readonly Argument[];
  readonly operands: readonly Expected[];
}

export interface Argument {
  readonly names: readonly string[];
  readonly expected: Expected;
}

/** A word and what it means, if that is known. */
export interface Described {
  readonly name: string;
  readonly text: string;
}

/** What is expected in a place; `"anything"` is nothing that a shell could know. */
export type Expected = "files" | "folders" | "anything" | readonly Described[];

/** The grammar of the commands, by the names that each is called by. */
export function grammarOf(names: readonly string[], manual: Manual): CommandGrammar {
  const entries = manual.sections.flatMap((section) => section.entries);
  const texts = new Map(entries.flatMap(({ names, text }) => names.map((name) => [name, text])));
  const expectedOf = (candidates: Candidates): Expected => {
    if (candidates === undefined) return "anything";
    if (typeof candidates === "string") return candidates;
    return candidates.map((name) => ({ name, text: firstSentence(texts.get(name) ?? "") }));
  };
  return {
    names,
    options: entries.flatMap(({ names, text }) =>
      names.filter(isOption).map((name) => ({ name, text: firstSentence(text) }))
    ),
    arguments: entries.filter(({ argument }) => argument !== undefined)
      .map(({ names, candidates }) => ({ names, expected: expectedOf(candidates) })),
    operands: (manual.operands ?? []).map(expectedOf),
  };
}

function isOption(name: string): boolean {
  return name.startsWith("-");
}

/** What fits beside a word, without the full stop. */
function firstSentence(text: string): string {
  return /^.*?(?=\.?$|\. |[;:] |\n)/.exec(text)?.[0] ?? text;
}
