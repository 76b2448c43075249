// The broker's command line.

import { assertEquals } from "@std/assert";
import { parseBrokerFlags } from "../../src/cli/flags.ts";
import config from "../../deno.json" with { type: "json" };
import { test } from "../harness.ts";

function parse(line: string): unknown {
  return parseBrokerFlags(line.split(" ").filter((word) => word !== ""));
}

const RUNS: readonly (readonly [string, readonly number[], string])[] = [
  ["", [], "normal"],
  ["-p 1884", [1884], "normal"],
  ["--port 65535 -v", [65535], "verbose"],
  ["-p 1 -p 2 --verbose", [1, 2], "verbose"],
  ["-q", [], "quiet"],
  ["-v --quiet -v", [], "quiet"],
  ["-p 1 -p 2 -p 3 -p 4 -p 5 -p 6 -p 7 -p 8 -p 9 -p 10", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "normal"],
];

for (const [line, ports, verbosity] of RUNS) {
  test(`parseBrokerFlags() understands "${line}"`, () => {
    assertEquals(parse(line), { kind: "run", ports, verbosity });
  });
}

const FAULTS: readonly (readonly [string, string])[] = [
  ["--bogus", "Unknown option '--bogus'"],
  ["--bogus=1", "Unknown option '--bogus=1'"],
  ["-x", "Unknown option '-x'"],
  ["-vx", "Unknown option '-vx'"],
  ["--no-verbose", "Unknown option '--no-verbose'"],
  ["mosquitto.conf", "Unknown option 'mosquitto.conf'"],
  ["-v -- -q", "Unknown option '-q'"],
  ["1883", "Unknown option '1883'"],
  ["-p", "-p argument given, but no port specified"],
  ["-p -v", "-p argument given, but no port specified"],
  ["-p 0", "Invalid port specified (0)"],
  ["-p 65536", "Invalid port specified (65536)"],
  ["-p 1883x", "Invalid port specified (1883x)"],
  ["-p 1e3", "Invalid port specified (1e3)"],
  [
    "-p 1 -p 2 -p 3 -p 4 -p 5 -p 6 -p 7 -p 8 -p 9 -p 10 -p 11",
    "Only 10 ports can be specified on the command line",
  ],
];

for (const [line, what] of FAULTS) {
  test(`parseBrokerFlags() finds fault with "${line}"`, () => {
    assertEquals(parse(line), {
      kind: "fault",
      text: `Error: ${what}. See --help for what there is.`,
    });
  });
}

test("parseBrokerFlags() gives the version that the package has", () => {
  assertEquals(parse("--version"), {
    kind: "print",
    text: `midge ${config.version}\nLicensed under the Apache License, version 2.0.\n`,
  });
});

test("parseBrokerFlags() gives the same help for -h and --help, in lines that fit", () => {
  const flags = parseBrokerFlags(["-h"]);
  assertEquals(flags, parseBrokerFlags(["--help", "-p", "1"]));
  const text = flags.kind === "print" ? flags.text : "";
  const lines = text.split("\n");
  assertEquals(lines[0], `midge version ${config.version}`);
  assertEquals(lines.filter((line) => line.length > 80), []);
  const explained = lines.flatMap((line) => /^ {2,6}(-.*?) {2,}/.exec(line)?.[1] ?? []);
  assertEquals(explained, [
    "-p, --port <port>",
    "-v, --verbose",
    "-q, --quiet",
    "-h, --help",
    "--version",
  ]);
});
