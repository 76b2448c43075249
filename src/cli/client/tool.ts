/**
 * What pub, sub and rr have in common around their work: from the words of the command line to
 * settings, or to help or a complaint in their place.
 *
 * @module
 */

import { NAME, VERSION } from "../../app/version.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { CommandCall } from "../command.ts";
import { buildSettings, type Identity } from "./build_settings.ts";
import type { ClientSettings, ToolName } from "./client_settings.ts";
import { Draft } from "./draft.ts";
import { optionFilePath, readOptionFile } from "./option_file.ts";
import { findOptionFile, OptionNames, parseWords } from "./parse.ts";
import { UsageError } from "./usage_error.ts";
import { commandWords } from "./words.ts";

/** As Mosquitto's tools, also for help and version. */
const STATUS_USAGE = 1;

const LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** The settings of one tool. */
export type SettingsOf<Tool extends ToolName> = Extract<ClientSettings, { readonly tool: Tool }>;

/** Reads the command line and runs the tool with it; gives the exit status. */
export async function runTool<Tool extends ToolName>(
  tool: Tool,
  call: CommandCall,
  run: (settings: SettingsOf<Tool>, call: CommandCall) => Promise<number>,
): Promise<number> {
  const { runtime, name } = call;
  const draft = new Draft(tool);
  let settings: ClientSettings | undefined;
  try {
    settings = await readSettings(draft, call);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await complain(error, { draft, call });
    return STATUS_USAGE;
  }
  // It is the draft's tool that was built.
  if (settings !== undefined) return await run(settings as SettingsOf<Tool>, call);
  runtime.print(
    "stdout",
    draft.request === "version"
      ? `${name} version ${VERSION} running on ${NAME} ${VERSION}.\n`
      : await helpOf(tool, name),
  );
  return STATUS_USAGE;
}

async function readSettings(
  draft: Draft,
  { runtime, args }: CommandCall,
): Promise<ClientSettings | undefined> {
  const words = commandWords(runtime, args);
  const names = new OptionNames(draft.tool);
  const given = findOptionFile(words, names);
  const path = optionFilePath(draft.tool, given, runtime.environment());
  if (path !== undefined && await runtime.hasFile(path)) {
    for (const line of await readOptionFile(await runtime.files(), path)) {
      parseWords(draft, line, names);
    }
  }
  parseWords(draft, words, names);
  if (draft.request !== undefined) return undefined;
  return buildSettings(draft, identityOf(runtime));
}

/** What the client identifiers of this process are made of. */
export function identityOf({ processId }: Pick<Runtime, "processId">): Identity {
  return { processId, randomWord };
}

/** Tells what is wrong with a command line, and where help is to be had. */
export async function complain(
  { message, hint }: UsageError,
  { draft, call: { runtime, name } }: { readonly draft: Draft; readonly call: CommandCall },
): Promise<void> {
  // What is wrong with the command line is told even to those who want no errors.
  if (hint === "none" && draft.isQuiet) return;
  const where = hint === "help" ? `\nUse '${name} --help' to see usage.\n` : "";
  runtime.print("stderr", `${message}\n${where}`);
  if (hint === "usage") runtime.print("stdout", await helpOf(draft.tool, name));
}

async function helpOf(tool: ToolName, name: string): Promise<string> {
  const { formatManual } = await import("../manual.ts");
  const { clientManual } = await import("./client_manual.ts");
  return formatManual(clientManual(tool, name));
}

function randomWord(length: number): string {
  // As many of each letter as a byte has room for, and what is left over does not count.
  const bound = 256 - 256 % LETTERS_AND_DIGITS.length;
  let word = "";
  while (word.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length - word.length))) {
      if (byte < bound) word += LETTERS_AND_DIGITS[byte % LETTERS_AND_DIGITS.length];
    }
  }
  return word;
}
