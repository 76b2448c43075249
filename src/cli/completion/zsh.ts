/**
 * The completion script for zsh, which shows beside each word what it means. It can be a file
 * `_midge` in a folder of `fpath`, or be sourced.
 *
 * @module
 */

import type { CommandGrammar, Described, Expected } from "./grammar.ts";

/** The script; the first grammar is that of the program without a command. */
export function zshScript(program: string, grammars: readonly CommandGrammar[]): string {
  const [, ...commands] = grammars;
  const commandNames = commands.flatMap(({ names }) => names);
  const programs = [program, ...commandNames.filter((name) => name.includes("_"))];
  return `#compdef ${programs.join(" ")}
# Completion of ${program} for zsh: source <(${program} completion zsh)

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

# Sets in expected what operand number $1 may be.
_${program}_operand() {
  case "$command $1" in
${grammars.flatMap(operandsOf).join("\n")}
  esac
}

_${program}() {
  local command=\${words[1]:t} option
  local -i at=2 operand=1 operands=0
  local -a options valued expected
  if [[ $command = ${program} ]] && (( CURRENT > 2 )); then
    case $words[2] in
      ${commandNames.join(" | ")}) command=$words[2]; at=3 ;;
    esac
  fi
  _${program}_words
  for (( ; at < CURRENT; at++ )); do
    option=
    case $words[at] in
      -*) (( $valued[(Ie)$words[at]] )) && option=$words[at++] ;;
      *) (( operand++ )) ;;
    esac
  done
  # Commands stand first or not at all.
  [[ $command = ${program} ]] && operand=$(( CURRENT - 1 ))
  # The walk has stepped over the cursor when an option before it wants an argument.
  if (( at > CURRENT )); then
    _${program}_argument
  elif [[ $words[CURRENT] = -* ]]; then
    expected=($options)
  elif (( operands > 0 )); then
    _${program}_operand $(( operand < operands ? operand : operands ))
  fi
  case $expected[1] in
    '') _message 'no more is known' ;;
    @files) _files ;;
    @folders) _files -/ ;;
    *) _describe ${program} expected ;;
  esac
}

# By the first line when it is loaded as a file, by this when it is sourced.
if [[ $funcstack[1] = _${program} ]]; then
  _${program} "$@"
else
  compdef _${program} ${programs.join(" ")}
fi
`;
}

function words({ names, options, arguments: valued, operands }: CommandGrammar): string {
  return `    ${names.join(" | ")})
      options=(${listOf(options)})
      valued=(${valued.flatMap((each) => each.names).join(" ")})
      operands=${operands.length} ;;`;
}

function argumentsOf({ names, arguments: valued }: CommandGrammar): string[] {
  return valued.filter(({ expected }) => expected !== "anything").map((argument) => {
    const patterns = names.flatMap((name) => argument.names.map((each) => `'${name} ${each}'`));
    return `    ${patterns.join(" | ")}) expected=(${wordsOf(argument.expected)}) ;;`;
  });
}

function operandsOf({ names, operands }: CommandGrammar): string[] {
  return operands.map((expected, index) => {
    const patterns = names.map((name) => `'${name} ${index + 1}'`);
    return `    ${patterns.join(" | ")}) expected=(${wordsOf(expected)}) ;;`;
  });
}

function wordsOf(expected: Expected): string {
  if (expected === "anything") return "";
  return typeof expected === "string" ? `@${expected}` : listOf(expected);
}

/** Words with what they mean, as \`_describe\` reads them. */
function listOf(words: readonly Described[]): string {
  return words.map(({ name, text }) => {
    const escaped = name.replaceAll(":", "\\:");
    return quote(text === "" ? escaped : `${escaped}:${text}`);
  }).join(" ");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
