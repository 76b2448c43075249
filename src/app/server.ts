/**
 * A broker as a configuration describes it: the core with its limits, who decides, the listeners,
 * the log and `$SYS`, started together, changed together by a reload, and stopped together.
 *
 * The idea: a reload first reads everything that the new configuration names and only then puts it
 * in force, so that a fault in any file leaves the broker as it was.
 *
 * @module
 */

import type { ApiAccess, ApiListener, ApiOptions } from "../admin/api.ts";
import { HTTP_API_CLIENT_ID } from "../admin/api.ts";
import { LoginGuard } from "../auth/login_guard.ts";
import type { SecretFileOptions } from "../auth/secret_file.ts";
import type { Config, ListenerConfig } from "../config/config.ts";
import { OperationError } from "../core/base/operation_error.ts";
import type { BrokerEvent } from "../core/broker/event.ts";
import { ASK, type Client, type ConnectRequest } from "../core/broker/question.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import type { ListenerSettings } from "../core/session/peer.ts";
import type { Files } from "../runtime/files.ts";
import type { Host } from "../runtime/host.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { TlsOptions } from "../runtime/tls.ts";
import type { Logger } from "../telemetry/log.ts";
import type { LogType } from "../telemetry/log_line.ts";
import type { Accept } from "../transport/transport.ts";
import { Broker } from "./broker.ts";
import { brokerCommands } from "./broker_commands.ts";
import { answerRequest, BROKER_ENDPOINT } from "./control_api.ts";
import { withLayers } from "./layers.ts";
import { limitsOf, settingsOf } from "./limits.ts";
import { type ListenerChange, type ListenerSurroundings, OpenListener } from "./listeners.ts";
import { MemoryGuard } from "./memory_guard.ts";
import { type OpenStore, restoredLines } from "./persistence.ts";
import { type SecuredListener, Security } from "./security.ts";
import { ExitStatus, StartError } from "./start_error.ts";
import { SysPublisher } from "./sys_publisher.ts";
import { readTlsFiles } from "./tls_files.ts";
import { VERSION } from "./version.ts";

export interface ServerOptions {
  readonly runtime: Runtime;
  readonly host: Host;
  readonly files: Files;
  readonly logger: Logger;
  readonly secrets: SecretFileOptions;
  /** Closed when the server stops. */
  readonly store: OpenStore | undefined;
  /** Told each line of the secrets of TLS connections. */
  readonly onSecrets: TlsOptions["onSecrets"];
}

export class Server {
  readonly #options: ServerOptions;
  readonly #broker: Broker;
  readonly #security: Security;
  readonly #sys: SysPublisher;
  readonly #memory: MemoryGuard;
  readonly #listeners: OpenListener[] = [];
  /** What each listener grants at the start. */
  readonly #settings: readonly ListenerSettings[];
  #config: Config;
  #guard: LoginGuard;
  #isStopped = false;

