/**
 * Loads the plugins of a configuration, in order, with the lines that the log has for it. What a
 * plugin is stands in plugin.ts; the guard that stands before its hooks is in plugin_guard.ts.
 *
 * The idea: a plugin is there for security. One that is missing, fails or has the wrong shape stops
 * the start, and those before it are closed again.
 *
 * @module
 */

import type { HostMessage } from "../core/broker/broker_core.ts";
import type { Authenticator, Authorizer, Eventual, Observer } from "./auth.ts";
import { type BuiltInKind, findBuiltIn, libraryAdvice } from "./built_in_plugin.ts";
import type { Plugin, PluginContext, PluginLogType } from "./plugin.ts";
import { PluginError } from "./plugin_error.ts";
import { guardPlugin } from "./plugin_guard.ts";
import { PluginOutbox } from "./plugin_outbox.ts";
import { asPlugin, factoryOf, messageOf } from "./plugin_shape.ts";

/** One `plugin` of a configuration. */
export interface PluginSource {
  /** That of `plugin_load`: sources of one name are one plugin. */
  readonly name: string | undefined;
  readonly path: string;
  readonly options: ReadonlyMap<string, string>;
  readonly denySpecialChars: boolean;
}

/** What plugins need of the program. */
export interface PluginSurroundings {
  readonly persistenceLocation: string | undefined;
  importModule(path: string): Promise<unknown>;
  log(type: PluginLogType, text: string): void;
  /** Never called inside of a hook. What it throws is logged. */
  publish(message: HostMessage): void;
  /** Opens a part of this broker that Mosquitto has as a plugin; its errors are passed on. */
  openBuiltIn(kind: BuiltInKind, path: string): Promise<Plugin>;
}

/** A plugin that has started; its parts are safe to call. */
export interface LoadedPlugin {
  readonly name: string;
  readonly version: string | undefined;
  readonly authenticator: Authenticator | undefined;
  readonly authorizer: Authorizer | undefined;
  readonly observer: Observer | undefined;
  /**
   * Tells it the options of a configuration that was read again. A failure is logged, and the
   * plugin goes on as it was; one of a built-in part is passed on.
   */
  reload(options: ReadonlyMap<string, string>): Promise<void>;
  /** Ends it; a failure is logged. */
  close(): Promise<void>;
}

/** Where plugins come from may hang; the broker must not. */
const START_SECONDS_MAX = 30;
const CLOSE_SECONDS_MAX = 5;

/**
 * Loads plugins, one after the other.
 *
 * @returns one for each source, in that order.
 * @throws {PluginError} when one cannot be loaded, after the log has been told.
 */
export async function loadPlugins(
  sources: readonly PluginSource[],
  surroundings: PluginSurroundings,
): Promise<readonly LoadedPlugin[]> {
  const byKey = new Map<PluginSource | string, LoadedPlugin>();
  const loaded: LoadedPlugin[] = [];
  for (const source of sources) {
    const key = source.name ?? source;
    let plugin = byKey.get(key);
    if (plugin === undefined) {
      try {
        plugin = await loadPlugin(source, surroundings);
      } catch (error) {
        for (const earlier of [...byKey.values()].reverse()) await earlier.close();
        throw error;
      }
      byKey.set(key, plugin);
    }
    loaded.push(plugin);
  }
  return loaded;
}

/** Takes a plugin that was made by the program itself, for example by the user of the library. */
export function adoptPlugin(
  plugin: Plugin,
  log: (type: PluginLogType, text: string) => void,
): LoadedPlugin {
  return present(asPlugin(plugin), { denySpecialChars: false, isBuiltIn: false, log });
}

async function loadPlugin(
  source: PluginSource,
  surroundings: PluginSurroundings,
): Promise<LoadedPlugin> {
  const { path } = source;
  const log = (type: PluginLogType, text: string): void => surroundings.log(type, text);
  log("information", `Loading plugin: ${path}`);
  const builtIn = findBuiltIn(path);
  if (builtIn !== undefined) {
    const file = builtInFile(source, builtIn.kind, builtIn.option, surroundings);
    const plugin = await surroundings.openBuiltIn(builtIn.kind, file);
    return announce(
      present(plugin, { denySpecialChars: false, isBuiltIn: true, log }),
      plugin,
      log,
    );
  }
  const advice = libraryAdvice(path);
  if (advice !== undefined) throw failure(surroundings, path, 13, new TypeError(advice));
  const closing = new AbortController();
  let makePlugin: ReturnType<typeof factoryOf>;
  try {
    makePlugin = factoryOf(await within(START_SECONDS_MAX, surroundings.importModule(path)));
  } catch (error) {
    throw failure(surroundings, path, 13, error);
  }
  try {
    const context = makeContext(source, surroundings, closing.signal);
    const plugin = asPlugin(await within(START_SECONDS_MAX, makePlugin(context)));
    const { denySpecialChars } = source;
    return announce(
      present(plugin, { denySpecialChars, isBuiltIn: false, log, closing }),
      plugin,
      log,
    );
  } catch (error) {
    closing.abort();
    throw failure(surroundings, path, 1, error);
  }
}

