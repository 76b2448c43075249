/**
 * The completion script for fish, which shows beside each word what it means. One function walks
 * over the words, because what fish itself knows of options includes `--host=name`, which is not
 * how the tools are called.
 *
 * @module
 */

import type { CommandGrammar, Described, Expected } from "./grammar.ts";

/** The script; the first grammar is that of the program without a command. */
export function fishScript(program: string, grammars: readonly CommandGrammar[]): string {
  const [, ...commands] = grammars;
  const commandNames = commands.flatMap(({ names }) => names);
  const programs = [program, ...commandNames.filter((name) => name.includes("_"))];
  return `# Completion of ${program} for fish: ${program} completion fish | source

function __${program}_options -a command
    switch $command
${grammars.map(options).join("\n")}
    end
end

function __${program}_valued -a command
    switch $command
${grammars.map(valuedNames).join("\n")}
    end
end

# What may follow an option.
function __${program}_argument -a command option
    switch "$command $option"
${grammars.flatMap(argumentsOf).join("\n")}
    end
end

# What operand may be the next after so many; the last one goes on.
function __${program}_operand -a command count
    switch "$command $count"
${grammars.flatMap(operandsOf).join("\n")}
    end
end

function __${program}
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l command (path basename -- $words[1])
    set -e words[1]
    if test $command = ${program}; and set -q words[1]
        if contains -- $words[1] ${commandNames.join(" ")}
            set command $words[1]
            set -e words[1]
        end
    end
    set -l valued (__${program}_valued $command)
    set -l option
    set -l count 0
    # Commands stand first or not at all.
    test $command = ${program}; and set count (count $words)
    for word in $words
        if test -n "$option"
            set option
        else if contains -- $word $valued
            set option $word
        else if test $command != ${program}; and not string match -q -- '-*' $word
            set count (math $count + 1)
        end
    end
    if test -n "$option"
        __${program}_argument $command $option
    else if string match -q -- '-*' "$current"
        __${program}_options $command
    else
        __${program}_operand $command $count
    end
end

${programs.map((each) => `complete -c ${each} -f -a '(__${program})'`).join("\n")}
`;
}

function options({ names, options }: CommandGrammar): string {
  return `        case ${names.join(" ")}\n${listOf(options)}`;
}

function valuedNames({ names, arguments: valued }: CommandGrammar): string {
  const all = valued.flatMap((each) => each.names);
  const lines = all.length === 0 ? "" : `\n            printf '%s\\n' ${all.join(" ")}`;
  return `        case ${names.join(" ")}${lines}`;
}

function argumentsOf({ names, arguments: valued }: CommandGrammar): string[] {
  return valued.filter(({ expected }) => expected !== "anything").map((argument) => {
    const patterns = names.flatMap((name) => argument.names.map((each) => `'${name} ${each}'`));
    return `        case ${patterns.join(" ")}\n${wordsOf(argument.expected)}`;
  });
}

function operandsOf({ names, operands }: CommandGrammar): string[] {
  return operands.map((expected, index) => {
    const isLast = index === operands.length - 1;
    // Whatever was not said before it.
    const patterns = names.map((name) => `'${name} ${isLast ? "*" : index}'`);
    return `        case ${patterns.join(" ")}\n${wordsOf(expected)}`;
  });
}

const INDENT = "            ";

function wordsOf(expected: Expected): string {
  if (expected === "files") return `${INDENT}__fish_complete_path (commandline -ct)`;
  if (expected === "folders") return `${INDENT}__fish_complete_directories (commandline -ct)`;
  return expected === "anything" ? `${INDENT}true` : listOf(expected);
}

/** Words with what they mean, a tab between them, as fish reads them. */
function listOf(words: readonly Described[]): string {
  if (words.length === 0) return `${INDENT}true`;
  const rows = words.flatMap(({ name, text }) => [quote(name), quote(text)]);
  return `${INDENT}printf '%s\\t%s\\n' ${rows.join(" ")}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
