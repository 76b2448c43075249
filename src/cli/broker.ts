/**
 * The command that runs the broker: from the words of its command line to its exit status. What
 * happens in between is in `app/program.ts`.
 *
 * @module
 */

import { runProgram } from "../app/program.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { parseBrokerFlags } from "./flags.ts";

/** As Mosquitto's: the command line or the configuration is wrong. */
const STATUS_INVALID = 3;

/** Runs the program until a signal ends it, then exits the process. */
export async function runBroker(runtime: Runtime, args: readonly string[]): Promise<void> {
  const flags = parseBrokerFlags(args);
  switch (flags.kind) {
    case "fault":
      runtime.print("stderr", flags.text);
      runtime.print("stdout", flags.usage);
      return runtime.exit(STATUS_INVALID);
    case "print":
      runtime.print("stdout", flags.text);
      return runtime.exit(0);
    case "run":
      return runtime.exit(await runProgram(runtime, flags));
  }
}
