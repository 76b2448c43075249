/**
 * What `ctrl` says: what came of a command, and what whoever sends one should know.
 *
 * @module
 */

import type { Runtime } from "../../runtime/runtime.ts";
import type { CommonSettings } from "../client/client_settings.ts";
import type { ControlOutcome } from "./control_session.ts";
import type { ControlCommand } from "./module.ts";

/** Prints what came of a command; what there is to complain about is given back. */
export function tell(
  outcome: ControlOutcome,
  command: ControlCommand,
  print: (text: string) => void,
): string | undefined {
  switch (outcome.kind) {
    case "ended":
      return undefined;
    case "timed-out":
      return "Timed out with no response.";
    case "error":
      return outcome.text;
    case "done": {
      const text = command.format(outcome.data ?? {});
      if (text === undefined) return "Error: Invalid response from server.";
      print(text);
      return undefined;
    }
  }
}

/** Whoever is on the way could read, and change, what is said. */
export function warnOfClearText(
  { tls, place, isQuiet }: CommonSettings,
  runtime: Runtime,
): void {
  if (tls !== undefined || place.unixPath !== undefined || isQuiet) return;
  runtime.print(
    "stderr",
    "Warning: The connection to the broker is not encrypted. Passwords and all else that is\n" +
      "configured over it can be read, and changed, on the way. Use --cafile or --unix.\n\n",
  );
}
