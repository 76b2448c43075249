/**
 * Options of what survives a restart.
 *
 * @module
 */

import type { Option } from "../option.ts";
import { countOrZero, text, truth } from "../values.ts";

export const PERSISTENCE_OPTIONS: readonly Option[] = [
  {
    name: "autosave_interval",
    scope: "G",
    value: countOrZero,
    fallback: 1800,
    field: "persistence.autosaveInterval",
    repeat: "last",
    reload: "Y",
    effect: "Seconds, or changes with autosave_on_changes, between two savings of the database.",
  },
  {
    name: "autosave_on_changes",
    scope: "G",
    value: truth,
    fallback: false,
    field: "persistence.autosaveOnChanges",
    repeat: "last",
    reload: "Y",
    effect: "Counts changes instead of seconds for autosave_interval.",
  },
  {
    name: "persistence",
    aliases: ["retained_persistence"],
    scope: "G",
    value: truth,
    fallback: false,
    field: "persistence.isOn",
    repeat: "last",
    reload: "Y",
    effect: "Whether sessions and retained messages survive a restart.",
    difference: "Nothing is saved in this version, which a warning says at the start.",
  },
  {
    name: "persistence_file",
    scope: "G",
    value: text({ syntax: "file name" }),
    fallback: "mosquitto.db",
    field: "persistence.file",
    repeat: "never",
    reload: "Y",
    effect: "The name of the database in persistence_location.",
  },
  {
    name: "persistence_location",
    scope: "G",
    value: text({ syntax: "directory" }),
    fallback: ".",
    default: "the current directory",
    field: "persistence.location",
    repeat: "never",
    reload: "Y",
    effect: "Where the database is.",
  },
];
