/**
 * The types of log lines, as `log_type` names them, and which are wanted by default. Who writes
 * lines is in log.ts; what they say about events is in format_event.ts.
 *
 * @module
 */

/** The types of lines, by the names that `log_type` has for them. */
export type LogType =
  | "error"
  | "warning"
  | "notice"
  | "information"
  | "debug"
  | "subscribe"
  | "unsubscribe";

/** One line before it is stamped. */
export interface LogLine {
  readonly type: LogType;
  readonly text: string;
}

/** What is logged unless told otherwise. */
export const DEFAULT_LOG_TYPES: readonly LogType[] = ["error", "warning", "notice", "information"];

/** All there is. */
export const ALL_LOG_TYPES: readonly LogType[] = [
  ...DEFAULT_LOG_TYPES,
  "debug",
  "subscribe",
  "unsubscribe",
];
