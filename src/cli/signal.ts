/**
 * `signal`: tells running brokers to do something, as `mosquitto_signal` does. What a broker makes
 * of a signal is in app/signals.ts.
 *
 * @module
 */

import { NAME } from "../app/version.ts";
import { OperationError } from "../core/base/operation_error.ts";
import type { Host, SentSignal } from "../runtime/host.ts";
import { chooseCommand, type CommandCall } from "./command.ts";
import { formatManual, type Manual } from "./manual.ts";

const SIGNALS: Readonly<Record<string, SentSignal>> = {
  "config-reload": "SIGHUP",
  // The same, because a broker that reads its configuration again opens its log again too.
  "log-rotate": "SIGHUP",
  "shutdown": "SIGINT",
  "tree-print": "SIGUSR2",
};

/** What only a build of Mosquitto for profiling understands; it ends any other program. */
const PROFILING = "xtreport";

const BROKER_NAMES: readonly string[] = ["mosquitto", NAME];
const RUNTIME_NAMES: readonly string[] = ["deno", "bun", "node"];
const SCRIPT_NAMES: readonly string[] = BROKER_NAMES.map((name) => `${name}.js`);

type SignalFlags =
  | { readonly kind: "send"; readonly processId: number | undefined; readonly signal: SentSignal }
  | { readonly kind: "help" }
  | { readonly kind: "fault"; readonly text: string };

/** Runs the command; gives its exit status. */
export async function signal({ runtime, args, name }: CommandCall): Promise<number> {
  const flags = parseSignalFlags(args);
  switch (flags.kind) {
    case "help":
      runtime.print("stdout", formatManual(signalManual(name)));
      return 1;
    case "fault":
      runtime.print("stderr", `Error: ${flags.text}\n`);
      return 1;
    case "send": {
      const host = await runtime.host();
      const targets = flags.processId === undefined ? await findBrokers(host) : [flags.processId];
      for (const target of targets) {
        const failure = send(host, target, flags.signal);
        if (failure === undefined) continue;
        runtime.print("stderr", `Unable to signal process ${target}: ${failure}\n`);
      }
      return 0;
    }
  }
}

function parseSignalFlags(args: readonly string[]): SignalFlags {
  let isForAll = false;
  let processId: number | undefined;
  let at = 0;
  for (; at < args.length; at++) {
    const option = args[at]!;
    if (option === "-a") isForAll = true;
    else if (option === "--help") return { kind: "help" };
    else if (option === "-p") {
      const value = args[++at];
      if (value === undefined) return fault("-p argument given but process ID missing.");
      processId = /^\d{1,9}$/.test(value) ? Number(value) : 0;
      if (processId < 1) return fault("Process ID must be >0.");
    } else break;
  }
  const [command, ...more] = args.slice(at);
  if (args.length === 0 || more.length > 0) return { kind: "help" };
  if (isForAll === (processId !== undefined)) {
    const both = "-a and -p cannot be used together.";
    return fault(isForAll ? both : "One of -a or -p must be used.");
  }
  if (command === undefined) return fault("No signal given.");
  if (command === PROFILING) return fault(`'${PROFILING}' is only for profiling Mosquitto.`);
  const signal = Object.hasOwn(SIGNALS, command) ? SIGNALS[command] : undefined;
  if (signal === undefined) return fault(`Unknown signal '${command}'.`);
  return { kind: "send", processId, signal };
}

function fault(text: string): SignalFlags {
  return { kind: "fault", text };
}

/** Sends a signal, or gives the reason why not. */
function send(host: Host, processId: number, signal: SentSignal): string | undefined {
  try {
    host.signalProcess(processId, signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return error.code === "not-found" ? "No such process" : "Operation not permitted";
  }
}

async function findBrokers(host: Host): Promise<number[]> {
  const processes = await host.processes();
  return [...processes].filter(([id, words]) => id !== host.processId && isBroker(words))
    .map(([id]) => id);
}

/** Whether words are the command line of a broker: Mosquitto's, ours, or ours as a script. */
function isBroker(words: readonly string[]): boolean {
  const program = baseName(words[0] ?? "");
  if (BROKER_NAMES.includes(program)) return !isCommand(words[1]);
  if (!RUNTIME_NAMES.includes(program)) return false;
  const script = words.findIndex((word, at) => at > 0 && SCRIPT_NAMES.includes(baseName(word)));
  return script > 0 && !isCommand(words[script + 1]);
}

function isCommand(word: string | undefined): boolean {
  return word !== undefined && chooseCommand(NAME, [word]).command !== undefined;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The help, by the name that the command was called by. */
export function signalManual(name: string): Manual {
  return {
    name,
    about: [`${name} tells running brokers to do something.`],
    usage: ["{-a | -p processid} command"],
    sections: [
      {
        entries: [
          {
            names: ["-a"],
            text: `Tell all brokers of this machine, whether they are called mosquitto or ${NAME}.`,
          },
          {
            names: ["-p"],
            argument: "<processid>",
            text: "Tell the broker with this process id.",
          },
          { names: ["--help"], text: "Print this and exit." },
        ],
      },
      {
        title: "Commands",
        entries: [
          {
            names: ["config-reload"],
            text: "Read the configuration and the files that it names again.",
          },
          { names: ["log-rotate"], text: "Open the log file again." },
          { names: ["shutdown"], text: "Stop." },
          { names: ["tree-print"], text: "Print all subscriptions to standard output." },
        ],
      },
    ],
    notes: [
      "Exit status: 1 when the command line makes no sense and for this help, otherwise 0, also " +
      "when a broker could not be told.",
    ],
    examples: [
      `${name} -a config-reload`,
      `${name} -p "$(cat /run/midge.pid)" shutdown`,
    ],
    operands: [Object.keys(SIGNALS), []],
  };
}
