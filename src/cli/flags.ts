/**
 * The broker's command line: words in, wishes out. What becomes of them is in broker.ts.
 *
 * The idea: nothing is guessed. Options and their arguments are words of their own, as they are for
 * Mosquitto, and a word that is not understood is a fault, told in one line.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import type { ProgramOptions } from "../app/program.ts";
import { NAME, VERSION } from "../app/version.ts";
import { COMMANDS } from "./command.ts";
import { formatManual, type Manual, type ManualEntry } from "./manual.ts";

/** What the command line asks for. */
export type BrokerFlags =
  | { readonly kind: "run" } & ProgramOptions
  | { readonly kind: "print"; readonly text: string }
  | { readonly kind: "fault"; readonly text: string; readonly usage: string };

const PORTS_MAX = 10;
const PORT_MAX = 65535;

interface BrokerOption extends ManualEntry {
  /** What is said to be missing when its argument is. */
  readonly missing?: string;
}

const OPTIONS: readonly BrokerOption[] = [
  {
    names: ["-c", "--config-file"],
    argument: "<file>",
    candidates: "files",
    text: "Read this configuration file, in the format of mosquitto.conf.",
    missing: "-c argument given, but no config file specified.",
  },
  { names: ["-d", "--daemon"], text: "Run in the background." },
  {
    names: ["-p", "--port"],
    argument: "<port>",
    text: `Listen on this port instead of 1883. May be given up to ${PORTS_MAX} times. Only ` +
      "programs on this machine can connect. Ignored when the configuration defines a listener.",
    missing: "-p argument given, but no port specified.",
  },
  { names: ["-v", "--verbose"], text: "Log everything, whatever the configuration says." },
  { names: ["-q", "--quiet"], text: "Log nothing; beats -v and the configuration." },
  { names: ["--test-config"], text: "Say whether the configuration is valid, and exit." },
  {
    names: ["--tls-keylog"],
    argument: "<file>",
    candidates: "files",
    text: "Append the secrets of TLS connections to this file, so that recorded traffic can be " +
      "read. For debugging only.",
    missing: "--tls-keylog argument given, but no file specified.",
  },
  { names: ["-h", "--help"], text: "Print this and exit." },
  { names: ["--version"], text: "Print the version and exit." },
];

/** Parses the words after the program's name. */
export function parseBrokerFlags(args: readonly string[]): BrokerFlags {
  const misshapen = findMisshapen(args);
  if (misshapen !== undefined) return fault(misshapen);
  const parsed: Parsed = parseArgs([...args], {
    boolean: ["help", "version", "verbose", "quiet", "daemon", "test-config"],
    string: ["port", "config-file", "tls-keylog"],
    collect: ["port", "config-file"],
    alias: {
      help: "h",
      verbose: "v",
      quiet: "q",
      port: "p",
      daemon: "d",
      "config-file": "c",
    },
  });
  if (parsed.help) return { kind: "print", text: help() };
  if (parsed.version) return { kind: "print", text: `${NAME} ${VERSION}\n${LICENCE}\n` };
  if (parsed.port.length > PORTS_MAX) {
    return fault(`Only ${PORTS_MAX} ports can be specified on the command line.`);
  }
  const ports: number[] = [];
  for (const word of parsed.port) {
    const port = /^\d+$/.test(word) ? Number(word) : 0;
    if (port < 1 || port > PORT_MAX) return fault(`Invalid port specified (${word}).`);
    ports.push(port);
  }
  return {
    kind: "run",
    ports,
    // Quiet beats verbose.
    verbosity: parsed.quiet ? "quiet" : parsed.verbose ? "verbose" : "normal",
    configFiles: parsed["config-file"],
    isDaemon: parsed.daemon,
    isConfigTest: parsed["test-config"],
    secretsFile: parsed["tls-keylog"],
  };
}

/** What is wrong with the first word that cannot stand where it stands. */
function findMisshapen(args: readonly string[]): string | undefined {
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    const option = OPTIONS.find(({ names }) => names.includes(word));
    if (option === undefined) return `Unknown option '${word}'.`;
    if (option.missing === undefined) continue;
    const argument = args[++i];
    // No file or port begins like this, and a forgotten one must not swallow the next option.
    if (argument === undefined || argument === "" || argument.startsWith("-")) {
      return option.missing;
    }
  }
  return undefined;
}

/** What `parseArgs` makes of the options above. */
interface Parsed {
  readonly help: boolean;
  readonly version: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
  readonly daemon: boolean;
  readonly "test-config": boolean;
  readonly port: readonly string[];
  readonly "config-file": readonly string[];
  readonly "tls-keylog": string | undefined;
}

function fault(what: string): BrokerFlags {
  return { kind: "fault", text: `Error: ${what}\n`, usage: help() };
}

function help(): string {
  return formatManual(brokerManual());
}

const LICENCE = "Licensed under the Apache License, version 2.0.";

/** The broker's help, and with it that of the program. */
export function brokerManual(): Manual {
  return {
    name: NAME,
    about: [
      `${NAME} version ${VERSION}`,
      `${NAME} is an MQTT broker for versions 3.1, 3.1.1 and 5.0 of the protocol, and its tools.`,
    ],
    usage: [
      "[-c config_file]... [-p port]... [-d] [-v | -q] [--test-config]\n[--tls-keylog file]",
      "<command> ...",
      "<command> --help",
    ],
    sections: [
      {
        title: "Commands",
        entries: Object.entries(COMMANDS).map(([name, { purpose }]) => ({
          names: [name],
          text: purpose,
        })),
      },
      { title: "Options of the broker, which is what runs without a command", entries: OPTIONS },
    ],
    notes: [
      `Without a configuration file ${NAME} serves only programs on this machine, and anybody ` +
      "among them. Every option of the file can also be given in the environment, as " +
      "MIDGE_<OPTION>, or in a file that MIDGE_<OPTION>_FILE names.",
      "Signals: SIGINT and SIGTERM stop the broker, SIGHUP reads the configuration again and " +
      "reopens the log, SIGUSR2 prints the subscriptions.",
      "Exit status: 0 when stopped, 1 when it cannot listen, 3 for a fault in the command line, " +
      "the configuration or a file that it names, 13 for a file that cannot be opened, 14 when " +
      "the system refuses something.",
    ],
    examples: [
      `${NAME} -p 1884 -v`,
      `${NAME} sub -p 1884 -t 'greetings/#' -v`,
      `${NAME} pub -p 1884 -t greetings/first -m 'Hello'`,
    ],
    operands: [Object.keys(COMMANDS), []],
  };
}
