/**
 * A configuration while it is read: what each section was told, by the names of the options. What
 * it means, defaults included, is decided in build.ts once all lines are there.
 *
 * @module
 */

import type { Place } from "./config_error.ts";
import type { ListenAddress } from "./listener_values.ts";

/** What was written last for one option in one section. */
export interface Setting {
  readonly value: unknown;
  readonly place: Place;
  /** The value must not be shown. */
  readonly isSecret: boolean;
  readonly layer: Layer;
  /** The listener in whose section the line stands, whomever it concerns. */
  readonly within: ListenerDraft | undefined;
}

/** The environment overrides what files say; within one of the two, a second line is a second. */
export type Layer = "files" | "environment";

/** By the first name of the option. */
export type Settings = Map<string, Setting>;

export interface PluginDraft {
  readonly name: string | undefined;
  readonly path: string;
  readonly options: Map<string, string>;
  denySpecialChars: boolean;
  readonly place: Place;
}

export interface ListenerDraft {
  address: ListenAddress;
  readonly place: Place;
  /** The default listener, which no `listener` line made. */
  readonly isDefault: boolean;
  readonly settings: Settings;
  /** With `per_listener_settings true`: what else would be global. */
  readonly security: Settings;
  readonly plugins: PluginDraft[];
}

export interface BridgeDraft {
  readonly name: string;
  readonly place: Place;
  readonly settings: Settings;
}

/** All sections. */
export interface Draft {
  readonly files: readonly string[];
  /** Options of the whole broker, of the log, of persistence … */
  readonly general: Settings;
  readonly security: Settings;
  readonly plugins: PluginDraft[];
  /** Those of `plugin_load`. */
  readonly namedPlugins: Map<string, PluginDraft>;
  readonly listeners: ListenerDraft[];
  readonly bridges: BridgeDraft[];
  hasPerListenerSettings: boolean;
  /** Neither `listener` nor `port` nor `bind_address` was written. */
  isLocalOnly: boolean;
}

export function newDraft(files: readonly string[]): Draft {
  return {
    files,
    general: new Map(),
    security: new Map(),
    plugins: [],
    namedPlugins: new Map(),
    listeners: [],
    bridges: [],
    hasPerListenerSettings: false,
    isLocalOnly: true,
  };
}

export function newListener(
  address: ListenAddress,
  place: Place,
  isDefault: boolean,
): ListenerDraft {
  return { address, place, isDefault, settings: new Map(), security: new Map(), plugins: [] };
}

/** Where the default listener is until something else is said. */
export const DEFAULT_ADDRESS: ListenAddress = Object.freeze({
  port: 1883,
  host: undefined,
  path: undefined,
});
