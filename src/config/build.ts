/**
 * A draft becomes a configuration: defaults are applied, and every listener is given the security
 * settings that concern it. Which field an option sets is in its row.
 *
 * @module
 */

import type {
  Config,
  GeneralConfig,
  ListenerConfig,
  ListenerTlsConfig,
  PluginConfig,
  SecurityConfig,
} from "./config.ts";
import { buildBridge } from "./build_bridge.ts";
import {
  DEFAULT_ADDRESS,
  type Draft,
  type ListenerDraft,
  newDraft,
  newListener,
  type PluginDraft,
  type Settings,
} from "./draft.ts";
import { OPTIONS } from "./options/all.ts";

/** The configuration of whoever gives none. */
export function defaultConfig(): Config {
  return buildConfig(newDraft([]));
}

/** Makes the configuration that a draft without faults means. */
export function buildConfig(draft: Draft): Config {
  const pluginOf = pluginBuilder();
  const security = buildSecurity(draft.security, draft.plugins.map(pluginOf));
  const listenerOf = (listener: ListenerDraft): ListenerConfig => {
    const own = listener.plugins.map(pluginOf);
    const settings = draft.hasPerListenerSettings ? listener.security : draft.security;
    // One object for all whom the global settings concern: what is made of it is made once.
    const isGlobal = !draft.hasPerListenerSettings && own.length === 0;
    return buildListener(
      listener,
      isGlobal ? security : buildSecurity(settings, [...security.plugins, ...own]),
      draft.isLocalOnly,
    );
  };
  const start = { at: { file: "", line: 0 }, includedAt: undefined };
  const local = draft.listeners[0] ?? newListener(DEFAULT_ADDRESS, start, true);
  return {
    files: draft.files,
    general: {
      ...assemble<GeneralConfig>("general", draft.general),
      isUserGiven: draft.general.has("user"),
    },
    listeners: draft.isLocalOnly ? [] : draft.listeners.map(listenerOf),
    isLocalOnly: draft.isLocalOnly,
    localListener: listenerOf(
      draft.isLocalOnly ? local : newListener(DEFAULT_ADDRESS, start, true),
    ),
    security,
    hasPerListenerSettings: draft.hasPerListenerSettings,
    log: assemble("log", draft.general),
    persistence: assemble("persistence", draft.general),
    rateLimits: assemble("rateLimits", draft.general),
    bridges: draft.bridges.map(buildBridge),
  };
}

function buildSecurity(settings: Settings, plugins: readonly PluginConfig[]): SecurityConfig {
  return { ...assemble<SecurityConfig>("security", settings), plugins };
}

function buildListener(
  { address, place, settings }: ListenerDraft,
  security: SecurityConfig,
  isLocalOnly: boolean,
): ListenerConfig {
  const tls = assemble<ListenerTlsConfig>("tls", settings);
  const ownAnonymous = settings.get("listener_allow_anonymous")?.value;
  const ownPrefix = settings.get("listener_auto_id_prefix")?.value;
  return {
    ...assemble<ListenerConfig>("listener", settings),
    at: place.at,
    port: address.port,
    host: address.host,
    path: address.path,
    allowAnonymous: typeof ownAnonymous === "boolean"
      ? ownAnonymous
      : security.allowAnonymous ?? isLocalOnly,
    autoIdPrefix: typeof ownPrefix === "string" ? ownPrefix : security.autoIdPrefix,
    tls: tls.certFile === undefined && tls.pskHint === undefined ? undefined : tls,
    security,
  };
}

/** A plugin that several listeners use is one object in all of them. */
function pluginBuilder(): (plugin: PluginDraft) => PluginConfig {
  const built = new Map<PluginDraft, PluginConfig>();
  return (plugin) => {
    let config = built.get(plugin);
    if (config === undefined) {
      const { name, path, options, denySpecialChars, place } = plugin;
      built.set(plugin, config = { name, path, options, denySpecialChars, at: place.at });
    }
    return config;
  };
}

/** The fields that rows name for one part of the configuration, each with its value or default. */
function assemble<Part>(part: string, settings: Settings): Part {
  const fields: Record<string, unknown> = {};
  for (const { name, field, fallback } of OPTIONS) {
    if (field === undefined || !field.startsWith(`${part}.`)) continue;
    const setting = settings.get(name);
    fields[field.slice(part.length + 1)] = setting === undefined ? fallback : setting.value;
  }
  // The rows are held against every field and its type by the test of the whole default.
  return fields as Part;
}
