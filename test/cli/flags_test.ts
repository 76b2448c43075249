// The broker's command line.

import { assertEquals } from "@std/assert";
import type { ProgramOptions } from "../../src/app/program.ts";
import { parseBrokerFlags } from "../../src/cli/flags.ts";
import config from "../../deno.json" with { type: "json" };
import { test } from "../harness.ts";

function words(line: string): string[] {
  return line.split(" ").filter((word) => word !== "");
}

const PLAIN = {
  kind: "run",
  ports: [],
  verbosity: "normal",
  configFiles: [],
  isDaemon: false,
  isConfigTest: false,
  secretsFile: undefined,
};

const RUNS: readonly (readonly [string, Readonly<Partial<ProgramOptions>>])[] = [
  ["", {}],
  ["-p 1884", { ports: [1884] }],
  ["--port 65535 -v", { ports: [65535], verbosity: "verbose" }],
  ["-p 1 -p 2 --verbose", { ports: [1, 2], verbosity: "verbose" }],
  ["-q", { verbosity: "quiet" }],
  ["-v --quiet -v", { verbosity: "quiet" }],
  ["-p 1 -p 2 -p 3 -p 4 -p 5 -p 6 -p 7 -p 8 -p 9 -p 10", {
    ports: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  }],
  ["-c a.conf", { configFiles: ["a.conf"] }],
  ["-c a.conf --config-file dir/b -v", { configFiles: ["a.conf", "dir/b"], verbosity: "verbose" }],
  ["-c 1883", { configFiles: ["1883"] }],
  ["-d", { isDaemon: true }],
  ["--daemon -c a", { isDaemon: true, configFiles: ["a"] }],
  ["--test-config -c a", { isConfigTest: true, configFiles: ["a"] }],
  ["--test-config", { isConfigTest: true }],
  ["--tls-keylog /tmp/keys", { secretsFile: "/tmp/keys" }],
];

for (const [line, wishes] of RUNS) {
  test(`parseBrokerFlags() understands "${line}"`, () => {
    assertEquals<unknown>(parseBrokerFlags(words(line)), { ...PLAIN, ...wishes });
  });
}

const FAULTS: readonly (readonly [string, string])[] = [
  ["--bogus", "Unknown option '--bogus'."],
  ["--port=1", "Unknown option '--port=1'."],
  ["-p1884", "Unknown option '-p1884'."],
  ["-x", "Unknown option '-x'."],
  ["-vq", "Unknown option '-vq'."],
  ["--no-verbose", "Unknown option '--no-verbose'."],
  ["mosquitto.conf", "Unknown option 'mosquitto.conf'."],
  ["-v -- -q", "Unknown option '--'."],
  ["1883", "Unknown option '1883'."],
  ["constructor", "Unknown option 'constructor'."],
  ["-p", "-p argument given, but no port specified."],
  ["-p -v", "-p argument given, but no port specified."],
  ["-c", "-c argument given, but no config file specified."],
  ["-c -v", "-c argument given, but no config file specified."],
  ["--tls-keylog", "--tls-keylog argument given, but no file specified."],
  ["-p 0", "Invalid port specified (0)."],
  ["-p 65536", "Invalid port specified (65536)."],
  ["-p 1883x", "Invalid port specified (1883x)."],
  ["-p 1e3", "Invalid port specified (1e3)."],
  [
    "-p 1 -p 2 -p 3 -p 4 -p 5 -p 6 -p 7 -p 8 -p 9 -p 10 -p 11",
    "Only 10 ports can be specified on the command line.",
  ],
];

for (const [line, what] of FAULTS) {
  test(`parseBrokerFlags() finds fault with "${line}", and tells the usage`, () => {
    const flags = parseBrokerFlags(words(line));
    if (flags.kind !== "fault") throw new Error(`No fault: ${JSON.stringify(flags)}`);
    assertEquals([flags.text, /^Usage: midge /m.test(flags.usage)], [`Error: ${what}\n`, true]);
  });
}

test("parseBrokerFlags() gives the version that the package has", () => {
  assertEquals(parseBrokerFlags(["--version"]), {
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
  assertEquals(lines.filter((line) => line.length > 92), []);
  const explained = lines.flatMap((line) => /^ {2,6}(-.*?) {2,}/.exec(line)?.[1] ?? []);
  assertEquals(explained, [
    "-c, --config-file <file>",
    "-d, --daemon",
    "-p, --port <port>",
    "-v, --verbose",
    "-q, --quiet",
    "--test-config",
    "--tls-keylog <file>",
    "-h, --help",
    "--version",
  ]);
});
