/**
 * What a command is, and which one a command line means: Midge is several programs in one, and
 * takes the place of Mosquitto's when it is called by their names. Running them is in main.ts.
 *
 * @module
 */

import { NAME } from "../app/version.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** Runs to its end; gives the exit status. */
export type Command = (call: CommandCall) => Promise<number>;

export interface CommandCall {
  readonly runtime: Runtime;
  readonly args: readonly string[];
  /** What the user calls it, for its help. */
  readonly name: string;
}

/** The commands, each by the name of Mosquitto's program. */
const COMMANDS = { mosquitto_passwd: "passwd", mosquitto_signal: "signal" } as const;

export type CommandName = (typeof COMMANDS)[keyof typeof COMMANDS];

/** What is to be run; without a command it is the broker. */
export interface Choice {
  readonly command: CommandName | undefined;
  readonly args: readonly string[];
  readonly name: string;
}

/** Chooses by the name that the program was called by, then by the first word. */
export function chooseCommand(programName: string, args: readonly string[]): Choice {
  const byProgram = mosquittoCommand(programName);
  if (byProgram !== undefined) return { command: byProgram, args, name: programName };
  const [word = "", ...rest] = args;
  const byName = mosquittoCommand(word);
  if (byName !== undefined) return { command: byName, args: rest, name: word };
  const command = Object.values(COMMANDS).find((each) => each === word);
  if (command === undefined) return { command, args, name: NAME };
  return { command, args: rest, name: `${NAME} ${word}` };
}

function mosquittoCommand(name: string): CommandName | undefined {
  const isOne = (text: string): text is keyof typeof COMMANDS => Object.hasOwn(COMMANDS, text);
  return isOne(name) ? COMMANDS[name] : undefined;
}
