/**
 * What a configuration becomes when another one is read while the broker runs: which of the new
 * values count at once is a column of the option tables, and the rest keep their old values, which
 * is told. Listeners stay those that are open.
 *
 * The idea: the result is either a whole configuration that can be put in force, or errors, and
 * then nothing changes.
 *
 * @module
 */

import type { Config, ListenerConfig, PluginConfig, SecurityConfig } from "./config.ts";
import { type ConfigError, fileError, lineError } from "./config_error.ts";
import type { ConfigNote } from "./note.ts";
import { OPTIONS } from "./options/all.ts";

const NO_OTHER_LISTENERS =
  "It is not currently possible to add/remove listeners when reloading the config file.";
const NO_OTHER_TLS =
  "It is not currently possible to turn TLS on or off when reloading the config file.";

/** What came of a reload. There is a configuration exactly if there are no errors. */
export interface ReloadResult {
  readonly config: Config | undefined;
  readonly errors: readonly ConfigError[];
  readonly notes: readonly ConfigNote[];
}

/** Combines the configuration in force with one that was read anew. */
export function reloadConfig(old: Config, fresh: Config): ReloadResult {
  const errors: ConfigError[] = [];
  const kept = new Set<string>();
  const pairs = matchListeners(old, fresh, errors);
  const security = keepPlugins(old.security, fresh.security, kept);
  const mergeListener = (was: ListenerConfig, is: ListenerConfig): ListenerConfig => ({
    ...keepUnreloadable("listener", was, is, kept),
    tls: was.tls === undefined || is.tls === undefined
      ? is.tls
      : keepUnreloadable("tls", was.tls, is.tls, kept),
    // Whom the global settings concern shares their object, as before.
    security: was.security === old.security && is.security === fresh.security
      ? security
      : keepPlugins(was.security, is.security, kept),
  });
  const config: Config = {
    ...fresh,
    general: {
      ...keepUnreloadable("general", old.general, fresh.general, kept),
      isUserGiven: old.general.isUserGiven,
    },
    log: keepUnreloadable("log", old.log, fresh.log, kept),
    persistence: keepUnreloadable("persistence", old.persistence, fresh.persistence, kept),
    rateLimits: keepUnreloadable("rateLimits", old.rateLimits, fresh.rateLimits, kept),
    security,
    listeners: pairs.map(([was, is]) => mergeListener(was, is)),
    localListener: mergeListener(old.localListener, fresh.localListener),
  };
  const notes = [...kept].map((name): ConfigNote => ({
    type: "warning",
    text: `Warning: The '${name}' option cannot be changed when reloading the config file. ` +
      "Restart to use its new value.",
  }));
  if (errors.length > 0) return { config: undefined, errors, notes: [] };
  return { config, errors, notes };
}

/** Finds for each listener that is read the one that is open: by port and address, or by path. */
function matchListeners(
  old: Config,
  fresh: Config,
  errors: ConfigError[],
): (readonly [was: ListenerConfig, is: ListenerConfig])[] {
  const open = [...old.listeners];
  const pairs: (readonly [ListenerConfig, ListenerConfig])[] = [];
  const pair = (was: ListenerConfig, is: ListenerConfig): void => {
    if ((was.tls === undefined) !== (is.tls === undefined)) {
      errors.push(lineError(NO_OTHER_TLS, { at: is.at, includedAt: undefined }));
    }
    pairs.push([was, is]);
  };
  for (const is of fresh.listeners) {
    const index = open.findIndex((was) =>
      was.port === is.port && was.host === is.host && was.path === is.path
    );
    if (index < 0) {
      errors.push(lineError(NO_OTHER_LISTENERS, { at: is.at, includedAt: undefined }));
    } else pair(open.splice(index, 1)[0]!, is);
  }
  if (errors.length === 0 && (open.length > 0 || old.isLocalOnly !== fresh.isLocalOnly)) {
    errors.push(fileError(NO_OTHER_LISTENERS, fresh.files.at(-1) ?? ""));
  }
  if (
    old.isLocalOnly && fresh.isLocalOnly &&
    (old.localListener.tls === undefined) !== (fresh.localListener.tls === undefined)
  ) {
    errors.push(lineError(NO_OTHER_TLS, { at: fresh.localListener.at, includedAt: undefined }));
  }
  return pairs;
}

/** The new part, but with the old value of each field that only a restart changes. */
function keepUnreloadable<Part extends object>(
  part: string,
  old: Part,
  fresh: Part,
  kept: Set<string>,
): Part {
  // Parts are plain objects: their fields are named by the rows.
  const before = old as Record<string, unknown>;
  const fields = { ...fresh as Record<string, unknown> };
  for (const { name, field, reload } of OPTIONS) {
    if (reload !== "N" || field === undefined || !field.startsWith(`${part}.`)) continue;
    const key = field.slice(part.length + 1);
    const value = before[key];
    if (value === fields[key]) continue;
    fields[key] = value;
    kept.add(name);
  }
  // The same fields as before, each with a value that it had.
  return fields as Part;
}

/** Plugins are loaded once, so the ones that are there remain, with what they were told. */
function keepPlugins(
  old: SecurityConfig,
  fresh: SecurityConfig,
  kept: Set<string>,
): SecurityConfig {
  if (!areSamePlugins(old.plugins, fresh.plugins)) kept.add("plugin");
  return { ...fresh, plugins: old.plugins };
}

function areSamePlugins(one: readonly PluginConfig[], other: readonly PluginConfig[]): boolean {
  return one.length === other.length && one.every((plugin, i) => isSamePlugin(plugin, other[i]!));
}

function isSamePlugin(one: PluginConfig, other: PluginConfig): boolean {
  return one.name === other.name && one.path === other.path &&
    one.denySpecialChars === other.denySpecialChars && one.options.size === other.options.size &&
    [...one.options].every(([key, value]) => other.options.get(key) === value);
}
