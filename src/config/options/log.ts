/**
 * Options of the log: where lines go, which ones, and what they look like.
 *
 * @module
 */

import { logDestination, logType, mergeLogDestinations, mergeLogTypes } from "../log_values.ts";
import { USUAL_LOG_TYPES } from "../log_values.ts";
import type { Option } from "../option.ts";
import { choice, integer, text, truth } from "../values.ts";

export const LOG_OPTIONS: readonly Option[] = [
  {
    name: "log_dest",
    scope: "G",
    value: logDestination,
    fallback: [{ kind: "stderr" }],
    default: "`stderr`",
    field: "log.destinations",
    repeat: "all",
    merge: mergeLogDestinations,
    reload: "Y",
    effect: "Where log lines go; every line adds a place.",
    difference: "`dlt` and `android` are ignored with a warning.",
  },
  {
    name: "log_facility",
    scope: "G",
    value: integer({
      min: 0,
      max: 7,
      fault: (shown) => `Invalid 'log_facility' value (${shown}).`,
    }),
    default: "daemon",
    field: "log.facility",
    repeat: "last",
    reload: "Y",
    effect: "Which of local0 to local7 syslog is told.",
  },
  {
    name: "log_format",
    scope: "G",
    value: choice(["text", "json"]),
    fallback: "text",
    field: "log.format",
    repeat: "last",
    reload: "Y",
    effect: "Whether a line is text or a JSON object.",
    difference: "Midge only.",
  },
  {
    name: "log_timestamp",
    scope: "G",
    value: truth,
    fallback: true,
    field: "log.hasTimestamp",
    repeat: "last",
    reload: "Y",
    effect: "Begins every line with the time.",
  },
  {
    name: "log_timestamp_format",
    scope: "G",
    value: text({ syntax: "a format of strftime" }),
    default: "seconds since 1970",
    field: "log.timestampFormat",
    repeat: "never",
    reload: "Y",
    effect: "How the time is written, in local time.",
  },
  {
    name: "log_type",
    scope: "G",
    value: logType,
    fallback: USUAL_LOG_TYPES,
    default: "`error`, `warning`, `notice`, `information`",
    field: "log.types",
    repeat: "all",
    merge: mergeLogTypes,
    reload: "Y",
    effect: "Which lines are written; every line adds a type.",
  },
];
