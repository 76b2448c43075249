/**
 * Every option of pub, sub, rr and ctrl: the one table from which their command lines are read, and
 * their help and shell completions are made.
 *
 * @module
 */

import type { ToolName } from "../client_settings.ts";
import type { ClientOption } from "../option.ts";
import { CONNECTION_OPTIONS } from "./connection.ts";
import { CTRL_OPTIONS } from "./ctrl.ts";
import { MESSAGE_OPTIONS } from "./message.ts";
import { OUTPUT_OPTIONS } from "./output.ts";
import { RECEIVE_OPTIONS } from "./receive.ts";
import { SESSION_OPTIONS } from "./session.ts";
import { TLS_OPTIONS } from "./tls.ts";
import { WILL_OPTIONS } from "./will.ts";

const OPTIONS: readonly ClientOption[] = [
  ...MESSAGE_OPTIONS,
  ...RECEIVE_OPTIONS,
  ...OUTPUT_OPTIONS,
  ...CONNECTION_OPTIONS,
  ...SESSION_OPTIONS,
  ...WILL_OPTIONS,
  ...TLS_OPTIONS,
  ...CTRL_OPTIONS,
];

/** The options that a tool takes. */
export function optionsOf(tool: ToolName): readonly ClientOption[] {
  return OPTIONS.filter(({ tools }) => tools.includes(tool));
}
