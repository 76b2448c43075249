// `completion`: what each shell offers by the script that is printed for it, in the shell itself.

import { assertEquals } from "@std/assert";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { COMMANDS } from "../../../src/cli/command.ts";
import { completion } from "../../../src/cli/completion/completion.ts";
import { test } from "../../harness.ts";
import { mosquittoTool } from "../../support/foreign.ts";
import { linesOf } from "../../support/foreign_process.ts";
import { PROCESS_TEST } from "../../support/midge_process.ts";
import { inFolder, type Outcome, runInside, runProcess } from "../../support/tool_process.ts";

/** Words up to the cursor, and what is offered in place of the last one; folders have no slash. */
const TABLE: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
  [["midge", ""], Object.keys(COMMANDS)],
  [["midge", "pass"], ["passwd"]],
  [["midge", "--t"], ["--test-config", "--tls-keylog"]],
  [["midge", "-c", "f"], ["file.conf", "folder"]],
  [["midge", "-c", "-"], []],
  [["midge", "-p", ""], []],
  [["midge", "-v", ""], []],
  [["./midge", "-c", "file.conf", "--da"], ["--daemon"]],
  [["midge", "passwd", ""], ["file.conf", "folder"]],
  [["midge", "passwd", "-"], ["-b", "-c", "-D", "-H", "-I", "-U", "--help"]],
  [["midge", "passwd", "-H", ""], ["argon2id", "sha512", "sha512-pbkdf2"]],
  [["midge", "passwd", "-H", "sha512-"], ["sha512-pbkdf2"]],
  [["midge", "passwd", "-I", ""], []],
  [["midge", "passwd", "-I", "10", "-H", "a"], ["argon2id"]],
  [["mosquitto_passwd", "-b", "fo"], ["folder"]],
  [["mosquitto_passwd", "-b", "file.conf", ""], []],
  [["midge", "mosquitto_passwd", "-H", "a"], ["argon2id"]],
  [["midge", "signal", "-a", "s"], ["shutdown"]],
  [["midge", "signal", "-p", "12", ""], [
    "config-reload",
    "log-rotate",
    "shutdown",
    "tree-print",
  ]],
  [["midge", "signal", "-a", "shutdown", ""], []],
  [["mosquitto_signal", "--"], ["--help"]],
  [["midge", "pub", "--tls-v"], ["--tls-version"]],
  [["midge", "pub", "--tls-version", ""], ["tlsv1.2", "tlsv1.3"]],
  [["midge", "pub", "--capath", ""], ["folder"]],
  [["midge", "pub", "-t", "-q", ""], []],
  [["midge", "rr", "-V", "mqttv3"], ["mqttv31", "mqttv311"]],
  [["mosquitto_sub", "-t", "a b", "-q", ""], ["0", "1", "2"]],
  [["mosquitto_sub", "--cafile", "file"], ["file.conf"]],
  [["mosquitto_sub", "--retain-h"], ["--retain-handling"]],
  [["mosquitto_pub", "--retain-h"], []],
  [["midge", "ctrl", ""], ["broker", "help"]],
  [["mosquitto_ctrl", "-h", "x", "broker", ""], ["help", "listListeners", "listPlugins"]],
  [["midge", "db-dump", "--s"], ["--stats"]],
  [["mosquitto_db_dump", "fi"], ["file.conf"]],
  [["midge", "completion", ""], ["bash", "fish", "zsh"]],
  [["midge", "completion", "zsh", ""], []],
];

interface Shell {
  readonly args: readonly string[];
  /** Stands before the script. */
  readonly before?: string;
  /** Prints what is offered for these words, between their line and the next one. */
  readonly ask: (words: readonly string[]) => string;
}

