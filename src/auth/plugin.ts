/**
 * What a plugin is: an object with up to three parts, one for each contract of auth.ts, and a
 * beginning and an end. Whoever writes one needs this file and that one; how plugins are found and
 * loaded is in load_plugins.ts, and what happens when one fails in plugin_guard.ts.
 *
 * The idea: a part that is absent costs nothing, and a part that fails refuses.
 *
 * @module
 */

import type { HostMessage } from "../core/broker/broker_core.ts";
import type { Authenticator, Authorizer, Eventual, Observer } from "./auth.ts";

/**
 * Decides about clients, observes them, or both.
 *
 * ```ts
 * import type { Plugin } from "./mod.ts";
 *
 * const nightWatch: Plugin = {
 *   name: "night-watch",
 *   authorizer: {
 *     name: "night-watch",
 *     publish: () => new Date().getHours() < 6 ? 0x87 : "defer",
 *   },
 * };
 * ```
 */
export interface Plugin {
  readonly name: string;
  readonly version?: string;
  readonly authenticator?: Authenticator;
  readonly authorizer?: Authorizer;
  readonly observer?: Observer;
  /** The configuration was read again; these are the options in it now. */
  reload?(options: ReadonlyMap<string, string>): Eventual<void>;
  /** The broker stops. */
  close?(): Eventual<void>;
}

/** The types of lines that a plugin may write to the log. */
export type PluginLogType = "error" | "warning" | "notice" | "information" | "debug";

/** What the broker gives a plugin. */
export interface PluginContext {
  /** The `plugin_opt_` lines of the configuration, without that prefix. */
  readonly options: ReadonlyMap<string, string>;
  /** Where the broker keeps its own state, and a plugin may keep its. */
  readonly persistenceLocation: string | undefined;
  /** Aborted when the broker stops: for requests that would otherwise keep it waiting. */
  readonly closing: AbortSignal;
  /** Writes a line to the broker's log. */
  log(type: PluginLogType, text: string): void;
  /**
   * Publishes as the broker, right after the present turn; no plugin is asked about it. The bytes
   * are copied.
   *
   * @returns `false` when too much is waiting to be published, and the message was dropped.
   * @throws {TypeError} when it is no message.
   */
  publish(message: HostMessage): boolean;
}

/** Makes a plugin: what the module of one exports by default, or as `plugin`. */
export type PluginFactory = (context: PluginContext) => Eventual<Plugin>;
