/**
 * Commands to the broker over MQTT: JSON that clients publish below `$CONTROL/`, and the answers
 * that are published beside it. Who may publish there is for the access rules to say.
 *
 * The idea: commands run one after the other, each with an answer of its own; an element that is no
 * command ends the list, and what was answered before is still sent.
 *
 * @module
 */

/** The endpoint of the broker itself. */
export const BROKER_ENDPOINT = "$CONTROL/broker/v1";

/** Carries out one command, `undefined` when there is none of that name. */
export type RunCommand = (name: string) => CommandResult | undefined;

export interface CommandResult {
  /** The name as it is written in the answer. */
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The answer to one command. */
interface Response {
  readonly command: string;
  readonly error?: string;
  readonly data?: CommandResult["data"];
  readonly correlationData?: string;
}

const NO_COMMAND = "Unknown command";

/** Answers a whole request with the JSON to publish. */
export function answerRequest(payload: Uint8Array, run: RunCommand): string {
  return JSON.stringify({ responses: responsesTo(payload, run) });
}

function responsesTo(payload: Uint8Array, run: RunCommand): Response[] {
  let request: unknown;
  try {
    request = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    return [{ command: NO_COMMAND, error: "Payload not valid JSON" }];
  }
  const commands = field(request, "commands");
  if (!Array.isArray(commands)) {
    return [{ command: NO_COMMAND, error: "Invalid/missing commands" }];
  }
  const responses: Response[] = [];
  for (const command of commands) {
    const response = runOne(command, run);
    responses.push(response.answer);
    if (response.isMalformed) break;
  }
  return responses;
}

interface Ran {
  readonly answer: Response;
  readonly isMalformed: boolean;
}

function runOne(command: unknown, run: RunCommand): Ran {
  if (typeof command !== "object" || command === null || Array.isArray(command)) {
    return malformed(NO_COMMAND, "Command not an object");
  }
  const name = field(command, "command");
  if (typeof name !== "string") return malformed(NO_COMMAND, "Missing command");
  const correlationData = field(command, "correlationData");
  if (correlationData !== undefined && typeof correlationData !== "string") {
    return malformed(name, "Invalid correlationData data type.");
  }
  const correlation = correlationData === undefined ? {} : { correlationData };
  const result = run(name);
  const answer = result === undefined
    ? { command: name, error: NO_COMMAND, ...correlation }
    : { command: result.name, data: result.data, ...correlation };
  return { answer, isMalformed: false };
}

function malformed(command: string, error: string): Ran {
  return { answer: { command, error }, isMalformed: true };
}

/** A member by its name in whatever case. */
function field(object: unknown, name: string): unknown {
  if (typeof object !== "object" || object === null) return undefined;
  const wanted = name.toLowerCase();
  const found = Object.entries(object).find(([key]) => key.toLowerCase() === wanted);
  return found?.[1];
}