const SHELLS: Readonly<Record<string, Shell>> = {
  bash: {
    args: ["--norc"],
    // Which function completes what is taken from bash itself; of a path it knows the last part.
    ask: (words) => `
COMP_WORDS=(${words.map(quote).join(" ")}); COMP_CWORD=${words.length - 1}; COMPREPLY=()
[[ $(complete -p ${quote(words[0]!.replace("./", ""))}) =~ -F\\ ([^ ]+) ]]
\${BASH_REMATCH[1]}
(( \${#COMPREPLY[@]} == 0 )) || printf '%s\\n' "\${COMPREPLY[@]}"`,
  },
  zsh: {
    args: ["-f"],
    // What zsh's own functions do with words is between them and a terminal.
    before: `
compdef() {}
_message() {}
_describe() { local word; for word in \${(P)2}; do
  [[ $word = $words[CURRENT]* ]] && print -r -- \${word%%:*}; done }
_files() { local -a found=($words[CURRENT]*(N)); [[ $1 = -/ ]] && found=($words[CURRENT]*(/N))
  (( $#found == 0 )) || print -rl -- $found }`,
    ask: (words) => `words=(${words.map(quote).join(" ")}); CURRENT=${words.length}; _midge`,
  },
  fish: {
    args: ["--no-config"],
    ask: (words) =>
      `complete -C ${
        quote(words.map((word) => word.replace(" ", "\\ ")).join(" "))
      } | string replace -r '/?(\\t.*)?$' ''`,
  },
};

function quote(word: string): string {
  return `'${word}'`;
}

const MARK = "==";

for (const [shell, { args, before = "", ask }] of Object.entries(SHELLS)) {
  const path = mosquittoTool(shell);
  test(`completion makes ${shell} offer what makes sense in a place`, {
    ...PROCESS_TEST,
    skip: path === undefined ? `there is no ${shell} on this machine` : false,
  }, async () => {
    const { stdout: script } = await runInside(completion, [shell]);
    await inFolder(async (folder) => {
      await mkdir(join(folder, "here", "folder"), { recursive: true });
      await writeFile(join(folder, "here", "file.conf"), "");
      const questions = TABLE.map(([words]) => `echo '${MARK} ${words.join(" ")}'\n${ask(words)}`);
      await writeFile(
        join(folder, "script"),
        [before, script, `cd ${folder}/here`, ...questions, "exit 0"].join("\n"),
      );
      // Fish keeps files at home, even without a configuration.
      const command = { command: "env", args: [`HOME=${folder}`, path!, ...args] };
      const outcome = await runProcess({
        ...command,
        args: [...command.args, join(folder, "script")],
      });
      assertEquals({ status: outcome.status, stderr: outcome.stderr }, { status: 0, stderr: "" });
      assertEquals(
        offeredIn(outcome),
        TABLE.map(([words, offered]) => [words.join(" "), ...[...offered].sort()]),
      );
    });
  });
}

/** For each question its words, and in order what was offered. */
function offeredIn({ stdout }: Outcome): string[][] {
  const answers: string[][] = [];
  for (const line of linesOf(stdout)) {
    if (line.startsWith(MARK)) answers.push([line.slice(MARK.length + 1)]);
    else answers.at(-1)!.push(line);
  }
  return answers.map(([words, ...offered]) => [words!, ...offered.sort()]);
}

test("completion wants one shell that it knows", async () => {
  const known = "bash, zsh, fish";
  const rows: [args: string[], problem: string][] = [
    [[], `No shell given: ${known}.`],
    [["csh"], `Unknown shell 'csh': ${known}.`],
    [["toString"], `Unknown shell 'toString': ${known}.`],
    [["bash", "zsh"], "Only one shell can be given."],
  ];
  for (const [args, problem] of rows) {
    assertEquals(await runInside(completion, args), {
      status: 1,
      stdout: "",
      stderr: `Error: ${problem}\n`,
    });
  }
  const help = await runInside(completion, ["--help"]);
  assertEquals([help.status, help.stdout.split("\n").slice(0, 3), help.stderr], [0, [
    "tool prints a script with which a shell completes the command lines of midge.",
    "",
    "Usage: tool bash|zsh|fish",
  ], ""]);
});
