/**
 * The shell of `ctrl`: commands one after the other, over a connection that stays open. It is in
 * one of three states, which its prompt shows: without a connection, connected, in a module.
 *
 * @module
 */

import type { Host, LineEditor } from "../../runtime/host.ts";
import { readBrokerUrl } from "../client/broker_url.ts";
import type { CtrlSettings } from "../client/client_settings.ts";
import { Draft } from "../client/draft.ts";
import { UsageError } from "../client/usage_error.ts";
import type { CommandCall } from "../command.ts";
import { ControlSession } from "./control_session.ts";
import { askSecret, completeSettings } from "./ctrl_line.ts";
import type { ControlModule } from "./module.ts";
import { tell, warnOfClearText } from "./tell.ts";

const ANSWER_LIMIT_MS = 2000;

const SCHEMES: readonly string[] = ["mqtt://", "mqtts://", "ws://", "wss://"];

/** A word that the shell understands in a state. */
interface ShellCommand {
  readonly name: string;
  readonly usage: string;
  readonly text: string;
  run(words: readonly string[]): Promise<void> | void;
}

/** Runs the shell to its end; gives the exit status. */
export async function runShell(
  draft: Draft,
  call: CommandCall,
  modules: readonly ControlModule[],
): Promise<number> {
  const host = await call.runtime.host();
  const shell: Shell = new Shell(
    draft,
    call,
    { modules, host, editor: await host.openLineEditor((line) => shell.complete(line)) },
  );
  await shell.run();
  return 0;
}

interface ShellParts {
  readonly modules: readonly ControlModule[];
  readonly host: Host;
  readonly editor: LineEditor;
}

class Shell {
  /** How to connect, as far as the command line has said; each connection has its own. */
  readonly #draft: Draft;
  readonly #call: CommandCall;
  readonly #parts: ShellParts;
  #session: ControlSession | undefined;
  /** Where that leads. */
  #place = "";
  #module: ControlModule | undefined;
  #isOver = false;

  constructor(draft: Draft, call: CommandCall, parts: ShellParts) {
    this.#draft = draft;
    this.#call = call;
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { editor } = this.#parts;
    while (!this.#isOver) {
      const line = await editor.ask(this.#prompt());
      if (line === undefined) break;
      const [name, ...words] = line.split(" ").filter((word) => word !== "");
      if (name !== undefined) await this.#obey(name, words);
    }
    await this.#session?.close();
    editor.close();
  }

  /** What may stand in place of the last word of the line. */
  complete(line: string): readonly string[] {
    const words = line.split(" ");
    const last = words.at(-1)!;
    const isFirst = words.length === 1;
    const names = this.#commands().map(({ name }) => name);
    const candidates = isFirst || words[0] === "help" && words.length === 2
      ? names
      : words[0] === "connect" && words.length === 2
      ? SCHEMES
      : [];
    return candidates.filter((each) => each.startsWith(last));
  }

  get #isConnected(): boolean {
    if (this.#session?.isOpen === true) return true;
    this.#session = this.#module = undefined;
    return false;
  }

  #prompt(): string {
    if (!this.#isConnected) return "> ";
    return this.#module === undefined
      ? `${this.#place}> `
      : `${this.#place}|${this.#module.name}> `;
  }

  async #obey(name: string, words: readonly string[]): Promise<void> {
    const command = this.#commands().find((each) => each.name === name);
    if (command === undefined) {
      return this.#complain(`Unknown command '${name}'. 'help' tells which there are.`);
    }
    try {
      await command.run(words);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.#complain(error.message);
    }
  }

