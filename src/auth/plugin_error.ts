/**
 * The error for a plugin that cannot be used.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";

/** What the program ends with: no such plugin, or one that did not start. */
export type PluginStatus = 13 | 1;

/** A plugin could not be loaded or did not start; the log says why already. */
export class PluginError extends OperationError {
  /** The exit status that it means for a program that starts. */
  readonly status: PluginStatus;

  constructor(status: PluginStatus, message: string, options?: ErrorOptions) {
    super("plugin-failed", message, options);
    this.status = status;
  }
}
