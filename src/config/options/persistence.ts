/**
 * Options of what survives a restart.
 *
 * @module
 */

import type { Option } from "../option.ts";
import { choice, countOrZero, text, truth } from "../values.ts";

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
    difference: "Accepted and of no effect: what is acknowledged is saved already.",
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
    difference: "Accepted and of no effect, as autosave_interval.",
  },
  {
    name: "persistence",
    aliases: ["retained_persistence"],
    scope: "G",
    value: truth,
    fallback: false,
    field: "persistence.isOn",
    repeat: "last",
    reload: "N",
    effect: "Whether sessions and retained messages survive a restart.",
    difference: "What is acknowledged is on the disk; a reload does not turn it on or off.",
  },
  {
    name: "persistence_file",
    scope: "G",
    value: text({ syntax: "file name" }),
    fallback: "mosquitto.db",
    field: "persistence.file",
    repeat: "never",
    reload: "N",
    effect: "The name of the database in persistence_location.",
    difference: "The broker's own stands beside it, with `.midge` in place of `.db`; that of " +
      "Mosquitto is read at the first start and never written.",
  },
  {
    name: "persistence_location",
    scope: "G",
    value: text({ syntax: "directory" }),
    fallback: ".",
    default: "the current directory",
    field: "persistence.location",
    repeat: "never",
    reload: "N",
    effect: "Where the database is.",
  },
  {
    name: "persistence_sync",
    scope: "G",
    value: choice(["full", "normal"]),
    fallback: "full",
    field: "persistence.sync",
    repeat: "last",
    reload: "N",
    effect: "`full` acknowledges what the disk has, `normal` what the system has: a crash of the " +
      "broker loses nothing then, a power cut the last seconds.",
    difference: "An option of this broker alone.",
  },
  {
    name: "persistence_thread",
    scope: "G",
    value: truth,
    fallback: false,
    field: "persistence.waitsInThread",
    repeat: "last",
    reload: "N",
    effect: "Waits for the disk in another thread, so that a slow one delays acknowledgements " +
      "and nothing else.",
    difference: "An option of this broker alone.",
  },
];
