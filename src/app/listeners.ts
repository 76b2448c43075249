/**
 * The listeners of a configuration: which sockets each one opens, and through which layers a
 * connection passes from its socket to the broker: a proxy's header, the limits per address, then
 * WebSocket or HTTP where the listener speaks those.
 *
 * The idea: layers are chosen when a connection comes, by the settings that are in force then, so
 * that a reload needs to replace nothing but the settings.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import type { ListenerConfig } from "../config/config.ts";
import type { ListenerSettings } from "../core/session/peer.ts";
import type { Host } from "../runtime/host.ts";
import type { Listener, Runtime } from "../runtime/runtime.ts";
import type { TlsOptions } from "../runtime/tls.ts";
import type { LogType } from "../telemetry/log_line.ts";
import type { Accept, Transport, TransportHandler } from "../transport/transport.ts";
import { ExitStatus, StartError } from "./start_error.ts";

/** The permission bits of a Unix socket: its owner and group may connect. */
const UNIX_SOCKET_MODE = 0o770;

/** What listeners need of the program around them. */
export interface ListenerSurroundings {
  readonly runtime: Runtime;
  readonly host: Pick<Host, "resolve" | "interfaceAddresses">;
  readonly log: (type: LogType, text: string) => void;
  /** The layers above the socket, for connections from now on. */
  readonly layersOf: (config: ListenerConfig, settings: ListenerSettings) => Promise<Accept>;
  /** Reads the files of a listener with TLS. */
  readonly readTls: (config: ListenerConfig) => Promise<TlsOptions | undefined>;
}

/** Other settings for an open section, in the steps in which they come into force. */
export interface ListenerChange {
  /** Uses the new certificates; rejects, and changes nothing, when the runtime cannot. */
  secure(): Promise<void>;
  /** Uses the old ones again. */
  takeBack(): Promise<void>;
  /** At once, for connections from now on. */
  apply(): void;
}

/** One section of the configuration, open. */
export class OpenListener {
  config: ListenerConfig;
  settings: ListenerSettings;
  readonly #surroundings: ListenerSurroundings;
  readonly #sockets: Listener[] = [];
  #accept: Accept | undefined;
  #tls: TlsOptions | undefined;

  constructor(
    config: ListenerConfig,
    settings: ListenerSettings,
    surroundings: ListenerSurroundings,
  ) {
    this.config = config;
    this.settings = settings;
    this.#surroundings = surroundings;
  }

  /**
   * Prepares what is behind its sockets and opens them: all, or none. What it resolves to says why
   * there are none, for a broker that can do without them.
   */
  async open(): Promise<StartError | undefined> {
    const { config } = this;
    const { readTls, layersOf } = this.#surroundings;
    const tls = await readTls(config);
    this.#accept = await layersOf(config, this.settings);
    this.#tls = tls;
    try {
      if (config.path === undefined) await this.#openTcp(tls);
      else await this.#openUnix(config.path, tls);
      return undefined;
    } catch (error) {
      await this.close();
      if (!(error instanceof OperationError)) throw error;
      return startErrorOf(error, config);
    }
  }

  /** Reads what other settings name; rejects when it cannot be used. Nothing changes by that. */
  async prepare(
    config: ListenerConfig,
    settings: ListenerSettings,
    { readTls, layersOf }: Pick<ListenerSurroundings, "readTls" | "layersOf">,
  ): Promise<ListenerChange> {
    const tls = await readTls(config);
    const accept = await layersOf(config, settings);
    const before = this.#tls;
    return {
      secure: () => this.#secure(tls),
      takeBack: () => this.#secure(before),
      apply: () => {
        this.config = config;
        this.settings = settings;
        this.#accept = accept;
      },
    };
  }

  async #secure(tls: TlsOptions | undefined): Promise<void> {
    if (tls === undefined) return;
    try {
      // One after the other: if they are of no use, the first one says so.
      for (const socket of this.#sockets) await socket.setTls?.(tls);
    } catch (error) {
      throw error instanceof OperationError ? startErrorOf(error, this.config) : error;
    }
    this.#tls = tls;
  }

  async close(): Promise<void> {
    await Promise.all(this.#sockets.splice(0).map((socket) => socket.close()));
  }

  async #openTcp(tls: TlsOptions | undefined): Promise<void> {
    const { config } = this;
    const addresses = await this.#addresses();
    let missing: OperationError | undefined;
    for (const hostname of addresses) {
      const family = hostname.includes(":") ? "ipv6" : "ipv4";
      const kind = config.protocol === "http_api" ? "http api" : family;
      this.#surroundings.log(
        "information",
        `Opening ${kind} listen socket on port ${config.port}.`,
      );
      try {
        this.#sockets.push(
          await this.#surroundings.runtime.listenTcp(
            { hostname, port: config.port, tls, onError: this.#onError },
            this.#onTransport,
          ),
        );
      } catch (error) {
        // A machine may lack one of the families; nobody asked for that one by name.
        const isLacking = error instanceof OperationError &&
          error.code === "address-not-available" && config.host === undefined;
        if (!isLacking) throw error;
        missing = error;
        this.#surroundings.log("warning", `Warning: ${error.message}.`);
      }
    }
    if (this.#sockets.length === 0) {
      throw missing ??
        new OperationError("address-not-available", "There is no address to listen on");
    }
  }

  async #openUnix(path: string, tls: TlsOptions | undefined): Promise<void> {
    this.#surroundings.log("information", `Opening unix listen socket on path ${path}.`);
    this.#sockets.push(
      await this.#surroundings.runtime.listenUnix(
        { path, mode: UNIX_SOCKET_MODE, tls, onError: this.#onError },
        this.#onTransport,
      ),
    );
  }

  /** Every address that the section means. */
  async #addresses(): Promise<readonly string[]> {
    const { bindInterface, host, socketDomain } = this.config;
    const found = bindInterface !== undefined
      ? this.#surroundings.host.interfaceAddresses(bindInterface)
      : host === undefined
      ? ["0.0.0.0", "::"]
      : await this.#surroundings.host.resolve(host);
    const wanted = found.filter((address) =>
      socketDomain === undefined || (socketDomain === "ipv6") === address.includes(":")
    );
    if (wanted.length > 0) return wanted;
    const name = bindInterface ?? host ?? "";
    throw new OperationError(
      "address-not-available",
      `There is no address of "${name}" to listen on`,
    );
  }

  readonly #onTransport = (transport: Transport): TransportHandler => this.#accept!(transport);

  readonly #onError = (error: unknown, remoteAddress?: string): void => {
    const reason = error instanceof Error ? error.message : String(error);
    this.#surroundings.log(
      "notice",
      `Client connection from ${remoteAddress ?? "unknown"} failed: ${reason}.`,
    );
  };
}

/** What is wrong with the settings of a listener does not tell by itself whose they are. */
function startErrorOf(cause: OperationError, { port, path }: ListenerConfig): StartError {
  const lines = [`Error: ${cause.message}.`];
  if (cause.code === "tls-failed" || cause.code === "not-supported") {
    lines.push(`Error found in the listener on ${path ?? `port ${port}`}.`);
  }
  return new StartError(ExitStatus.FAILED, lines, { cause });
}
