/**
 * The broker as a program, once it is known what is wanted: listens on this machine only, logs, and
 * ends on a signal. The words of the command line are read in `cli`.
 *
 * The idea: which broker it runs is handed in, so that a test can hand in another.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import type { BrokerEvent } from "../core/broker/event.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { Logger } from "../telemetry/log.ts";
import { ALL_LOG_TYPES, DEFAULT_LOG_SETTINGS, DEFAULT_LOG_TYPES } from "../telemetry/log_line.ts";
import { NAME, VERSION } from "./version.ts";

/** `quiet` says nothing but why it could not start; `verbose` logs every packet. */
export type Verbosity = "quiet" | "normal" | "verbose";

/** What the command line may decide. */
export interface ProgramOptions {
  /** Where to listen on the loopback addresses; 1883 if there are none. */
  readonly ports: readonly number[];
  readonly verbosity: Verbosity;
}

/** Makes the broker that the program runs. */
export type StartBroker = (options: {
  readonly onEvent: (event: BrokerEvent) => void;
  /** Whether the broker should make an event for every packet. */
  readonly tracesPackets: boolean;
  /** Told of failures that nobody waits for. */
  readonly onError: (stage: string, error: unknown) => void;
}) => ProgramBroker;

/** What the program does with its broker. */
export interface ProgramBroker {
  listen(options: { readonly hostname: string; readonly port: number }): Promise<unknown>;
  close(): Promise<void>;
}

const DEFAULT_PORT = 1883;

/** One address of each family, so that `localhost` finds the broker whatever it means. */
const LOOPBACKS = [["ipv4", "127.0.0.1"], ["ipv6", "::1"]] as const;

/** Runs the broker until a signal ends it; gives the exit status. */
export async function runProgram(
  runtime: Runtime,
  options: ProgramOptions,
  start: StartBroker,
): Promise<number> {
  runtime.tuneProcess();
  const stopped = stopSignal(runtime);
  const logger = openLog(runtime, options.verbosity);
  logger.log("information", `${NAME} version ${VERSION} starting`);
  logger.log("information", "Using default config.");
  for (const text of LOCAL_ONLY) logger.log("warning", text);
  const broker = start({
    onEvent: (event) => logger.logEvent(event),
    tracesPackets: options.verbosity === "verbose",
    onError: (stage, error) => logger.log("error", `Error: ${stage} failed: ${describe(error)}`),
  });
  const ports = options.ports.length > 0 ? options.ports : [DEFAULT_PORT];
  for (const port of ports) {
    const failure = await listenLocally(broker, port, logger);
    if (failure === undefined) continue;
    // Said even by a quiet broker: it is the only thing that it will ever say.
    runtime.print("stderr", `Error: ${failure.message}. ${ADVICE}\n`);
    await broker.close();
    return 1;
  }
  logger.log("information", `${NAME} version ${VERSION} running`);
  if (options.verbosity !== "quiet") runtime.print("stdout", whatToTry(ports[0]!));
  await stopped;
  await broker.close();
  logger.log("information", `${NAME} version ${VERSION} terminating`);
  return 0;
}

function openLog(runtime: Runtime, verbosity: Verbosity): Logger {
  const types = { quiet: [], normal: DEFAULT_LOG_TYPES, verbose: ALL_LOG_TYPES };
  return new Logger(
    { print: (stream, text) => runtime.print(stream, text), wallClock: () => Date.now() },
    { ...DEFAULT_LOG_SETTINGS, types: types[verbosity] },
  );
}

/**
 * Listens on both loopback addresses. A machine may lack one of them; a port in use is a failure
 * even on one, because half of the clients would reach somebody else.
 */
async function listenLocally(
  broker: ProgramBroker,
  port: number,
  logger: Logger,
): Promise<OperationError | undefined> {
  const failures: OperationError[] = [];
  for (const [family, hostname] of LOOPBACKS) {
    logger.log("information", `Opening ${family} listen socket on port ${port}.`);
    try {
      await broker.listen({ hostname, port });
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      if (error.code === "address-in-use") return error;
      failures.push(error);
    }
  }
  if (failures.length === LOOPBACKS.length) return failures[0];
  for (const { message } of failures) logger.log("warning", `Warning: ${message}.`);
  return undefined;
}

/** Resolves at the first SIGINT or SIGTERM; a second one does not wait for the rest. */
function stopSignal(runtime: Runtime): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    const stop = (): void => {
      if (isStopping) runtime.exit(1);
      isStopping = true;
      resolve();
    };
    runtime.onSignal("SIGINT", stop);
    runtime.onSignal("SIGTERM", stop);
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

const LOCAL_ONLY = [
  "Starting in local only mode. Connections will only be possible from clients running on this " +
  "machine.",
  "To serve other machines, let a program of your own listen: " +
  'new Broker().listen({ hostname: "0.0.0.0" }).',
];

const ADVICE = "Another port can be chosen with -p.";

function whatToTry(port: number): string {
  return `Try it, each in a terminal of its own:
  mosquitto_sub -p ${port} -t 'greetings/#' -v
  mosquitto_pub -p ${port} -t greetings/first -m 'Hello'
`;
}
