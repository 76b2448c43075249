/**
 * The types of log lines, as `log_type` names them, and what an operator decides about the log. Who
 * writes lines is in log.ts; what they say about events is in format_event.ts.
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
  | "unsubscribe"
  | "internal"
  | "websockets";

/** One line before it is stamped. */
export interface LogLine {
  readonly type: LogType;
  readonly text: string;
}

/** What a line is about, for whoever reads the log by machine; never a secret, never a payload. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What is logged unless told otherwise. */
export const DEFAULT_LOG_TYPES: readonly LogType[] = ["error", "warning", "notice", "information"];

/** All there is. */
export const ALL_LOG_TYPES: readonly LogType[] = [
  ...DEFAULT_LOG_TYPES,
  "debug",
  "subscribe",
  "unsubscribe",
  "internal",
  "websockets",
];

/** A place where lines go. */
export type LogPlace =
  | { readonly kind: "stdout" | "stderr" }
  | { readonly kind: "syslog" | "topic" }
  | { readonly kind: "file"; readonly path: string };

/** The log of a configuration, in the terms of its options. */
export interface LogSettings {
  readonly destinations: readonly LogPlace[];
  /** Names of types. */
  readonly types: readonly string[];
  /** `undefined`: the daemon facility; 0 to 7: local0 to local7. */
  readonly facility: number | undefined;
  readonly hasTimestamp: boolean;
  /** A strftime format; `undefined`: seconds since 1970. */
  readonly timestampFormat: string | undefined;
  readonly format: "text" | "json";
  /** Whether there are lines about clients that come and go. */
  readonly hasConnectionMessages: boolean;
}

/** The log before a configuration has been read, and without one. */
export const DEFAULT_LOG_SETTINGS: LogSettings = Object.freeze<LogSettings>({
  destinations: [{ kind: "stderr" }],
  types: DEFAULT_LOG_TYPES,
  facility: undefined,
  hasTimestamp: true,
  timestampFormat: undefined,
  format: "text",
  hasConnectionMessages: true,
});
