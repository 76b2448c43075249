/**
 * Who decides, by a configuration: reads the password, access and key files, starts the plugins and
 * puts them into one chain per listener, in the order in which Mosquitto asks them.
 *
 * The idea: everything is read before anything is put in force. What cannot be read or makes no
 * sense ends a start, and leaves a running broker as it was.
 *
 * @module
 */

import { AccessList } from "../auth/access_list.ts";
import type { BuiltInKind } from "../auth/built_in_plugin.ts";
import { type Chain, CLOSED_CHAIN } from "../auth/chain.ts";
import { type ChainSet, Gatekeeper } from "../auth/gatekeeper.ts";
import { type LoadedPlugin, loadPlugins, type PluginSurroundings } from "../auth/load_plugins.ts";
import { PasswordFile } from "../auth/password_file.ts";
import type { Plugin } from "../auth/plugin.ts";
import { PluginError } from "../auth/plugin_error.ts";
import type { PskKeys } from "../auth/psk_file.ts";
import type { SecretFileOptions } from "../auth/secret_file.ts";
import { loadAclFile, type Loaded, loadPasswordFile, loadPskFile } from "../auth/security_files.ts";
import { WorkGate } from "../auth/work_gate.ts";
import type { Config, PluginConfig, SecurityConfig } from "../config/config.ts";
import type { ListenerSettings } from "../core/session/peer.ts";
import type { Host } from "../runtime/host.ts";
import type { LogType } from "../telemetry/log_line.ts";
import { type ExitStatus, StartError } from "./start_error.ts";

/** Passwords verified at one time at most, and how many more may wait for that. */
const VERIFYING_MAX = 4;
const WAITING_MAX = 1000;

/** What security needs of the program around it. */
export interface SecuritySurroundings {
  readonly secrets: SecretFileOptions;
  readonly host: Pick<Host, "argon2id" | "importModule">;
  readonly log: (type: LogType, text: string) => void;
}

/** A listener and what it grants. */
export interface SecuredListener {
  readonly settings: ListenerSettings;
  readonly allowAnonymous: boolean;
  readonly security: SecurityConfig;
}

/** What a configuration's files hold. */
interface Files {
  readonly passwords: ReadonlyMap<string, PasswordFile>;
  readonly accesses: ReadonlyMap<string, AccessList>;
  readonly keys: ReadonlyMap<string, PskKeys>;
}

/** Decides nothing yet: until a configuration is in force nobody gets in. */
const NOBODY: Chain = CLOSED_CHAIN;

export class Security {
  readonly gatekeeper: Gatekeeper;
  readonly #surroundings: SecuritySurroundings;
  /** Shared by everything that verifies passwords, so that its bounds are the broker's. */
  readonly #gate: WorkGate;
  #plugins: ReadonlyMap<PluginConfig, LoadedPlugin> = new Map();
  #keys: Files["keys"] = new Map();

  constructor(surroundings: SecuritySurroundings) {
    this.#surroundings = surroundings;
    this.#gate = new WorkGate({ runningMax: verifyingMax(), waitingMax: WAITING_MAX });
    this.gatekeeper = new Gatekeeper({
      chains: { general: NOBODY, byListener: new Map() },
      onFailure: (decider, error) => surroundings.log("error", `Error: ${decider}: ${error}`),
    });
  }

  /** Starts the plugins of a configuration. */
  async loadPlugins(config: Config, publish: PluginSurroundings["publish"]): Promise<void> {
    const sources = pluginsOf(config);
    const { host, log } = this.#surroundings;
    try {
      const loaded = await loadPlugins(sources, {
        persistenceLocation: config.persistence.location,
        importModule: (path) => host.importModule(path),
        log,
        publish,
        openBuiltIn: (kind, path) => this.#openBuiltIn(kind, path),
      });
      this.#plugins = new Map(sources.map((source, i) => [source, loaded[i]!]));
    } catch (error) {
      if (!(error instanceof PluginError)) throw error;
      // The log has been told already.
      throw new StartError(error.status, [], { cause: error });
    }
  }

