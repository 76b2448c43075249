/**
 * The command line of `ctrl`: options, then a module, a command and its words. Options come from
 * the table that all clients share; here it is different that words follow them, and that the file
 * of options is read last.
 *
 * @module
 */

import type { Host } from "../../runtime/host.ts";
import type { CommandCall } from "../command.ts";
import { buildSettings } from "../client/build_settings.ts";
import type { CtrlSettings } from "../client/client_settings.ts";
import { Draft } from "../client/draft.ts";
import { optionFilePath, readOptionFile } from "../client/option_file.ts";
import { findOptionFile, OptionNames, parseWords } from "../client/parse.ts";
import { identityOf } from "../client/tool.ts";
import { UsageError } from "../client/usage_error.ts";
import { commandWords, textOfBytes } from "../client/words.ts";

/** Reads options into the draft; gives the words behind them. */
export async function readCtrlLine(
  draft: Draft,
  { runtime, args }: CommandCall,
): Promise<readonly string[]> {
  const words = commandWords(runtime, args);
  const names = new OptionNames(draft.tool);
  const count = countOptions(words, names);
  const options = words.slice(0, count);
  parseWords(draft, options, names);
  if (draft.request !== undefined) return [];
  const { environment } = await runtime.host();
  const path = optionFilePath(draft.tool, findOptionFile(options, names), environment());
  if (path !== undefined) {
    for (const line of await readOptionFile(await runtime.files(), path)) {
      parseWords(draft, line, names);
    }
  }
  return words.slice(count);
}

/** How many words at the front are options and their arguments, or should be. */
function countOptions(words: readonly string[], names: OptionNames): number {
  let at = 0;
  while (at < words.length && words[at]!.startsWith("-")) {
    at += names.find(words[at]!)?.argument === undefined ? 1 : 2;
  }
  return Math.min(at, words.length);
}

/**
 * Settings of what was read, once a password has been asked for if one is missing; `undefined` when
 * it is not given. Throws a `UsageError`.
 */
export async function completeSettings(
  draft: Draft,
  host: Host,
  ask: (question: string) => Promise<string | undefined>,
): Promise<CtrlSettings | undefined> {
  const { username } = draft;
  if (username !== undefined && draft.password === undefined) {
    const password = await ask(`Password for ${username}: `);
    if (password === undefined) return undefined;
    if (password === "") throw new UsageError("Error: Empty password.", "none");
    draft.password = password;
  }
  // What is built is for the draft's tool.
  return buildSettings(draft, identityOf(host)) as CtrlSettings;
}

/** Asks at the terminal, which shows nothing of the answer. */
export async function askSecret(host: Host, question: string): Promise<string | undefined> {
  const prompt = await host.openSecretPrompt();
  try {
    const answer = await prompt.ask(question);
    return typeof answer === "string" ? undefined : textOfBytes(answer);
  } finally {
    prompt.close();
  }
}
