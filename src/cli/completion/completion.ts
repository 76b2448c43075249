/**
 * `completion`: prints the script with which a shell completes the program's command lines, made of
 * the manuals of all commands.
 *
 * @module
 */

import { NAME } from "../../app/version.ts";
import { type CommandCall, COMMANDS, programOf } from "../command.ts";
import { formatManual, type Manual } from "../manual.ts";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { type CommandGrammar, grammarOf } from "./grammar.ts";
import { brokerManual, MANUALS } from "./manuals.ts";
import { zshScript } from "./zsh.ts";

const SHELLS: Readonly<
  Record<string, (program: string, grammars: readonly CommandGrammar[]) => string>
> = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** Runs the command; gives its exit status. */
export function completion({ runtime, args, name }: CommandCall): Promise<number> {
  const [shell, ...more] = args;
  if (shell === "--help") {
    runtime.print("stdout", formatManual(completionManual(name)));
    return Promise.resolve(0);
  }
  const script = shell !== undefined && Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  if (script === undefined || more.length > 0) {
    const known = Object.keys(SHELLS).join(", ");
    const problem = script !== undefined
      ? `Only one shell can be given.`
      : shell === undefined
      ? `No shell given: ${known}.`
      : `Unknown shell '${shell}': ${known}.`;
    runtime.print("stderr", `Error: ${problem}\n`);
    return Promise.resolve(1);
  }
  runtime.print("stdout", script(NAME, grammars()));
  return Promise.resolve(0);
}

/** The grammar of the program and of each command. */
function grammars(): CommandGrammar[] {
  const names = Object.keys(COMMANDS) as (keyof typeof COMMANDS)[];
  const commands = names.map((name) => {
    const program = programOf(name);
    const manual = name === "completion" ? completionManual : MANUALS[name];
    return grammarOf(program === undefined ? [name] : [name, program], manual(name));
  });
  return [grammarOf([NAME], brokerManual()), ...commands];
}

function completionManual(name: string): Manual {
  return {
    name,
    about: [`${name} prints a script with which a shell completes the command lines of ${NAME}.`],
    usage: [Object.keys(SHELLS).join("|")],
    sections: [{ entries: [{ names: ["--help"], text: "Print this and exit." }] }],
    notes: ["Exit status: 0, or 1 for a shell that it does not know."],
    examples: [
      `source <(${name} bash)     # bash, zsh: in this shell; or in ~/.bashrc, ~/.zshrc`,
      `${name} bash > /etc/bash_completion.d/${NAME}`,
      `${name} zsh > /usr/local/share/zsh/site-functions/_${NAME}`,
      `${name} fish > ~/.config/fish/completions/${NAME}.fish`,
    ],
    operands: [Object.keys(SHELLS), []],
  };
}
