/**
 * What the operator is told while a configuration is read, and by which log type. Errors are not
 * notes: they are in config_error.ts.
 *
 * @module
 */

export interface ConfigNote {
  readonly type: "information" | "notice" | "warning";
  readonly text: string;
}
