/**
 * The manuals of all commands. Only completion needs more than one of them at once.
 *
 * @module
 */

import { clientManual } from "../client/client_manual.ts";
import type { CommandName } from "../command.ts";
import { ctrlManual } from "../ctrl/ctrl.ts";
import { dbDumpManual } from "../db_dump/db_dump.ts";
import type { Manual } from "../manual.ts";
import { passwdManual } from "../passwd_flags.ts";
import { relayManual } from "../relay/relay_flags.ts";
import { signalManual } from "../signal.ts";

export { brokerManual } from "../flags.ts";

/** By command; completion has its own. */
export const MANUALS: Readonly<
  Record<Exclude<CommandName, "completion">, (name: string) => Manual>
> = {
  pub: (name) => clientManual("pub", name),
  sub: (name) => clientManual("sub", name),
  rr: (name) => clientManual("rr", name),
  passwd: passwdManual,
  ctrl: ctrlManual,
  signal: signalManual,
  "db-dump": dbDumpManual,
  relay: relayManual,
};
