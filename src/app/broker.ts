/**
 * The broker as a library where there is a runtime to listen with: what `web_broker.ts` has, and
 * listeners.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import { DEFAULT_LISTENER } from "../core/broker/limits.ts";
import type { ListenerSettings } from "../core/session/peer.ts";
import type { DriverHost, FailureStage } from "../driver/driver.ts";
import type {
  BrokerRuntime,
  Listener,
  SocketUpgrader,
  UpgradedRequest,
  UpgradedSocket,
  UpgradeRules,
} from "../runtime/runtime.ts";
import type { TlsOptions } from "../runtime/tls.ts";
import type { Accept, Transport, TransportHandler } from "../transport/transport.ts";
import {
  serveWebSocket,
  type StandardWebSocket,
  type WebSocketPlace,
} from "../transport/web_socket_transport.ts";
import { createFetchHandler, type FetchHandler } from "./fetch_handler.ts";
import { WEB_HOST, WebBroker, type WebBrokerOptions } from "./web_broker.ts";

/** How a {@linkcode Broker} is made. Everything has a default. */
export interface BrokerOptions extends WebBrokerOptions {
  /** The runtime to listen with, or how to find it when it is needed. */
  readonly runtime?: BrokerRuntime | (() => Promise<BrokerRuntime>);
  /**
   * The origins of pages that may connect by a server of somebody else's, to `fetch` for example;
   * any, when none is given.
   */
  readonly origins?: readonly string[];
}

/** Where and how a {@linkcode Broker} listens. */
export interface ListenOptions {
  /** 1883 unless given; 0 takes any free port. */
  readonly port?: number;
  /** An address or host name; `"127.0.0.1"` unless given. */
  readonly hostname?: string;
  /** A Unix socket instead of a port. */
  readonly path?: string;
  /** The permission bits of that socket: its owner and group unless given. */
  readonly mode?: number;
  /** TLS on every connection; at the least a `certificate` and its `key`, in PEM. */
  readonly tls?: Partial<TlsOptions>;
  /** `"websockets"` serves MQTT in the frames of WebSockets. */
  readonly protocol?: "mqtt" | "websockets";
  /** The origins of pages that may open a WebSocket; any, when none is given. */
  readonly origins?: readonly string[];
  /** What is granted to those who come in here, where it is not what the broker grants. */
  readonly settings?: Partial<ListenerSettings>;
}

/** An MQTT broker that listens with the runtime that it is given, and serves what it is given. */
export class Broker extends WebBroker {
  readonly #listeners: Set<Listener> = new Set();
  /** To those who come in by no listener that says otherwise. */
  readonly #granted: ListenerSettings;
  readonly #onError: (stage: FailureStage, error: unknown) => void;
  readonly #findRuntime: () => Promise<BrokerRuntime>;
  /** Where the turns of connections end, until a runtime is found that does it at less cost. */
  readonly #webHost: DriverHost;
  #closed: Promise<void> | undefined;

  /**
   * Answers a request that a server of the host has received: one for a WebSocket that speaks MQTT
   * becomes a client, any other is told why not. It may be handed around without its broker.
   *
   * ```ts
   * import { Broker } from "./mod.ts";
   *
   * const broker = new Broker();
   * const response = await broker.fetch(new Request("http://localhost/mqtt"));
   * console.log(response.status); // 426: this was no request for a WebSocket
   * await broker.close();
   * ```
   *
   * The host's own second argument is to be passed on: Bun needs it, and on Deno it tells who the
   * client is.
   */
  readonly fetch: FetchHandler;

  /**
   * Hears the event `upgrade` of a server of `node:http` or `node:https`, and answers as `fetch`
   * does elsewhere. It may be handed around without its broker.
   *
   * ```ts
   * import { createServer } from "node:http";
   * import { Broker } from "./mod.ts";
   *
   * const broker = new Broker();
   * const server = createServer((_request, response) => response.end("Hello"));
   * server.on("upgrade", broker.upgrade);
   * server.listen(0, () => server.close());
   * ```
   */
  readonly upgrade: (request: UpgradedRequest, socket: UpgradedSocket, head: Uint8Array) => void;