  constructor(config: Config, options: ServerOptions) {
    const { runtime, host, logger, secrets, store } = options;
    this.#options = options;
    this.#config = config;
    this.#settings = config.listeners.map(settingsOf);
    this.#guard = this.#makeGuard(config);
    this.#security = new Security({ secrets, host, log: this.#log });
    const { gatekeeper } = this.#security;
    this.#broker = new Broker({
      runtime,
      limits: limitsOf(config),
      ...store === undefined ? {} : { store: store.store, storedListeners: this.#settings },
      policy: gatekeeper,
      ask: (question) => gatekeeper.ask(question),
      takesCommands: true,
      tracesPackets: logger.wantsPackets,
      onEvent: (event) => this.#onEvent(event),
      onError: (stage, error) => logger.log("error", `Error: ${stage} failed: ${describe(error)}`),
      beforeSysRead: () => this.#sys.refresh(),
    });
    for (const line of store === undefined ? [] : restoredLines(store)) {
      this.#log("information", line);
    }
    this.#memory = new MemoryGuard({
      host,
      log: this.#log,
      onChange: (isShortOfMemory) => this.#broker.configure({ isShortOfMemory }),
    });
    this.#sys = new SysPublisher({ runtime, host, broker: this.#broker, config });
  }

  /** Opens everything; when that fails, nothing stays open. */
  async start(): Promise<void> {
    const config = this.#config;
    const failures: StartError[] = [];
    try {
      await this.#security.loadPlugins(config, (message) => this.#broker.publish(message));
      const settings = this.#settings;
      const secured = config.listeners.map((listener, i) => secure(listener, settings[i]!));
      (await this.#security.prepare(config, secured))();
      this.#sys.start();
      this.#memory.configure(config.general.memoryLimit);
      for (const [i, listener] of config.listeners.entries()) {
        const opened = new OpenListener(listener, settings[i]!, this.#surroundings(config));
        this.#listeners.push(opened);
        const failure = await opened.open();
        if (failure === undefined) continue;
        // Of the loopback's two families one is enough, and the HTTP API is not what we are for.
        if (!config.isLocalOnly && listener.protocol !== "http_api") throw failure;
        failures.push(failure);
      }
      const lines = failures.flatMap((failure) => failure.lines);
      if (failures.length === config.listeners.length) {
        lines.push("Error: Unable to start any listening sockets, exiting.");
        throw new StartError(ExitStatus.FAILED, lines);
      }
      for (const line of lines) this.#log("error", line);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Puts another configuration in force; rejects when that is impossible, and nothing changed. */
  async reload(config: Config): Promise<void> {
    const changes = this.#listeners.map((listener) => {
      const found = config.listeners.find((other) => isSamePlace(other, listener.config));
      // Whether there are others was judged when the two configurations were compared.
      if (found === undefined) {
        throw new StartError(ExitStatus.INVALID, [
          "Error: It is not currently possible to add/remove listeners when reloading the " +
          "config file.",
        ]);
      }
      return { listener, config: found, before: listener.settings, settings: settingsOf(found) };
    });
    const secured = changes.map((change) => secure(change.config, change.settings));
    const applySecurity = await this.#security.prepare(config, secured);
    const surroundings = this.#surroundings(config);
    const prepared: ListenerChange[] = [];
    for (const { listener, config: section, settings } of changes) {
      prepared.push(await listener.prepare(section, settings, surroundings));
    }
    const done: ListenerChange[] = [];
    try {
      for (const change of prepared) {
        await change.secure();
        done.push(change);
      }
    } catch (error) {
      for (const change of done) await change.takeBack();
      throw error;
    }
    // First, because what plugins have said is remembered until others are put in force.
    await this.#security.reloadPlugins();
    // From here on without a pause, so that nobody comes in by half of it.
    for (const change of prepared) change.apply();
    applySecurity();
    if (hasOtherGuard(config, this.#config)) this.#guard = this.#makeGuard(config);
    this.#config = config;
    this.#broker.configure({
      limits: limitsOf(config),
      listeners: new Map(changes.map(({ before, settings }) => [before, settings])),
    });
    this.#sys.configure(config);
    this.#memory.configure(config.general.memoryLimit);
    this.#broker.recheck((client) => this.#security.gatekeeper.recheck(client));
  }

  /** The log has been configured again: packets are told of only where somebody listens. */
  followLog(): void {
    this.#broker.configure({ tracesPackets: this.#options.logger.wantsPackets });
  }

  /** Publishes a line of the log, which nothing is told about. */
  publishLog(topic: string, line: string): void {
    // What is said after the end is for those who can still hear it.
    if (this.#isStopped) return;
    this.#broker.publish({
      topic,
      payload: encode(line),
      qos: 2,
      properties: { messageExpiryInterval: LOG_EXPIRY_SECONDS },
    });
  }

  /** Who subscribes to what, as a tree in lines of text. */
  describeSubscriptions(): readonly string[] {
    return this.#broker.describeSubscriptions();
  }

  /** Brings the store's file up to date, for whoever wants to copy it. */
  save(): void {
    const { store } = this.#options;
    if (store === undefined || !this.#attempt(() => store.store.checkpoint())) return;
    this.#log("information", `Database ${store.path} is complete without its log.`);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#sys.stop();
    this.#memory.stop();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#broker.close();
    const { store } = this.#options;
    if (store !== undefined) this.#attempt(() => store.store.close());
    await this.#security.close();
  }

  /** Does what the disk may refuse; whether it did not. */
  #attempt(action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#log("error", `Error: ${error.message}.`);
      return false;
    }
  }

  readonly #log = (type: LogType, text: string): void => this.#options.logger.log(type, text);

  #onEvent(event: BrokerEvent): void {
    if (event.kind === "login-refused") {
      this.#guard.failed(event.peer.remoteAddress, this.#options.runtime.now());
    }
    if (event.kind === "control") this.#obey(event);
    this.#options.logger.logEvent(event);
    this.#security.gatekeeper.observe(event);
  }

  /** Answers a command; an endpoint that is not there is told to nobody but who asked for it. */
  #obey({ clientId, username, topic, payload }: Extract<BrokerEvent, { kind: "control" }>): void {
    const answerTopic = `${topic}/response`;
    if (topic !== BROKER_ENDPOINT || !this.#config.general.enableControlApi) {
      this.#broker.tell(clientId, answerTopic, encode(NO_ENDPOINT));
      return;
    }
    const run = brokerCommands({
      listeners: this.#listeners.map(({ config }) => config),
      plugins: this.#security.plugins,
    });
    const answer = answerRequest(payload, (name) => {
      const result = run(name);
      const who = `${clientId}/${username ?? ""}`;
      if (result !== undefined) this.#log("information", `Broker: ${who} | ${result.name}`);
      return result;
    });
    this.#broker.publish({ topic: answerTopic, payload: encode(answer) });
  }

  #surroundings(config: Config): ListenerSurroundings {
    const { runtime, host, files, secrets, onSecrets } = this.#options;
    return {
      runtime,
      host,
      log: this.#log,
      layersOf: (listener, settings) => this.#layersOf(config, listener, settings),
      readTls: (listener) =>
        readTlsFiles(listener, {
          files,
          secrets,
          log: this.#log,
          keyOf: (identity) => this.#security.keyOf(listener.security, identity),
          onSecrets,
        }),
    };
  }

  #layersOf(
    config: Config,
    listener: ListenerConfig,
    settings: ListenerSettings,
  ): Promise<Accept> {
    const { files, runtime } = this.#options;
    return withLayers((transport) => this.#broker.accept(transport, settings), listener, {
      files,
      log: this.#log,
      headBytesMax: config.general.packetBufferSize,
      mayConnect: (address) => this.#guard.mayConnect(address, runtime.now()),
      api: this.#api(listener, settings),
    });
  }

  #api(listener: ListenerConfig, settings: ListenerSettings): Omit<ApiOptions, "files"> {
    return {
      // A page from elsewhere that calls itself by a name which leads here is not to be served.
      hosts: isLoopback(listener.host) ? [] : undefined,
      version: VERSION,
      listeners: () => this.#listeners.map(({ config }) => apiListener(config)),
      systree: () => this.#sys.systree(),
      isAllowed: (access) => this.#mayRead(access, settings),
    };
  }

  /** Whether somebody may read of the HTTP API, by the deciders of the listener. */
  async #mayRead(
    { peer, credentials, path }: ApiAccess,
    listener: ListenerSettings,
  ): Promise<boolean> {
    const { gatekeeper } = this.#security;
    // A connection that was there before the ban is no way around it.
    if (this.#guard.isBanned(peer.remoteAddress, this.#options.runtime.now())) return false;
    const request: ConnectRequest = {
      peer,
      listener,
      clientId: HTTP_API_CLIENT_ID,
      protocolVersion: 5,
      username: credentials?.username,
      isIdentified: false,
      password: credentials?.password,
      isBridge: false,
    };
    const decision = gatekeeper.connect(request);
    const reasonCode = decision === ASK
      ? (await gatekeeper.ask({ kind: "connect", id: 0, request }) as { reasonCode: ReasonCode })
        .reasonCode
      : decision;
    if (reasonCode !== ReasonCode.SUCCESS) {
      this.#noteRefusal(request, reasonCode);
      return false;
    }
    const { clientId, username, policyNotes } = request;
    const client: Client = { clientId, username, listener, policyNotes };
    return gatekeeper.isOpenForTopics || gatekeeper.deliver(client, path);
  }

  /**
   * A login by the HTTP API has failed. Browsers ask without credentials first, and who was not
   * asked who he is, because the broker is busy, has not failed either.
   */
  #noteRefusal({ peer, clientId, username }: ConnectRequest, reasonCode: ReasonCode): void {
    if (username === undefined || !isFailedLogin(reasonCode)) return;
    this.#onEvent({ kind: "login-refused", peer, clientId, username, reasonCode });
  }

  #makeGuard({ rateLimits }: Config): LoginGuard {
    return new LoginGuard({
      connects: rateLimits.connects,
      loginFailures: rateLimits.loginFailures,
      banSeconds: rateLimits.loginBanSeconds,
      onLine: (line) => this.#log("notice", line),
    });
  }
}