  #commands(): ShellCommand[] {
    const always: ShellCommand[] = [
      {
        name: "help",
        usage: "[command]",
        text: "Show commands.",
        run: (words) => this.#help(words),
      },
      { name: "exit", usage: "", text: "End.", run: () => void (this.#isOver = true) },
    ];
    if (!this.#isConnected) return [...this.#unconnected(), ...always];
    const disconnect: ShellCommand = {
      name: "disconnect",
      usage: "",
      text: "End the connection.",
      run: () => this.#disconnect(),
    };
    if (this.#module !== undefined) {
      return [...this.#ofModule(this.#module), disconnect, ...always];
    }
    const modules = this.#parts.modules.map((module): ShellCommand => ({
      name: module.name,
      usage: "",
      text: `Enter the module that ${module.text}`,
      run: () => void (this.#module = module),
    }));
    return [...modules, disconnect, ...always];
  }

  #unconnected(): ShellCommand[] {
    return [
      {
        name: "auth",
        usage: "[username]",
        text: "Log in as this user from the next connection on.",
        run: ([username]) => this.#login(username),
      },
      {
        name: "connect",
        usage: "[url]",
        text: "Connect to a broker: mqtt://host:port; also mqtts, ws and wss.",
        run: ([url]) => this.#connect(url),
      },
    ];
  }

  #ofModule(module: ControlModule): ShellCommand[] {
    const leave: ShellCommand = {
      name: "return",
      usage: "",
      text: "Leave the module.",
      run: () => void (this.#module = undefined),
    };
    const commands = module.commands.map((command): ShellCommand => ({
      name: command.name,
      usage: command.usage,
      text: command.text,
      run: async (words) => {
        const fields = command.fieldsOf(words);
        if (fields === undefined) return this.#complain("Error: Invalid input.");
        const request = { command: command.name, fields, mark: crypto.randomUUID() };
        const outcome = await this.#session!.ask(module.endpoint, request, ANSWER_LIMIT_MS);
        if (outcome.kind === "done" && outcome.data === undefined) return this.#print("OK\n");
        const problem = tell(outcome, command, (text) => this.#print(text));
        if (problem !== undefined) this.#complain(problem);
      },
    }));
    return [...commands, leave];
  }

  #help([name]: readonly string[]): void {
    const shown = this.#commands().filter((each) => name === undefined || each.name === name);
    if (shown.length === 0) return this.#complain(`Unknown command '${name}'.`);
    const usages = shown.map((each) => `${each.name} ${each.usage}`.trimEnd());
    const width = Math.max(...usages.map((usage) => usage.length));
    const lines = shown.map(({ text }, index) => `  ${usages[index]!.padEnd(width)}  ${text}\n`);
    this.#print(lines.join(""));
  }

  async #login(given: string | undefined): Promise<void> {
    const username = given ?? await this.#parts.editor.ask("Username: ");
    if (username === undefined || username === "") return;
    const password = await this.#askSecret(`Password for ${username}: `);
    if (password === undefined) return;
    this.#draft.username = username;
    this.#draft.password = password;
  }

  async #connect(url: string | undefined): Promise<void> {
    const draft = Object.assign(new Draft("ctrl"), this.#draft);
    // A topic is asked for by those who read such URLs, and it means nothing here.
    if (url !== undefined) readBrokerUrl(draft, `${url}/`);
    const { host } = this.#parts;
    const settings = await completeSettings(draft, host, (question) => this.#askSecret(question));
    if (settings === undefined) return;
    const { runtime } = this.#call;
    warnOfClearText(settings, runtime);
    const print = (text: string): void => this.#print(text);
    const session = await ControlSession.open(settings, { runtime, print });
    if (typeof session === "number") return;
    this.#session = session;
    this.#place = placeOf(settings);
  }

  async #disconnect(): Promise<void> {
    await this.#session?.close();
    this.#session = this.#module = undefined;
  }

  /** A line of standard input is no secret from whoever wrote it. */
  #askSecret(question: string): Promise<string | undefined> {
    const { editor, host } = this.#parts;
    return editor.isTerminal ? askSecret(host, question) : editor.ask(question);
  }

  #print(text: string): void {
    this.#call.runtime.print("stdout", text);
  }

  #complain(text: string): void {
    this.#call.runtime.print("stderr", `${text}\n`);
  }
}

function placeOf({ place, tls }: CtrlSettings): string {
  const { unixPath, hostname, port, usesWebSocket } = place;
  if (unixPath !== undefined) return `unix://${unixPath}`;
  const scheme = (usesWebSocket ? "ws" : "mqtt") + (tls === undefined ? "" : "s");
  return `${scheme}://${hostname}:${port}`;
}
