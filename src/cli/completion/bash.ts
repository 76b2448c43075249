/**
 * The completion script for bash, for any version that is still met (3.2 has neither maps nor
 * `mapfile`): the tables are `case` statements.
 *
 * @module
 */

import type { CommandGrammar, Described, Expected } from "./grammar.ts";

/** The script; the first grammar is that of the program without a command. */
export function bashScript(program: string, grammars: readonly CommandGrammar[]): string {
  const [, ...commands] = grammars;
  const commandNames = commands.flatMap(({ names }) => names);
  const programs = [program, ...commandNames.filter((name) => name.includes("_"))];
  return `# Completion of ${program} for bash: source <(${program} completion bash)

# Sets options and operands of $command, and in valued which options have an argument.
_${program}_words() {
  case $command in
${grammars.map(words).join("\n")}
  esac
}

# Sets in expected what may follow the option $option of $command.
_${program}_argument() {
  case "$command $option" in
${grammars.flatMap(argumentsOf).join("\n")}
  esac
}

_${program}() {
  local current=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[0]##*/} option= expected=
  local options= valued= operand=0 at=1
  local -a operands
  if [[ $command = ${program} ]] && (( COMP_CWORD > 1 )); then
    case \${COMP_WORDS[1]} in
      ${commandNames.join(" | ")}) command=\${COMP_WORDS[at++]} ;;
    esac
  fi
  _${program}_words
  for (( ; at < COMP_CWORD; at++ )); do
    option=
    case \${COMP_WORDS[at]} in
      -*) [[ " $valued " = *" \${COMP_WORDS[at]} "* ]] && option=\${COMP_WORDS[at++]} ;;
      *) (( operand++ )) ;;
    esac
  done
  # Commands stand first or not at all.
  [[ $command = ${program} ]] && operand=$(( COMP_CWORD - 1 ))
  # The walk has stepped over the cursor when an option before it wants an argument.
  if (( at > COMP_CWORD )); then
    _${program}_argument
  elif [[ $current = -* ]]; then
    expected=$options
  elif (( \${#operands[@]} > 0 )); then
    (( operand < \${#operands[@]} )) || operand=$(( \${#operands[@]} - 1 ))
    expected=\${operands[operand]}
  fi
  local IFS=$'\\n'
  case $expected in
    @files) COMPREPLY=( $(compgen -f -- "$current") ); compopt -o filenames 2>/dev/null ;;
    @folders) COMPREPLY=( $(compgen -d -- "$current") ); compopt -o filenames 2>/dev/null ;;
    *) COMPREPLY=( $(IFS=' '; compgen -W "$expected" -- "$current") ) ;;
  esac
}

complete -F _${program} ${programs.join(" ")}
`;
}

function words({ names, options, arguments: valued, operands }: CommandGrammar): string {
  const valuedNames = valued.flatMap((each) => each.names).join(" ");
  return `    ${names.join(" | ")})
      options='${listOf(options)}'
      valued='${valuedNames}'
      operands=(${operands.map((each) => `'${wordsOf(each)}'`).join(" ")}) ;;`;
}

function argumentsOf({ names, arguments: valued }: CommandGrammar): string[] {
  return valued.filter(({ expected }) => expected !== "anything").map((argument) => {
    const patterns = names.flatMap((name) => argument.names.map((each) => `'${name} ${each}'`));
    return `    ${patterns.join(" | ")}) expected='${wordsOf(argument.expected)}' ;;`;
  });
}

function wordsOf(expected: Expected): string {
  if (expected === "anything") return "";
  return typeof expected === "string" ? `@${expected}` : listOf(expected);
}

function listOf(words: readonly Described[]): string {
  return words.map(({ name }) => name).join(" ");
}