  /**
   * Reads the files of a configuration; what this resolves to puts them in force. Rejects when one
   * of them cannot be used, and then nothing has changed.
   */
  async prepare(config: Config, listeners: readonly SecuredListener[]): Promise<() => void> {
    const files = await this.#readFiles([config.security, ...listeners.map((l) => l.security)]);
    const chains: ChainSet = {
      general: this.#chain(
        config.security,
        config.security.allowAnonymous ?? config.listeners.length === 0,
        files,
      ),
      byListener: new Map(listeners.map(({ settings, security, allowAnonymous }) => [
        settings,
        this.#chain(security, allowAnonymous, files),
      ])),
    };
    return () => {
      this.#keys = files.keys;
      this.gatekeeper.setChains(chains);
    };
  }

  /** Tells the plugins that the configuration was read again. */
  async reloadPlugins(): Promise<void> {
    for (const [source, plugin] of this.#plugins) {
      try {
        await plugin.reload(source.options);
      } catch (error) {
        for (const line of error instanceof StartError ? error.lines : [`Error: ${error}`]) {
          this.#surroundings.log("error", line);
        }
      }
    }
  }

  /** The plugins, in the order in which they were loaded. */
  get plugins(): readonly LoadedPlugin[] {
    return [...new Set(this.#plugins.values())];
  }

  /** The pre-shared key of an identity, by the files of these settings. */
  keyOf(security: SecurityConfig, identity: string): Uint8Array | undefined {
    const { pskFile } = security;
    return pskFile === undefined ? undefined : this.#keys.get(pskFile)?.keyOf(identity);
  }

  async close(): Promise<void> {
    for (const plugin of new Set(this.#plugins.values())) await plugin.close();
  }

  /** Plugins come before the files. */
  #chain(security: SecurityConfig, allowAnonymous: boolean, files: Files): Chain {
    const plugins = security.plugins.map((source) => this.#plugins.get(source)!);
    const { passwordFile, aclFile } = security;
    return {
      allowAnonymous,
      authenticators: present([
        ...plugins.map(({ authenticator }) => authenticator),
        passwordFile === undefined ? undefined : files.passwords.get(passwordFile),
      ]),
      authorizers: present([
        ...plugins.map(({ authorizer }) => authorizer),
        aclFile === undefined ? undefined : files.accesses.get(aclFile),
      ]),
      observers: present(plugins.map(({ observer }) => observer)),
    };
  }

  /** Reads all files, so that what is wrong with any of them is told in one go. */
  async #readFiles(securities: readonly SecurityConfig[]): Promise<Files> {
    const { secrets } = this.#surroundings;
    const faults: StartError[] = [];
    const read = async <T>(
      key: "passwordFile" | "aclFile" | "pskFile",
      load: (path: string) => Promise<T>,
    ): Promise<ReadonlyMap<string, T>> => {
      const paths = new Set(present(securities.map((security) => security[key])));
      const values = new Map<string, T>();
      for (const path of paths) {
        try {
          values.set(path, await load(path));
        } catch (error) {
          if (!(error instanceof StartError)) throw error;
          faults.push(error);
        }
      }
      return values;
    };
    const files = {
      passwords: await read("passwordFile", (path) => this.#readPasswords(path)),
      accesses: await read("aclFile", (path) => this.#readAccesses(path)),
      keys: await read("pskFile", async (path) => this.#used(await loadPskFile(path, secrets))),
    };
    const [first] = faults;
    if (first === undefined) return files;
    throw new StartError(first.status, faults.flatMap(({ lines }) => lines));
  }

  async #readPasswords(path: string): Promise<PasswordFile> {
    const { secrets, host } = this.#surroundings;
    const users = this.#used(await loadPasswordFile(path, secrets));
    const argon2id: Host["argon2id"] = (password, options) => host.argon2id(password, options);
    return new PasswordFile(users, { argon2id, gate: this.#gate });
  }

  async #readAccesses(path: string): Promise<AccessList> {
    const { secrets, log } = this.#surroundings;
    const entries = this.#used(await loadAclFile(path, secrets));
    return new AccessList(entries, { onNotice: (text) => log("notice", text) });
  }

  /** The value of a file, after telling what was found wrong with it. */
  #used<T>({ value, problems, exitStatus }: Loaded<T>): T {
    if (value === undefined || exitStatus !== 0) {
      // Loaded without a value, a file says with which status the program ends.
      const status = exitStatus as ExitStatus;
      throw new StartError(status, problems.map(({ message }) => message));
    }
    for (const { severity, message } of problems) this.#surroundings.log(severity, message);
    return value;
  }

  /** A file as a plugin of its own, for configurations that name Mosquitto's. */
  async #openBuiltIn(kind: BuiltInKind, path: string): Promise<Plugin> {
    if (kind === "password-file") {
      let file = await this.#readPasswords(path);
      return {
        name: kind,
        authenticator: {
          name: kind,
          authenticate: (request) => file.authenticate(request),
          credentialOf: (username) => file.credentialOf(username),
        },
        reload: async () => void (file = await this.#readPasswords(path)),
      };
    }
    let list = await this.#readAccesses(path);
    return {
      name: kind,
      authorizer: {
        name: kind,
        rulesFor: (client) => list.rulesFor(client),
        hasRetained: (publisher, topic) => list.hasRetained(publisher, topic),
      },
      reload: async () => void (list = await this.#readAccesses(path)),
    };
  }
}

/** As many as leave a core to everybody else's messages. */
function verifyingMax(): number {
  const cores = globalThis.navigator?.hardwareConcurrency ?? 1;
  return Math.max(1, Math.min(VERIFYING_MAX, cores - 1));
}

/** Every plugin once, those of all listeners first. */
function pluginsOf(config: Config): readonly PluginConfig[] {
  const securities = [config.security, ...config.listeners.map(({ security }) => security)];
  return [...new Set(securities.flatMap(({ plugins }) => plugins))];
}

function present<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined);
}
