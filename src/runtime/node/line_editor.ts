/**
 * Asks for lines: at a terminal with editing, a history and completion, otherwise from standard
 * input, line by line and without showing prompts to nobody.
 *
 * The idea: the terminal is taken for one line at a time. In between it is as every program has it,
 * so secrets can be asked for and ^C ends what takes too long.
 *
 * @module
 */

import { createInterface, type Interface } from "node:readline";
import process from "node:process";
import type { LineEditor } from "../host.ts";

const HISTORY_MAX = 100;

/** As `Host.openLineEditor`. */
export function openLineEditor(complete: (line: string) => readonly string[]): LineEditor {
  return process.stdin.isTTY === true ? new TerminalEditor(complete) : new LineReader();
}

class TerminalEditor implements LineEditor {
  readonly isTerminal: boolean = true;
  readonly #complete: (line: string) => readonly string[];
  /** The latest first, as it is kept there. */
  #history: string[] = [];

  constructor(complete: (line: string) => readonly string[]) {
    this.#complete = complete;
  }

  ask(prompt: string): Promise<string | undefined> {
    const editor = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: true,
      history: [...this.#history],
      historySize: HISTORY_MAX,
      completer: (line: string): [string[], string] => {
        const word = line.slice(line.lastIndexOf(" ") + 1);
        return [[...this.#complete(line)], word];
      },
    });
    return new Promise((resolve) => {
      let answer: string | undefined;
      editor.on("SIGINT", () => editor.close());
      editor.on("close", () => {
        if (answer === undefined) process.stdout.write("\n");
        resolve(answer);
      });
      editor.question(prompt, (line) => {
        answer = line;
        if (line !== "") this.#history = [line, ...this.#history].slice(0, HISTORY_MAX);
        editor.close();
      });
    });
  }

  close(): void {}
}

class LineReader implements LineEditor {
  readonly isTerminal: boolean = false;
  readonly #input: Interface = createInterface({ input: process.stdin, terminal: false });
  readonly #lines: AsyncIterator<string> = this.#input[Symbol.asyncIterator]();

  async ask(): Promise<string | undefined> {
    const { done, value } = await this.#lines.next();
    return done === true ? undefined : value;
  }

  close(): void {
    this.#input.close();
  }
}
