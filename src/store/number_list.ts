/**
 * Numbers in one text, separated by commas, as SQLite gives those of a page: read one by one,
 * without a text for each.
 *
 * @module
 */

const ZERO = 0x30;
const COMMA = 0x2c;

export class NumberList {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isOver(): boolean {
    return this.#at >= this.#text.length;
  }

  next(): number {
    let value = 0;
    while (this.#at < this.#text.length) {
      const code = this.#text.charCodeAt(this.#at++);
      if (code === COMMA) break;
      value = value * 10 + (code - ZERO);
    }
    return value;
  }
}