const NO_ENDPOINT = '{"error": "endpoint not available"}';

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** For how long a line of the log is of interest to a client that is away. */
const LOG_EXPIRY_SECONDS = 20;

function secure(listener: ListenerConfig, settings: ListenerSettings): SecuredListener {
  const { security, allowAnonymous } = listener;
  return { settings, security, allowAnonymous };
}

function isSamePlace(one: ListenerConfig, other: ListenerConfig): boolean {
  return one.port === other.port && one.host === other.host && one.path === other.path;
}

function isFailedLogin(reasonCode: ReasonCode): boolean {
  return reasonCode === ReasonCode.BAD_USER_NAME_OR_PASSWORD ||
    reasonCode === ReasonCode.NOT_AUTHORIZED;
}

/** Whether what has been counted and banned so far was by other rules. */
function hasOtherGuard(one: Config, other: Config): boolean {
  return JSON.stringify(one.rateLimits) !== JSON.stringify(other.rateLimits);
}

function isLoopback(host: string | undefined): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host ?? "");
}

function apiListener(listener: ListenerConfig): ApiListener {
  const { port, path, protocol, tls, requireCertificate, allowAnonymous } = listener;
  return {
    ...path === undefined ? { port } : { path },
    protocol: protocol === "http_api" ? "httpapi" : protocol,
    hasTls: tls !== undefined,
    requiresCertificate: requireCertificate,
    allowsAnonymous: allowAnonymous,
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
