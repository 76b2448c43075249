/**
 * The latest message of each topic in a line of the screen of its own, by the control sequences
 * that every terminal knows.
 *
 * @module
 */

import type { IncomingMessage } from "../../core/client/incoming_message.ts";
import type { Display } from "./display.ts";
import type { PrintMessage } from "./print_message.ts";
import type { StandardOutput } from "./standard_output.ts";

const ESCAPE = "\x1b[";
const LINE_FEED = 0x0a;
const SPACE = 0x20;
const DELETE = 0x7f;
/** The first line says which broker it is. */
const FIRST_LINE = 2;
/** No screen has more; later topics are not shown. */
const TOPICS_MAX = 10_000;

export class WatchDisplay implements Display {
  readonly #output: StandardOutput;
  readonly #print: PrintMessage;
  readonly #host: string;
  readonly #lines: Map<string, number> = new Map();

  constructor(output: StandardOutput, print: PrintMessage, host: string) {
    this.#output = output;
    this.#print = print;
    this.#host = host;
  }

  begin(): void {
    this.#output.print(`${ESCAPE}2J${ESCAPE}1;1HBroker: ${this.#host}\n`);
  }

  show(message: IncomingMessage): void {
    const line = this.#lineOf(message.topic);
    if (line === undefined) return;
    const { writer } = this.#output;
    this.#output.print(`${ESCAPE}${line};1H`);
    const start = writer.length;
    this.#print(writer, message);
    if (writer.length > start && writer.bytes[writer.length - 1] === LINE_FEED) writer.length--;
    // A line is a line, and who sends messages does not command the terminal.
    for (let at = start; at < writer.length; at++) {
      const byte = writer.bytes[at]!;
      if (byte < SPACE || byte === DELETE) writer.bytes[at] = SPACE;
    }
    this.#output.print(`${ESCAPE}K\n`);
  }

  end(): void {}

  #lineOf(topic: string): number | undefined {
    const known = this.#lines.get(topic);
    if (known !== undefined || this.#lines.size === TOPICS_MAX) return known;
    const line = FIRST_LINE + this.#lines.size;
    this.#lines.set(topic, line);
    return line;
  }
}
