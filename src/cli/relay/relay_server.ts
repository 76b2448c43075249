/**
 * The relay: listeners for devices, the way to the broker, and who is connected. What happens on a
 * connection is in relayed_connection.ts.
 *
 * The idea: the listeners are the broker's own (app/listeners.ts), with their words in the log and
 * their certificates that can be replaced while they listen; only what is behind them differs.
 *
 * @module
 */

import { settingsOf } from "../../app/limits.ts";
import { OpenListener } from "../../app/listeners.ts";
import { ExitStatus, StartError } from "../../app/start_error.ts";
import { readTlsFiles } from "../../app/tls_files.ts";
import type { SecretFileOptions } from "../../auth/secret_file.ts";
import { buildConfig } from "../../config/build.ts";
import type { ListenerConfig } from "../../config/config.ts";
import { newDraft } from "../../config/draft.ts";
import { BufferPool } from "../../core/base/buffer_pool.ts";
import type { Files } from "../../runtime/files.ts";
import type { Host } from "../../runtime/host.ts";
import type { DialOptions, Runtime } from "../../runtime/runtime.ts";
import type { TlsClientOptions } from "../../runtime/tls.ts";
import type { LogType } from "../../telemetry/log_line.ts";
import type { Accept, Transport, TransportHandler } from "../../transport/transport.ts";
import { openWebSocket } from "../../transport/websocket_client.ts";
import { ClientFailure } from "../client/client_failure.ts";
import { readTlsFiles as readClientTlsFiles } from "../client/tls_files.ts";
import { type BrokerRequest, RelayedConnection } from "./relayed_connection.ts";
import type { RelaySettings } from "./relay_flags.ts";

/** What a relay needs of the program around it. */
export interface RelayParts {
  readonly runtime: Runtime;
  readonly files: Files;
  readonly host: Host;
  readonly log: (type: LogType, text: string) => void;
}

/** Idle buffers of all connections. */
const POOL_BYTES_MAX = 4_194_304;

export class RelayServer {
  readonly #settings: RelaySettings;
  readonly #parts: RelayParts;
  readonly #pool: BufferPool = new BufferPool(POOL_BYTES_MAX);
  readonly #listeners: readonly OpenListener[];
  readonly #connections: Set<RelayedConnection> = new Set();
  /** How to be sure of the broker; `undefined` for one without TLS. */
  #tls: TlsClientOptions | undefined;
  #onIdle: () => void = () => {};

