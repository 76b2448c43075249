/**
 * Options of plugins: which to load, for whom, and what to tell them. Whether a path can be loaded
 * is found out by whoever loads it.
 *
 * @module
 */

import type { Option } from "../option.ts";
import { truth } from "../values.ts";
import { pluginName, pluginNameAndPath, pluginOption, pluginPath } from "../plugin_values.ts";

const DIFFERENCE = "The path of a module in JavaScript or TypeScript.";

export const PLUGIN_OPTIONS: readonly Option[] = [
  {
    name: "auth_plugin_deny_special_chars",
    scope: "P",
    value: truth,
    fallback: false,
    repeat: "last",
    reload: "N",
    difference: "Mosquitto's default is true, for plugins of its old interfaces only.",
    effect: "Denies everything to clients whose name or identifier contains `+`, `#` or `/`.",
  },
  {
    name: "global_plugin",
    scope: "G",
    value: pluginPath,
    default: "none",
    repeat: "all",
    reload: "N",
    effect: "Loads a plugin for all listeners.",
    difference: DIFFERENCE,
  },
  {
    name: "plugin",
    aliases: ["auth_plugin"],
    scope: "S",
    value: pluginPath,
    default: "none",
    field: "security.plugins",
    repeat: "all",
    reload: "N",
    deprecated: { auth_plugin: "Use 'plugin' instead." },
    effect: "Loads a plugin.",
    difference: DIFFERENCE,
  },
  {
    name: "plugin_load",
    scope: "G",
    value: pluginNameAndPath,
    default: "none",
    repeat: "all",
    reload: "N",
    effect: "Names a plugin, for plugin_use.",
    difference: DIFFERENCE,
  },
  {
    name: "plugin_opt_<key>",
    aliases: ["auth_opt_<key>"],
    prefixes: ["plugin_opt_", "auth_opt_"],
    scope: "P",
    value: pluginOption,
    default: "none",
    repeat: "all",
    reload: "N",
    deprecated: { auth_opt_: "Use 'plugin_opt_' instead." },
    effect: "What the plugin is told, by key.",
  },
  {
    name: "plugin_use",
    scope: "Ln",
    value: pluginName,
    default: "none",
    repeat: "all",
    reload: "N",
    effect: "Uses a plugin of plugin_load for this listener.",
  },
];
