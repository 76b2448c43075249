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

/** A command in the list of commands. */
interface CommandEntry {
  readonly purpose: string;
  /** Mosquitto's program of which it takes the place. */
  readonly program?: string;
}

/** The commands, in the order in which people meet them. */
export const COMMANDS = {
  pub: { purpose: "Publish messages.", program: "mosquitto_pub" },
  sub: { purpose: "Subscribe and print what comes.", program: "mosquitto_sub" },
  rr: { purpose: "Publish a request and print the response.", program: "mosquitto_rr" },
  passwd: { purpose: "Keep password files.", program: "mosquitto_passwd" },
  ctrl: { purpose: "Show how a running broker is set up.", program: "mosquitto_ctrl" },
  signal: { purpose: "Tell running brokers to do something.", program: "mosquitto_signal" },
  "db-dump": {
    purpose: "Print what is in a database of Mosquitto.",
    program: "mosquitto_db_dump",
  },
  relay: { purpose: "Carry devices' connections to a broker over WebSocket." },
  completion: { purpose: "Print what a shell needs to complete command lines." },
} as const satisfies Readonly<Record<string, CommandEntry>>;

export type CommandName = keyof typeof COMMANDS;

/** What is to be run; without a command it is the broker. */
export interface Choice {
  readonly command: CommandName | undefined;
  readonly args: readonly string[];
  readonly name: string;
}

/** Chooses by the name that the program was called by, then by the first word. */
export function chooseCommand(programName: string, args: readonly string[]): Choice {
  const byProgram = commandOfProgram(programName);
  if (byProgram !== undefined) return { command: byProgram, args, name: programName };
  const [word = "", ...rest] = args;
  const byName = commandOfProgram(word);
  if (byName !== undefined) return { command: byName, args: rest, name: word };
  if (!isCommandName(word)) return { command: undefined, args, name: NAME };
  return { command: word, args: rest, name: `${NAME} ${word}` };
}

/** The program of Mosquitto's that a command takes the place of. */
export function programOf(command: CommandName): string | undefined {
  const entry: CommandEntry = COMMANDS[command];
  return entry.program;
}

function commandOfProgram(name: string): CommandName | undefined {
  return Object.keys(COMMANDS).filter(isCommandName).find((each) => programOf(each) === name);
}

function isCommandName(text: string): text is CommandName {
  return Object.hasOwn(COMMANDS, text);
}
