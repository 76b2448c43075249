/**
 * A module of `ctrl`: commands to one endpoint of a broker's control API. What is sent and what is
 * printed is the module's; the way to the broker and back is control_request.ts.
 *
 * @module
 */

/** What the broker tells of a command that it has carried out. */
export type ResponseData = Readonly<Record<string, unknown>>;

export interface ControlCommand {
  readonly name: string;
  /** What follows it, for the help; nothing is an empty text. */
  readonly usage: string;
  readonly text: string;
  /** What is sent beside the name, `undefined` for words that make no sense. */
  readonly fieldsOf: (words: readonly string[]) => ResponseData | undefined;
  /** What is printed, `undefined` for data of another shape. */
  readonly format: (data: ResponseData) => string | undefined;
}

export interface ControlModule {
  readonly name: string;
  readonly text: string;
  /** The topic of requests; responses come below it. */
  readonly endpoint: string;
  readonly commands: readonly ControlCommand[];
}

/** The module's help. */
export function formatModuleHelp(program: string, { name, text, commands }: ControlModule): string {
  const width = Math.max(...commands.map((command) => usageOf(command).length));
  return `${program} ${name}: ${text}

${commands.map((each) => `  ${usageOf(each).padEnd(width)}  ${each.text}`).join("\n")}
`;
}

function usageOf({ name, usage }: ControlCommand): string {
  return usage === "" ? name : `${name} ${usage}`;
}