  constructor(options: BrokerOptions = {}) {
    const { runtime = noRuntime } = options;
    const webHost = { ...WEB_HOST };
    super(options, typeof runtime === "function" ? webHost : runtime);
    this.#webHost = webHost;
    this.#findRuntime = typeof runtime === "function" ? runtime : () => Promise.resolve(runtime);
    this.#onError = options.onError ?? (() => {});
    this.#granted = { ...DEFAULT_LISTENER, ...options.listener };
    const accept: Accept = (transport) => this.accept(transport);
    const rules: UpgradeRules = {
      origins: options.origins ?? [],
      isClosed: () => this.#closed !== undefined,
    };
    const onError = (error: unknown): void => this.#onError("accept", error);
    const findRuntime = (): Promise<BrokerRuntime> => this.#adoptRuntime();
    this.fetch = createFetchHandler({ ...rules, findRuntime, accept, onError });
    let upgrader: Promise<SocketUpgrader> | undefined;
    this.upgrade = (request, socket, head) => {
      // Before anybody listens to it, one that breaks would end the program.
      socket.on("error", () => socket.destroy());
      upgrader ??= findRuntime().then((runtime) => upgraderOf(runtime, rules, accept));
      upgrader.then((serve) => serve({ request, socket, head })).catch((error) => {
        socket.destroy();
        onError(error);
      });
    };
  }

  /**
   * Serves one client over a `WebSocket` object, of whichever package or platform, that is open or
   * about to be; it has agreed to the subprotocol `mqtt` already.
   *
   * @param place where the client is, if that is known.
   * @returns when the connection is over.
   */
  serveWebSocket(socket: StandardWebSocket, place: WebSocketPlace = {}): Promise<void> {
    this.#assertOpen();
    return serveWebSocket(socket, (transport) => this.accept(transport), {
      keepsBytes: true,
      ...place,
    });
  }

  /**
   * Listens for MQTT, over TCP on this machine only unless told otherwise.
   *
   * ```ts
   * import { Broker } from "./mod.ts";
   *
   * const broker = new Broker();
   * const { port } = await broker.listen({ port: 0, protocol: "websockets" });
   * console.log(`Connect to ws://127.0.0.1:${port} with the subprotocol mqtt`);
   * await broker.close();
   * ```
   *
   * @throws {OperationError} when the port cannot be had, the certificate makes no sense, or the
   * runtime has no sockets.
   */
  async listen(options: ListenOptions = {}): Promise<Listener> {
    this.#assertOpen();
    const runtime = await this.#adoptRuntime();
    const accept = await this.#layers(options);
    const { port = 1883, hostname = "127.0.0.1", path, mode = 0o770 } = options;
    const tls = options.tls === undefined ? undefined : { ...DEFAULT_TLS, ...options.tls };
    const onError = (error: unknown): void => this.#onError("accept", error);
    const opened =
      await (path === undefined
        ? runtime.listenTcp({ hostname, port, tls, onError }, accept)
        : runtime.listenUnix({ path, mode, tls, onError }, accept));
    if (this.#closed !== undefined) {
      await opened.close();
      this.#assertOpen();
    }
    const listener: Listener = {
      ...opened,
      close: () => {
        this.#listeners.delete(listener);
        return opened.close();
      },
    };
    this.#listeners.add(listener);
    return listener;
  }

  /** As of a broker without listeners, once it has stopped listening. */
  override close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #adoptRuntime(): Promise<BrokerRuntime> {
    const runtime = await this.#findRuntime();
    this.#webHost.defer = (flush) => runtime.defer(flush);
    return runtime;
  }

  /** What a listener's connections pass through on their way to the core. */
  async #layers({ protocol, origins = [], settings }: ListenOptions): Promise<Accept> {
    const listener = { ...this.#granted, ...settings };
    const accept: Accept = (transport) =>
      this.#closed === undefined ? this.accept(transport, listener) : discarded(transport);
    if (protocol !== "websockets") return accept;
    // Loaded by those who want it only.
    const { withWebSocket } = await import("../transport/websocket.ts");
    return withWebSocket(accept, { origins, headBytesMax: HEAD_BYTES_MAX });
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
    await super.close();
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw new OperationError("closed", "The broker is closed");
  }
}

/** Of the request with which a WebSocket begins. */
const HEAD_BYTES_MAX = 4096;

const DEFAULT_TLS: TlsOptions = Object.freeze({
  certificate: undefined,
  key: undefined,
  authorities: undefined,
  revocationLists: undefined,
  requiresCertificate: false,
  ignoresCertificateDates: false,
  minimumVersion: "TLSv1.2",
  ciphers: undefined,
  suites: undefined,
  psk: undefined,
  onSecrets: undefined,
});

/** Ends a connection that was still being opened when the broker closed. */
function discarded(transport: Transport): TransportHandler {
  queueMicrotask(() => transport.abort());
  return { onBytes() {}, onWritable() {}, onClose() {} };
}

function upgraderOf(
  runtime: BrokerRuntime,
  rules: UpgradeRules,
  accept: Accept,
): Promise<SocketUpgrader> {
  if (runtime.socketUpgrader !== undefined) return runtime.socketUpgrader(rules, accept);
  throw new OperationError("not-supported", "Sockets of a server are not supported here");
}

function noRuntime(): Promise<never> {
  return Promise.reject(new OperationError("no-listener", "There is no runtime to listen with"));
}
