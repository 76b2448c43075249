/**
 * The broker's command line: words in, wishes out. What becomes of them is in broker.ts.
 *
 * The idea: nothing is guessed. A word that is not understood is a fault, told in one line.
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
  | { readonly kind: "fault"; readonly text: string };

const PORTS_MAX = 10;
const PORT_MAX = 65535;

/** Parses the words after the program's name. */
export function parseBrokerFlags(args: readonly string[]): BrokerFlags {
  const unknown: string[] = [];
  const parsed: Parsed = parseArgs([...args], {
    boolean: ["help", "version", "verbose", "quiet"],
    string: ["port", "_"],
    collect: ["port"],
    alias: { help: "h", verbose: "v", quiet: "q", port: "p" },
    unknown(word: string): void {
      unknown.push(word);
    },
  });
  const stray = unknown[0] ?? parsed._[0];
  if (stray !== undefined) return fault(`Unknown option '${stray}'`);
  if (parsed.help) return { kind: "print", text: HELP };
  if (parsed.version) return { kind: "print", text: `${NAME} ${VERSION}\n${LICENCE}\n` };
  if (parsed.port.length > PORTS_MAX) {
    return fault(`Only ${PORTS_MAX} ports can be specified on the command line`);
  }
  const ports: number[] = [];
  for (const word of parsed.port) {
    if (word === "") return fault("-p argument given, but no port specified");
    const port = /^\d+$/.test(word) ? Number(word) : 0;
    if (port < 1 || port > PORT_MAX) return fault(`Invalid port specified (${word})`);
    ports.push(port);
  }
  // Quiet beats verbose.
  const verbosity = parsed.quiet ? "quiet" : parsed.verbose ? "verbose" : "normal";
  return { kind: "run", ports, verbosity };
}

/** What `parseArgs` makes of the options above. */
interface Parsed {
  readonly help: boolean;
  readonly version: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
  readonly port: readonly string[];
  readonly _: readonly (string | number)[];
}

function fault(what: string): BrokerFlags {
  return { kind: "fault", text: `Error: ${what}. See --help for what there is.` };
}

const LICENCE = "Licensed under the Apache License, version 2.0.";

const HELP = `${NAME} version ${VERSION}

${NAME} is an MQTT broker for versions 3.1, 3.1.1 and 5.0 of the protocol.

Usage: ${NAME} [-p port]... [-v | -q]

  -p, --port <port>  Listen on this port instead of 1883. May be given up to ${PORTS_MAX}
                     times. Only programs on this machine can connect.
  -v, --verbose      Log every packet.
  -q, --quiet        Log nothing.
  -h, --help         Print this and exit.
      --version      Print the version and exit.

The log goes to standard error. Ctrl-C, SIGINT or SIGTERM stop the broker: it
publishes its clients' Wills, closes their connections and exits with status 0.
A port in use or an option that is not listed here ends it with status 1.

Try it:
  ${NAME} -p 1884 -v
  mosquitto_sub -p 1884 -t 'greetings/#' -v
  mosquitto_pub -p 1884 -t greetings/first -m 'Hello'
`;
