/**
 * What becomes of the messages that `sub` lets through: printed one after the other, kept each in
 * its place on the screen (watch.ts), or counted (message_rate.ts).
 *
 * @module
 */

import type { IncomingMessage } from "../../core/client/incoming_message.ts";
import type { PrintMessage } from "./print_message.ts";
import type { StandardOutput } from "./standard_output.ts";

export interface Display {
  /** Before the first message. */
  begin(): void;
  /** The message is borrowed: valid during the call only. */
  show(message: IncomingMessage): void;
  /** After the last one. */
  end(): void;
}

/** One message after the other. */
export class PlainDisplay implements Display {
  readonly #output: StandardOutput;
  readonly #print: PrintMessage;

  constructor(output: StandardOutput, print: PrintMessage) {
    this.#output = output;
    this.#print = print;
  }

  begin(): void {}

  show(message: IncomingMessage): void {
    this.#print(this.#output.writer, message);
    this.#output.wake();
  }

  end(): void {}
}
