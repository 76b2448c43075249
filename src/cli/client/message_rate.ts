/**
 * How many messages come each second, printed each second in place of the messages.
 *
 * @module
 */

import type { Display } from "./display.ts";

const SECOND_MS = 1000;

export class RateDisplay implements Display {
  readonly #print: (text: string) => void;
  #count = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  begin(): void {
    this.#timer = setInterval(() => {
      this.#print(`${this.#count} msgs/s\n`);
      this.#count = 0;
    }, SECOND_MS);
  }

  show(): void {
    this.#count++;
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
