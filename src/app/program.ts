/**
 * The broker as a program, once it is known what is wanted: reads its configuration, becomes the
 * daemon that it asks for, serves until a signal ends it, and says why if it cannot. The words of
 * the command line are read in `cli`.
 *
 * The idea: everything happens in the order in which Mosquitto does it, because scripts wait for
 * its lines and read its exit statuses.
 *
 * @module
 */

import type { SecretFileOptions } from "../auth/secret_file.ts";
import type { Config } from "../config/config.ts";
import { reloadConfig } from "../config/diff.ts";
import { loadConfig, type LoadResult } from "../config/load.ts";
import { OperationError } from "../core/base/operation_error.ts";
import type { Files } from "../runtime/files.ts";
import type { Host } from "../runtime/host.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { Logger } from "../telemetry/log.ts";
import {
  ALL_LOG_TYPES,
  DEFAULT_LOG_SETTINGS,
  type LogSettings,
  type LogType,
} from "../telemetry/log_line.ts";
import { withLocalListeners } from "./local_listeners.ts";
import { applyFileMask, dropPrivileges, writePidFile } from "./privileges.ts";
import { openStore } from "./persistence.ts";
import { openSecretsFile } from "./secrets_file.ts";
import { Server } from "./server.ts";
import { Signals } from "./signals.ts";
import { ExitStatus, StartError } from "./start_error.ts";
import { NAME, VERSION } from "./version.ts";

/** `quiet` says nothing but why it could not start; `verbose` logs everything. */
export type Verbosity = "quiet" | "normal" | "verbose";

/** What the command line may decide. */
export interface ProgramOptions {
  /** Where to listen on the loopback addresses without a listener in the configuration. */
  readonly ports: readonly number[];
  readonly verbosity: Verbosity;
  /** Read in order, into one configuration. */
  readonly configFiles: readonly string[];
  readonly isDaemon: boolean;
  /** Only says whether the configuration is valid. */
  readonly isConfigTest: boolean;
  /** Where the secrets of TLS connections are written to. */
  readonly secretsFile: string | undefined;
}

/** Runs the broker until a signal ends it; gives the exit status. */
export async function runProgram(runtime: Runtime, options: ProgramOptions): Promise<ExitStatus> {
  runtime.tuneProcess();
  const [files, host] = await Promise.all([runtime.files(), runtime.host()]);
  const program = new Program(runtime, files, host, options);
  const status = await program.run();
  await program.end();
  return status;
}

class Program {
  readonly #runtime: Runtime;
  readonly #files: Files;
  readonly #host: Host;
  readonly #options: ProgramOptions;
  readonly #logger: Logger;
  readonly #signals: Signals;
  #server: Server | undefined;
  /** In force, without the listeners of local-only mode. */
  #config: Config | undefined;