  constructor(settings: RelaySettings, parts: RelayParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#listeners = listenerConfigs(settings).map((config) =>
      new OpenListener(config, settingsOf(config), {
        runtime: parts.runtime,
        host: parts.host,
        log: parts.log,
        ...this.#behind,
      })
    );
  }

  /** Opens all listeners or none; rejects with a `StartError`. */
  async start(): Promise<void> {
    this.#tls = await this.#readBrokerTls();
    try {
      const failures: StartError[] = [];
      for (const listener of this.#listeners) {
        const failure = await listener.open();
        if (failure !== undefined) failures.push(failure);
      }
      const isEnough = this.#settings.isLocalOnly && failures.length < this.#listeners.length;
      for (const failure of failures) {
        if (!isEnough) throw failure;
        for (const line of failure.lines) this.#parts.log("warning", line);
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Reads the certificates again; rejects with a `StartError` that leaves all as it was. */
  async reload(): Promise<void> {
    const tls = await this.#readBrokerTls();
    const changes = await Promise.all(
      this.#listeners.map((listener) =>
        listener.prepare(listener.config, listener.settings, this.#behind)
      ),
    );
    const done = [];
    try {
      for (const change of changes) {
        await change.secure();
        done.push(change);
      }
    } catch (error) {
      for (const change of done) await change.takeBack();
      throw error;
    }
    for (const change of changes) change.apply();
    this.#tls = tls;
  }

  /** Resolves when nobody is connected any more. */
  async stop(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    const idle = new Promise<void>((resolve) => this.#onIdle = resolve);
    for (const connection of this.#connections) connection.close();
    if (this.#connections.size > 0) await idle;
  }

  /** What is behind a listener, and what its files hold. */
  get #behind() {
    return {
      layersOf: (): Promise<Accept> => Promise.resolve(this.#accept),
      readTls: (config: ListenerConfig) =>
        readTlsFiles(config, {
          files: this.#parts.files,
          secrets: this.#secrets,
          log: this.#parts.log,
          keyOf: () => undefined,
          onSecrets: undefined,
        }),
    };
  }

  get #secrets(): SecretFileOptions {
    const { files, host } = this.#parts;
    return {
      files,
      allowsLinks: host.environment()["MOSQUITTO_UNSAFE_ALLOW_SYMLINKS"] !== undefined,
      userId: host.userId(),
      groupId: host.groupId(),
    };
  }

  readonly #accept: Accept = (device: Transport): TransportHandler => {
    const { log } = this.#parts;
    const { remoteAddress, remotePort, localPort } = device;
    if (this.#connections.size >= this.#settings.connectionsMax) {
      log("notice", `Client connection from ${remoteAddress} denied: max_connections exceeded.`);
      // Not within this call, which hands the transport its handler.
      queueMicrotask(() => device.abort());
      return NOBODY;
    }
    log("notice", `New connection from ${remoteAddress}:${remotePort} on port ${localPort}.`);
    const connection = new RelayedConnection(device, {
      openBroker: this.#openBroker,
      pool: this.#pool,
      log,
      timeoutMs: this.#settings.timeoutMs,
      onEnded: (ended) => {
        this.#connections.delete(ended);
        if (this.#connections.size === 0) this.#onIdle();
      },
    });
    this.#connections.add(connection);
    return connection;
  };

  readonly #openBroker = (
    { clientAddress, subprotocol, signal }: BrokerRequest,
    accept: Accept,
  ): Promise<void> => {
    const { target: { address, webSocket }, timeoutMs } = this.#settings;
    const route: DialOptions = { address, tls: this.#tls, timeoutMs, signal };
    return openWebSocket((opened) => this.#parts.runtime.dial(route, opened), {
      host: new URL(webSocket.url).host,
      resource: webSocket.resource,
      subprotocol,
      headers: { "X-Forwarded-For": clientAddress },
      pool: this.#pool,
      timeoutMs,
      signal,
    }, accept);
  };

  async #readBrokerTls(): Promise<TlsClientOptions | undefined> {
    const { target, caFile, caPath } = this.#settings;
    if (!target.isSecure) return undefined;
    try {
      return await readClientTlsFiles({
        authoritiesFile: caFile,
        authoritiesDirectory: caPath,
        trustsSystem: (caFile ?? caPath) === undefined,
        certificateFile: undefined,
        keyFile: undefined,
        minimumVersion: "TLSv1.2",
        ciphers: undefined,
        protocol: undefined,
        keyLogFile: undefined,
        isInsecure: false,
        psk: undefined,
      }, this.#parts.files);
    } catch (cause) {
      if (!(cause instanceof ClientFailure)) throw cause;
      throw new StartError(ExitStatus.FAILED, cause.lines, { cause });
    }
  }
}

const NOBODY: TransportHandler = Object.freeze({
  onBytes: () => {},
  onWritable: () => {},
  onClose: () => {},
});

/** Listeners as a configuration without a line has them, but for their places and certificates. */
function listenerConfigs({ listeners, certFile, keyFile }: RelaySettings): ListenerConfig[] {
  const { localListener } = buildConfig(newDraft([]));
  return listeners.map(({ host, port, isSecure }) => ({
    ...localListener,
    host,
    port,
    tls: !isSecure ? undefined : {
      certFile,
      keyFile,
      caFile: undefined,
      caPath: undefined,
      crlFile: undefined,
      disableClientCertDateChecks: false,
      tlsVersion: "tlsv1.2",
      ciphers: undefined,
      ciphersTls13: undefined,
      pskHint: undefined,
    },
  }));
}
