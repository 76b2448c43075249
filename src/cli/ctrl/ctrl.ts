/**
 * `ctrl`: has a broker carry out commands while it runs, as `mosquitto_ctrl` does: one command, or
 * without any the shell of shell.ts.
 *
 * @module
 */

import { NAME, VERSION } from "../../app/version.ts";
import { clientManual } from "../client/client_manual.ts";
import { Draft } from "../client/draft.ts";
import { complain } from "../client/tool.ts";
import { UsageError } from "../client/usage_error.ts";
import type { CommandCall } from "../command.ts";
import { formatManual, type Manual } from "../manual.ts";
import { BROKER_MODULE } from "./broker_module.ts";
import { ControlSession } from "./control_session.ts";
import { askSecret, completeSettings, readCtrlLine } from "./ctrl_line.ts";
import {
  type ControlCommand,
  type ControlModule,
  formatModuleHelp,
  type ResponseData,
} from "./module.ts";
import { runShell } from "./shell.ts";
import { tell, warnOfClearText } from "./tell.ts";

const DONE = 0;
const STATUS_USAGE = 1;
const STATUS_INVALID = 3;
const STATUS_UNKNOWN_MODULE = 10;
const STATUS_UNKNOWN_COMMAND = 13;

const ANSWER_LIMIT_MS = 10_000;
const HELP = "help";

const MODULES: readonly ControlModule[] = [BROKER_MODULE];

/** What one command line wants to be done. */
interface Errand {
  readonly module: ControlModule;
  readonly command: ControlCommand;
  readonly fields: ResponseData;
}

/** Runs the command; gives its exit status. */
export async function ctrl(call: CommandCall): Promise<number> {
  const draft = new Draft("ctrl");
  try {
    const words = await readCtrlLine(draft, call);
    if (draft.request !== undefined) return tellOfItself(draft.request, call);
    if (words.length === 0) return await runShell(draft, call, MODULES);
    const errand = errandOf(words, call);
    return typeof errand === "number" ? errand : await run(errand, draft, call);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await complain(error, { draft, call });
    return STATUS_USAGE;
  }
}

/** The manual, with what can stand behind the options. */
export function ctrlManual(name: string): Manual {
  const commands = MODULES.flatMap((module) => module.commands);
  return {
    ...clientManual("ctrl", name),
    operands: [
      [...MODULES.map((module) => module.name), HELP],
      [...commands.map((command) => command.name), HELP],
      [],
    ],
  };
}

function tellOfItself(request: "help" | "version", { runtime, name }: CommandCall): number {
  runtime.print(
    "stdout",
    request === "version"
      ? `${name} version ${VERSION} running on ${NAME} ${VERSION}.\n`
      : formatManual(ctrlManual(name)),
  );
  return STATUS_USAGE;
}

/** What the words mean, or the exit status when there is nothing to be done with them. */
function errandOf(words: readonly string[], call: CommandCall): Errand | number {
  const { runtime, name } = call;
  // Help of a module is asked for in either order.
  const [moduleName = "", commandName, ...rest] = words[0] === HELP
    ? [words[1] ?? "", HELP]
    : words;
  const complain = (text: string, status: number): number => {
    runtime.print("stderr", `${text}\n`);
    return status;
  };
  if (moduleName === "") return tellOfItself("help", call);
  const module = MODULES.find((each) => each.name === moduleName);
  if (module === undefined) {
    return complain(`Error: Module '${moduleName}' not supported.`, STATUS_UNKNOWN_MODULE);
  }
  if (commandName === undefined) return tellOfItself("help", call);
  if (commandName === HELP) {
    runtime.print("stdout", formatModuleHelp(name, module));
    return DONE;
  }
  const command = module.commands.find((each) => each.name === commandName);
  if (command === undefined) {
    return complain(`Command '${commandName}' not recognised.`, STATUS_UNKNOWN_COMMAND);
  }
  const fields = command.fieldsOf(rest);
  return fields === undefined
    ? complain("Error: Invalid input.", STATUS_INVALID)
    : { module, command, fields };
}

async function run(errand: Errand, draft: Draft, { runtime }: CommandCall): Promise<number> {
  const host = await runtime.host();
  const settings = await completeSettings(draft, host, (question) => askSecret(host, question));
  if (settings === undefined) return STATUS_USAGE;
  warnOfClearText(settings, runtime);
  const print = (text: string): void => runtime.print("stdout", text);
  const session = await ControlSession.open(settings, { runtime, print });
  if (typeof session === "number") return session;
  const { module, command, fields } = errand;
  const request = { command: command.name, fields, mark: crypto.randomUUID() };
  const outcome = await session.ask(module.endpoint, request, ANSWER_LIMIT_MS);
  const status = outcome.kind === "ended" ? outcome.status : DONE;
  const problem = tell(outcome, command, print);
  if (problem !== undefined && !settings.isQuiet) runtime.print("stderr", `${problem}\n`);
  await session.close();
  return status;
}