  constructor(runtime: Runtime, files: Files, host: Host, options: ProgramOptions) {
    this.#runtime = runtime;
    this.#files = files;
    this.#host = host;
    this.#options = options;
    this.#logger = new Logger({
      print: (stream, text) => runtime.print(stream, text),
      openFile: (path) => files.openAppended(path),
      openSystemLog: (ident, facility) => host.openSystemLog(ident, facility),
      publish: (topic, line) => this.#server?.publishLog(topic, line),
      wallClock: () => Date.now(),
    }, this.#heard(DEFAULT_LOG_SETTINGS));
    this.#signals = new Signals(runtime);
  }

  async run(): Promise<ExitStatus> {
    try {
      return await this.#run();
    } catch (error) {
      if (error instanceof StartError) {
        this.#complain(error.lines);
        return error.status;
      }
      if (!(error instanceof OperationError)) throw error;
      this.#complain([`Error: ${error.message}.`]);
      return ExitStatus.FAILED;
    }
  }

  /** The last line, by whatever way the program ends. */
  async end(): Promise<void> {
    this.#logger.log("information", `${NAME} version ${VERSION} terminating`);
    await this.#logger.close();
  }

  async #run(): Promise<ExitStatus> {
    const { configFiles, isConfigTest, isDaemon } = this.#options;
    applyFileMask(this.#host);
    if (isConfigTest && configFiles.length === 0) {
      throw new StartError(ExitStatus.INVALID, ["Please provide a configuration file to test."]);
    }
    const config = this.#accepted(await this.#load());
    if (isConfigTest) {
      this.#logger.log("information", "Configuration file is OK.");
      return ExitStatus.OK;
    }
    refuseBridges(config);
    // Before the rights are gone with which the program's own files and the configuration are read.
    if (isDaemon) this.#startDetached();
    await dropPrivileges(this.#host, config, this.#log);
    if (isDaemon) return ExitStatus.OK;
    const removePidFile = await writePidFile(this.#host, this.#files, config.general.pidFile);
    try {
      return await this.#serve(config);
    } finally {
      await this.#attempt("remove pid file", removePidFile);
    }
  }

  async #serve(config: Config): Promise<ExitStatus> {
    this.#config = config;
    this.#configureLog(config);
    this.#introduce(config);
    const { secretsFile: path, ports, verbosity } = this.#options;
    const secretsFile = path === undefined
      ? undefined
      : await openSecretsFile(this.#files, path, this.#log);
    const effective = withLocalListeners(config, ports);
    const store = await openStore(effective, {
      runtime: this.#runtime,
      files: this.#files,
      log: this.#log,
    });
    const server = new Server(effective, {
      runtime: this.#runtime,
      host: this.#host,
      files: this.#files,
      logger: this.#logger,
      secrets: this.#secretFileOptions(),
      store,
      onSecrets: secretsFile === undefined ? undefined : (line) => secretsFile.append(`${line}\n`),
    });
    this.#server = server;
    await server.start();
    this.#logger.log("information", `${NAME} version ${VERSION} running`);
    if (config.isLocalOnly && verbosity !== "quiet") {
      this.#runtime.print("stdout", whatToTry(effective.listeners[0]!.port));
    }
    await this.#attempt(
      "tell the service manager",
      () => this.#host.notifyServiceManager("READY=1"),
    );
    await this.#signals.serve({
      onReload: () => this.#reload(server),
      onSave: () => server.save(),
      onPrintTree: () => {
        this.#runtime.print("stdout", `${server.describeSubscriptions().join("\n")}\n`);
      },
    });
    await server.stop();
    secretsFile?.close();
    return ExitStatus.OK;
  }

  /** Reads the configuration again; whatever is wrong with it, the broker goes on as it was. */
  async #reload(server: Server): Promise<void> {
    this.#logger.log("information", "Reloading config.");
    try {
      const fresh = this.#accepted(await this.#load());
      refuseBridges(fresh);
      const config = this.#accepted(reloadConfig(this.#config!, fresh));
      await server.reload(withLocalListeners(config, this.#options.ports));
      this.#config = config;
      this.#configureLog(config);
      server.followLog();
    } catch (error) {
      // Whoever moved the log away has asked for another one, and not for one that is not read.
      this.#logger.reopen();
      const lines = error instanceof StartError ? error.lines : [`Error: ${describeFault(error)}`];
      this.#complain([...lines, "Error: The configuration in force stays as it was."]);
    }
  }

  async #load(): Promise<LoadResult> {
    return await loadConfig({
      files: this.#options.configFiles,
      environment: this.#host.environment(),
      reader: this.#files,
    });
  }

  /** Does what the broker can do without. */
  async #attempt(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#logger.log("warning", `Warning: Unable to ${what}: ${error.message}.`);
    }
  }

  /** The configuration, after telling what was noted; with errors, all of them at once. */
  #accepted(result: Accepted): Config {
    for (const { type, text } of result.notes) this.#logger.log(type, text);
    if (result.config !== undefined) return result.config;
    throw new StartError(ExitStatus.INVALID, result.errors.flatMap(({ lines }) => lines));
  }

  #introduce(config: Config): void {
    const say = (text: string): void => this.#logger.log("information", text);
    say(`${NAME} version ${VERSION} starting`);
    for (const file of config.files) say(`Config loaded from ${file}.`);
    if (config.files.length === 0) say("Using default config.");
    say("Bridge support NOT available.");
    say("Persistence support available.");
    say("TLS support available.");
    say(`TLS-PSK support ${this.#runtime.name === "node" ? "" : "NOT "}available.`);
    say("Websockets support available.");
    if (this.#allowsLinks) {
      this.#logger.log(
        "notice",
        "Notice: MOSQUITTO_UNSAFE_ALLOW_SYMLINKS is set: sensitive files may be reached through " +
          "symbolic links.",
      );
    }
    if (config.isLocalOnly) {
      for (const text of LOCAL_ONLY) this.#logger.log("warning", text);
    }
  }

  #startDetached(): void {
    const words = this.#runtime.args.filter((word) => word !== "-d" && word !== "--daemon");
    try {
      this.#host.startDetached(words, this.#host.environment());
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new StartError(ExitStatus.SYSTEM, [`Error in daemonise: ${reason}.`], { cause });
    }
  }

  get #allowsLinks(): boolean {
    return this.#host.environment()["MOSQUITTO_UNSAFE_ALLOW_SYMLINKS"] !== undefined;
  }

  #secretFileOptions(): SecretFileOptions {
    return {
      files: this.#files,
      allowsLinks: this.#allowsLinks,
      userId: this.#host.userId(),
      groupId: this.#host.groupId(),
    };
  }

  #configureLog({ log, general }: Config): void {
    this.#logger.configure(
      this.#heard({ ...log, hasConnectionMessages: general.connectionMessages }),
    );
  }

  /** The settings of the log as the command line has them. */
  #heard(settings: LogSettings): LogSettings {
    switch (this.#options.verbosity) {
      case "quiet":
        return { ...settings, types: [] };
      case "verbose":
        return { ...settings, types: ALL_LOG_TYPES };
      default:
        return settings;
    }
  }

  /** Says what is wrong, even by a quiet program: it is the only thing that it will ever say. */
  #complain(lines: readonly string[]): void {
    for (const line of lines) {
      if (this.#logger.wants("error")) this.#logger.log("error", line);
      else this.#runtime.print("stderr", `${line}\n`);
    }
  }

  readonly #log = (type: LogType, text: string): void => this.#logger.log(type, text);
}

type Accepted = Pick<LoadResult, "config" | "errors" | "notes">;

/** Without the bridges that it asks for, a broker would look like what it is not. */
function refuseBridges({ bridges }: Config): void {
  if (bridges.length === 0) return;
  throw new StartError(
    ExitStatus.INVALID,
    bridges.map(({ name }) =>
      `Error: Bridge '${name}' cannot be started: this version has no bridges.`
    ),
  );
}

/** What our own faults say is for whoever mends them. */
function describeFault(error: unknown): string {
  if (error instanceof OperationError) return `${error.message}.`;
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

const LOCAL_ONLY = [
  "Starting in local only mode. Connections will only be possible from clients running on this " +
  "machine.",
  "Create a configuration file which defines a listener to allow remote access.",
  "How to write one is told in docs/mosquitto.md.",
];

function whatToTry(port: number): string {
  return `Try it, each in a terminal of its own (from a checkout, "deno run -A mod.ts" is "midge"):
  midge sub -p ${port} -t 'greetings/#' -v
  midge pub -p ${port} -t greetings/first -m 'Hello'
`;
}
