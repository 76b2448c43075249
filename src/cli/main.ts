/**
 * The program: the broker, or the command that its name or its first word asks for.
 *
 * The idea: a command is loaded when it is chosen, so that none of them pays for the others.
 *
 * @module
 */

import type { Runtime } from "../runtime/runtime.ts";
import { chooseCommand, type Command, type CommandName } from "./command.ts";

const COMMANDS: Readonly<Record<CommandName, () => Promise<Command>>> = {
  pub: async () => (await import("./client/pub.ts")).pub,
  sub: async () => (await import("./client/sub.ts")).sub,
  rr: async () => (await import("./client/rr.ts")).rr,
  passwd: async () => (await import("./passwd.ts")).passwd,
  ctrl: async () => (await import("./ctrl/ctrl.ts")).ctrl,
  signal: async () => (await import("./signal.ts")).signal,
  "db-dump": async () => (await import("./db_dump/db_dump.ts")).dbDump,
  relay: async () => (await import("./relay/relay.ts")).relay,
  completion: async () => (await import("./completion/completion.ts")).completion,
};

/** Runs what the command line asks for, then exits the process. */
export async function runCommandLine(runtime: Runtime): Promise<void> {
  const { command, args, name } = chooseCommand(runtime.programName(), runtime.args);
  if (command === undefined) {
    const { runBroker } = await import("./broker.ts");
    return await runBroker(runtime, args);
  }
  const run = await COMMANDS[command]();
  runtime.exit(await run({ runtime, args, name }));
}