/** The file of a built-in part, which takes this one option and no other. */
function builtInFile(
  source: PluginSource,
  kind: BuiltInKind,
  option: string,
  surroundings: PluginSurroundings,
): string {
  const { options, path } = source;
  const stranger = [...options.keys()].find((name) => name !== option);
  if (stranger !== undefined) {
    const problem = `Unknown option "plugin_opt_${stranger}" for the plugin ${kind}`;
    throw failure(surroundings, path, 1, new TypeError(problem));
  }
  const file = options.get(option);
  if (file !== undefined) return file;
  const problem = `The plugin ${kind} needs the option "plugin_opt_${option}"`;
  throw failure(surroundings, path, 1, new TypeError(problem));
}

function makeContext(
  source: PluginSource,
  surroundings: PluginSurroundings,
  closing: AbortSignal,
): PluginContext {
  const { options, path } = source;
  const log = (type: PluginLogType, text: string): void => surroundings.log(type, oneLine(text));
  const outbox = new PluginOutbox({
    publish: (message) => surroundings.publish(message),
    onError: (error) => {
      log("error", `Error: Plugin "${path}" could not publish: ${messageOf(error)}`);
    },
  });
  return {
    options: new Map(options),
    persistenceLocation: surroundings.persistenceLocation,
    closing,
    log,
    publish: (message) => outbox.add(message),
  };
}

/** A line of the log has to be one, whoever writes it. */
function oneLine(text: string): string {
  return `${text}`.replaceAll(/[\r\n]+/g, " ");
}

function failure(
  surroundings: PluginSurroundings,
  path: string,
  status: 1 | 13,
  cause: unknown,
): PluginError {
  const detail = messageOf(cause);
  const what = status === 13 ? "load" : "start";
  surroundings.log("error", `Error: Unable to ${what} plugin "${path}".`);
  surroundings.log("error", `Error: ${detail}${detail.endsWith(".") ? "" : "."}`);
  return new PluginError(status, `Cannot ${what} the plugin "${path}": ${detail}`, { cause });
}

interface PresentOptions {
  readonly denySpecialChars: boolean;
  readonly isBuiltIn: boolean;
  readonly log: (type: PluginLogType, text: string) => void;
  readonly closing?: AbortController;
}

function present(plugin: Plugin, options: PresentOptions): LoadedPlugin {
  const { name, version } = plugin;
  const { log, closing, isBuiltIn } = options;
  let closed: Promise<void> | undefined;
  const report = (event: string, error: unknown): void => {
    log("error", `Error: Plugin ${name} failed in '${event}': ${messageOf(error)}`);
  };
  const close = async (): Promise<void> => {
    closing?.abort();
    try {
      await within(CLOSE_SECONDS_MAX, plugin.close?.());
    } catch (error) {
      report("close", error);
    }
  };
  return {
    name,
    version,
    ...guardPlugin(plugin, options),
    async reload(fresh: ReadonlyMap<string, string>): Promise<void> {
      try {
        await within(START_SECONDS_MAX, plugin.reload?.(new Map(fresh)));
      } catch (error) {
        if (isBuiltIn) throw error;
        report("reload", error);
      }
    },
    close: () => closed ??= close(),
  };
}

/** Tells the log what has been loaded and what it will be asked, by Mosquitto's names for it. */
function announce(
  loaded: LoadedPlugin,
  plugin: Plugin,
  log: (type: PluginLogType, text: string) => void,
): LoadedPlugin {
  const { name, version, authenticator, authorizer, observer } = loaded;
  log("information", `Plugin ${name}${version === undefined ? "" : ` version ${version}`} loaded.`);
  const events: readonly (readonly [event: string, isHandled: boolean])[] = [
    ["reload", plugin.reload !== undefined],
    ["acl-check", authorizer !== undefined],
    ["basic-auth", authenticator !== undefined],
    ["auth-start", authenticator?.exchange !== undefined],
    ["auth-continue", authenticator?.exchange !== undefined],
    ["message-in", observer?.message !== undefined],
    ["disconnect", observer?.disconnected !== undefined],
    ["connect", observer?.connected !== undefined],
  ];
  for (const [event, isHandled] of events) {
    if (!isHandled) continue;
    log("information", `Plugin ${name} has registered to receive '${event}' events.`);
  }
  return loaded;
}

/** The outcome, or an error when it takes too long; what comes after that is nobody's business. */
async function within<T>(seconds: number, outcome: Eventual<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`No answer within ${seconds} seconds`)),
      seconds * 1000,
    );
  });
  try {
    return await Promise.race([outcome, late]);
  } finally {
    clearTimeout(timer);
  }
}
