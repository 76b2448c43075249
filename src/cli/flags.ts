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

/** What the command line asks for. */
export type BrokerFlags =
  | { readonly kind: "run" } & ProgramOptions
  | { readonly kind: "print"; readonly text: string }
  | { readonly kind: "fault"; readonly text: string; readonly usage: string };

const PORTS_MAX = 10;
const PORT_MAX = 65535;

/** Options that take a word, with what is missing when there is none. */
const WITH_ARGUMENT: Readonly<Record<string, string>> = {
  "-c": "-c argument given, but no config file specified.",
  "--config-file": "-c argument given, but no config file specified.",
  "-p": "-p argument given, but no port specified.",
  "--port": "-p argument given, but no port specified.",
  "--tls-keylog": "--tls-keylog argument given, but no file specified.",
};

const WITHOUT_ARGUMENT: readonly string[] = [
  "-d",
  "--daemon",
  "-h",
  "--help",
  "-q",
  "--quiet",
  "-v",
  "--verbose",
  "--version",
  "--test-config",
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
  if (parsed.help) return { kind: "print", text: HELP };
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
    const missing = Object.hasOwn(WITH_ARGUMENT, word) ? WITH_ARGUMENT[word] : undefined;
    if (missing !== undefined) {
      const argument = args[++i];
      // No file or port begins like this, and a forgotten one must not swallow the next option.
      if (argument === undefined || argument === "" || argument.startsWith("-")) return missing;
    } else if (!WITHOUT_ARGUMENT.includes(word)) {
      return `Unknown option '${word}'.`;
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
  return { kind: "fault", text: `Error: ${what}\n`, usage: HELP };
}

const LICENCE = "Licensed under the Apache License, version 2.0.";

const HELP = `${NAME} version ${VERSION}

${NAME} is an MQTT broker for versions 3.1, 3.1.1 and 5.0 of the protocol.

Usage: ${NAME} [-c config_file]... [-p port]... [-d] [-v | -q] [--test-config]
             [--tls-keylog file]
       ${NAME} passwd --help   To keep password files.
       ${NAME} signal --help   To tell running brokers to do something.

  -c, --config-file <file>  Read this configuration file, in the format of mosquitto.conf.
  -d, --daemon              Run in the background.
  -p, --port <port>         Listen on this port instead of 1883. May be given up to ${PORTS_MAX}
                            times. Only programs on this machine can connect. Ignored
                            when the configuration defines a listener.
  -v, --verbose             Log everything, whatever the configuration says.
  -q, --quiet               Log nothing; beats -v and the configuration.
      --test-config         Say whether the configuration is valid, and exit.
      --tls-keylog <file>   Append the secrets of TLS connections to this file, so that
                            recorded traffic can be read. For debugging only.
  -h, --help                Print this and exit.
      --version             Print the version and exit.

Without a configuration file ${NAME} serves only programs on this machine, and anybody
among them. Every option of the file can also be given in the environment, as
MIDGE_<OPTION>, or in a file that MIDGE_<OPTION>_FILE names.

Signals: SIGINT and SIGTERM stop the broker, SIGHUP reads the configuration again and
reopens the log, SIGUSR2 prints the subscriptions.

Exit status: 0 when stopped, 1 when it cannot listen, 3 for a fault in the command line,
the configuration or a file that it names, 13 for a file that cannot be opened, 14 when
the system refuses something.

Try it:
  ${NAME} -p 1884 -v
  mosquitto_sub -p 1884 -t 'greetings/#' -v
  mosquitto_pub -p 1884 -t greetings/first -m 'Hello'
`;
