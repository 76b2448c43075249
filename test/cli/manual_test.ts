// Help made of data.

import { assertEquals } from "@std/assert";
import { formatManual } from "../../src/cli/manual.ts";
import { test } from "../harness.ts";

test("formatManual() lays out columns and folds what is too long, between words", () => {
  const long = "What is said of this goes on and on and on, until no line could hold it, and on.";
  const help = formatManual({
    name: "tool",
    about: ["tool does it.", `${long} ${long}`],
    usage: ["[-a | -b]\n[--long]", "-c", ""],
    sections: [
      {
        entries: [
          { names: ["-a", "--all"], text: "All." },
          { names: ["--long"], argument: "<file>", text: long, default: "none" },
          { names: ["-D"], argument: "<packet> <property> <value>", text: "Too wide." },
        ],
      },
      { title: "Words", entries: [{ names: ["go"], text: "Go\n(or not)." }] },
    ],
    notes: ["Exit status: 0."],
    examples: ["tool -a", "x | tool -b"],
  });
  assertEquals(help.split("\n"), [
    "tool does it.",
    "",
    "What is said of this goes on and on and on, until no line could hold it, and on. What is",
    "said of this goes on and on and on, until no line could hold it, and on.",
    "",
    "Usage: tool [-a | -b]",
    "            [--long]",
    "       tool -c",
    "       tool",
    "",
    "  -a, --all          All.",
    "      --long <file>  What is said of this goes on and on and on, until no line could hold",
    "                     it, and on. Default: none.",
    "  -D <packet> <property> <value>",
    "                     Too wide.",
    "",
    "Words:",
    "  go                 Go",
    "                     (or not).",
    "",
    "Exit status: 0.",
    "",
    "Try it:",
    "  tool -a",
    "  x | tool -b",
    "",
  ]);
});
