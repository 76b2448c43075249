// Which of the programs a command line means, by the program's name and by its first word.

import { assertEquals } from "@std/assert";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { chooseCommand, COMMANDS } from "../../src/cli/command.ts";
import { parseBrokerFlags } from "../../src/cli/flags.ts";
import { nameOf, ownWords } from "../../src/runtime/node/own_words.ts";
import { test } from "../harness.ts";
import { midgeCommand } from "../runtime/programs.ts";
import { PROCESS_TEST } from "../support/midge_process.ts";
import { inFolder, runMidge, runProcess } from "../support/tool_process.ts";

test("chooseCommand() goes by the program's name, then by the first word, else it is the broker", () => {
  const rows: [programName: string, args: string[], choice: unknown[]][] = [
    ["midge", ["passwd", "-b", "f"], ["passwd", ["-b", "f"], "midge passwd"]],
    ["midge", ["signal", "-a"], ["signal", ["-a"], "midge signal"]],
    ["mod", ["mosquitto_passwd", "f"], ["passwd", ["f"], "mosquitto_passwd"]],
    ["mosquitto_passwd", ["signal", "u"], ["passwd", ["signal", "u"], "mosquitto_passwd"]],
    ["mosquitto_signal", [], ["signal", [], "mosquitto_signal"]],
    ["midge", [], [undefined, [], "midge"]],
    ["mosquitto", ["-c", "passwd"], [undefined, ["-c", "passwd"], "midge"]],
    ["passwd", ["-v"], [undefined, ["-v"], "midge"]],
    ["toString", ["toString"], [undefined, ["toString"], "midge"]],
    ["", ["", "passwd"], [undefined, ["", "passwd"], "midge"]],
  ];
  for (const [programName, args, [command, left, name]] of rows) {
    assertEquals(chooseCommand(programName, args), { command, args: left, name } as unknown);
  }
});

test("Every program of Mosquitto's is a command, by its own name and as the first word", () => {
  const names = ["pub", "sub", "rr", "passwd", "ctrl", "signal", "db-dump"];
  for (const command of names) {
    const program = `mosquitto_${command.replace("-", "_")}`;
    assertEquals([
      chooseCommand(program, ["-x", "pub"]),
      chooseCommand("midge", [program, "-x"]),
      chooseCommand("midge", [command, "-x"]),
    ] as unknown[], [
      { command, args: ["-x", "pub"], name: program },
      { command, args: ["-x"], name: program },
      { command, args: ["-x"], name: `midge ${command}` },
    ]);
  }
  assertEquals(Object.keys(COMMANDS).sort(), [...names, "relay", "completion"].sort());
});

test("ownWords() and nameOf() find what the program was called as", () => {
  const rows: [words: string[], argumentCount: number, name: string][] = [
    [["mosquitto_passwd", "-b", "f"], 2, "mosquitto_passwd"],
    [["/usr/bin/midge"], 0, "midge"],
    [["node", "--flag", "/opt/mosquitto_signal", "-a"], 1, "mosquitto_signal"],
    [["deno", "run", "-A", "mod.ts", "passwd"], 1, "mod"],
    [["bun", "./midge.js", ""], 1, "midge"],
    [["midge"], 3, "midge"],
  ];
  for (const [words, argumentCount, name] of rows) {
    const commandLine = words.map((word) => `${word}\0`).join("");
    assertEquals(nameOf(ownWords(commandLine, argumentCount)), name);
  }
  assertEquals(nameOf([]), "");
});

test("The program's help names its commands, and what each is for", () => {
  const help = parseBrokerFlags(["--help"]);
  const text = help.kind === "print" ? help.text : "";
  const [, list = ""] = /\nCommands:\n(.*?)\n\n/s.exec(text) ?? [];
  assertEquals(
    list.split("\n").map((line) => line.trim().split(/ {2,}/)),
    Object.entries(COMMANDS).map(([name, { purpose }]) => [name, purpose]),
  );
});

test(
  "The program is the command that its first word names, or a word that Mosquitto has for it",
  PROCESS_TEST,
  async () => {
    const [own, foreign, unknown] = await Promise.all([
      runMidge(["passwd", "-c"]),
      runMidge(["mosquitto_signal", "shutdown"]),
      runMidge(["bogus"]),
    ]);
    assertEquals([own, foreign], [{
      status: 1,
      stdout: "",
      stderr: "Error: -c argument given but password file or username missing.\n",
    }, { status: 1, stdout: "", stderr: "Error: One of -a or -p must be used.\n" }]);
    assertEquals([unknown.status, unknown.stderr], [3, "Error: Unknown option 'bogus'.\n"]);
  },
);

const bundle = process.env["MIDGE_TEST_BUNDLE"];

test("The program is the command whose name a link to it has", {
  ...PROCESS_TEST,
  skip: bundle === undefined ? "there is no bundle: run the tests with the task" : false,
}, async () => {
  await inFolder(async (folder) => {
    const entries = Object.values(COMMANDS);
    const programs = entries.flatMap((entry) => "program" in entry ? entry.program : []);
    const names = [...programs, "pub.js"];
    const said = await Promise.all(names.map(async (name) => {
      const link = join(folder, name === "pub.js" ? "mosquitto_pub.js" : name);
      await symlink(bundle!, link);
      const { command, args } = midgeCommand();
      // What runs the program, with the link in place of it. No command knows this option.
      const words = [...args.slice(0, -1), link, "--bogus", "x"];
      const { status, stdout, stderr } = await runProcess({ command, args: words });
      return [name, status, (stdout + stderr).split("\n")[0]];
    }));
    const unknown = "Error: Unknown option '--bogus'.";
    assertEquals(said, [
      ["mosquitto_pub", 1, unknown],
      ["mosquitto_sub", 1, unknown],
      ["mosquitto_rr", 1, unknown],
      [
        "mosquitto_passwd",
        1,
        "Error: Unable to open password file --bogus. No such file or directory.",
      ],
      ["mosquitto_ctrl", 1, unknown],
      ["mosquitto_signal", 1, "mosquitto_signal tells running brokers to do something."],
      [
        "mosquitto_db_dump",
        1,
        "Usage: db_dump [--stats | --client-stats | --json] <mosquitto db filename>",
      ],
      ["pub.js", 1, unknown],
    ]);
  });
});
