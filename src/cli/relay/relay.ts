/**
 * `relay`: from devices that speak MQTT over TCP or TLS to a broker that is reached over WebSocket,
 * one hop. The command from its words to its exit status; the relay itself is in relay_server.ts.
 *
 * @module
 */

import { Signals } from "../../app/signals.ts";
import { ExitStatus, StartError } from "../../app/start_error.ts";
import { NAME, VERSION } from "../../app/version.ts";
import { Logger } from "../../telemetry/log.ts";
import {
  ALL_LOG_TYPES,
  DEFAULT_LOG_SETTINGS,
  DEFAULT_LOG_TYPES,
  type LogType,
} from "../../telemetry/log_line.ts";
import type { CommandCall } from "../command.ts";
import { parseRelayFlags, type RelaySettings } from "./relay_flags.ts";
import { RelayServer } from "./relay_server.ts";

const LOG_TYPES: Readonly<Record<RelaySettings["verbosity"], readonly LogType[]>> = {
  normal: DEFAULT_LOG_TYPES,
  verbose: ALL_LOG_TYPES,
  quiet: [],
};

/** Runs the relay until a signal ends it; gives the exit status. */
export async function relay({ runtime, args, name }: CommandCall): Promise<number> {
  const flags = parseRelayFlags(args, name);
  if (flags.kind === "help") {
    runtime.print("stdout", flags.text);
    return ExitStatus.OK;
  }
  if (flags.kind === "fault") {
    runtime.print("stderr", `${flags.text}\nUse '${name} --help' to see usage.\n`);
    return ExitStatus.INVALID;
  }
  const { settings } = flags;
  const logger = new Logger(
    { print: (stream, text) => runtime.print(stream, text), wallClock: () => Date.now() },
    { ...DEFAULT_LOG_SETTINGS, types: LOG_TYPES[settings.verbosity] },
  );
  const log = (type: LogType, text: string): void => logger.log(type, text);
  // Even by a quiet program: it is the only thing that it will ever say.
  const complain = (text: string): void => {
    if (logger.wants("error")) log("error", text);
    else runtime.print("stderr", `${text}\n`);
  };
  const signals = new Signals(runtime);
  const [files, host] = await Promise.all([runtime.files(), runtime.host()]);
  const server = new RelayServer(settings, { runtime, files, host, log });
  const title = `${NAME} relay version ${VERSION}`;
  log("information", `${title} starting`);
  try {
    await server.start();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    error.lines.forEach(complain);
    return error.status;
  }
  const { origin, pathname } = new URL(settings.target.webSocket.url);
  log("information", `Relaying to ${origin}${pathname}.`);
  log("information", `${title} running`);
  await signals.serve({
    onReload: () => reload(server, log),
    onSave: () => {},
    onPrintTree: () => {},
  });
  await server.stop();
  log("information", `${title} terminating`);
  return ExitStatus.OK;
}

async function reload(
  server: RelayServer,
  log: (type: LogType, text: string) => void,
): Promise<void> {
  log("information", "Reloading certificates.");
  try {
    await server.reload();
    log("information", "The certificates have been reloaded.");
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    for (const line of error.lines) log("error", line);
  }
}
