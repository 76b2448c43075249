/**
 * Appends JSON, on one line or indented with tabs as C programs have always been printing it: the
 * members of an object each on a line, the elements of an array side by side. Strings are bytes,
 * and what is not UTF-8 in them stays as it is.
 *
 * @module
 */

import type { Writer } from "../../core/codec/writer.ts";
import { appendText } from "./append_text.ts";
import { appendRun } from "./padding.ts";

const TAB = 0x09;
const LINE_FEED = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The controls that have a letter, with that letter. */
const SHORT_ESCAPES: ReadonlyMap<number, number> = new Map([
  [0x08, 0x62], // \b
  [0x09, 0x74], // \t
  [0x0a, 0x6e], // \n
  [0x0c, 0x66], // \f
  [0x0d, 0x72], // \r
]);

export class JsonWriter {
  readonly #isPretty: boolean;
  readonly #out: Writer;
  #depth = 0;
  /** Whether nothing is in the innermost object or array yet. */
  #isFirst = true;

  constructor(out: Writer, isPretty: boolean) {
    this.#out = out;
    this.#isPretty = isPretty;
  }

  openObject(): void {
    this.#open(OPEN_OBJECT);
    if (this.#isPretty) this.#out.u8(LINE_FEED);
  }

  closeObject(): void {
    if (this.#isPretty && !this.#isFirst) this.#out.u8(LINE_FEED);
    this.#depth--;
    if (this.#isPretty) appendRun(this.#out, TAB, this.#depth);
    this.#out.u8(CLOSE_OBJECT);
    this.#isFirst = false;
  }

  openArray(): void {
    this.#open(OPEN_ARRAY);
  }

  closeArray(): void {
    this.#depth--;
    this.#out.u8(CLOSE_ARRAY);
    this.#isFirst = false;
  }

  /** Comes before each element of an array. */
  element(): void {
    if (!this.#isFirst) {
      this.#out.u8(COMMA);
      if (this.#isPretty) this.#out.u8(SPACE);
    }
    this.#isFirst = false;
  }

  /** Comes before the name of each member of an object. */
  member(): void {
    if (!this.#isFirst) {
      this.#out.u8(COMMA);
      if (this.#isPretty) this.#out.u8(LINE_FEED);
    }
    this.#isFirst = false;
    if (this.#isPretty) appendRun(this.#out, TAB, this.#depth);
  }

  /** Comes between the name of a member and its value. */
  colon(): void {
    this.#out.u8(COLON);
    if (this.#isPretty) this.#out.u8(TAB);
  }

  /** A member's name with all that is around it. */
  key(name: string): void {
    this.member();
    this.text(name);
    this.colon();
  }

  /** A number, `true`, `false` or `null`, as it stands. */
  word(text: string): void {
    this.#out.ensure(text.length);
    for (let i = 0; i < text.length; i++) this.#out.bytes[this.#out.length++] = text.charCodeAt(i);
  }

  text(text: string): void {
    const out = this.#out;
    this.quote();
    const start = out.length;
    appendText(out, text);
    for (let at = start; at < out.length; at++) {
      if (!isEscaped(out.bytes[at]!)) continue;
      const rest = out.bytes.slice(at, out.length);
      out.length = at;
      for (const byte of rest) this.character(byte);
      break;
    }
    this.quote();
  }

  /** The bytes of a string from `start` up to `end`. */
  bytes(source: Uint8Array, start: number, end: number): void {
    this.quote();
    for (let at = start; at < end; at++) this.character(source[at]!);
    this.quote();
  }

  /** Opens or closes a string. */
  quote(): void {
    this.#out.u8(QUOTE);
  }

  /** One byte inside of a string. */
  character(byte: number): void {
    const out = this.#out;
    if (!isEscaped(byte)) return out.u8(byte);
    out.u8(BACKSLASH);
    if (byte >= SPACE) return out.u8(byte);
    const letter = SHORT_ESCAPES.get(byte);
    if (letter !== undefined) return out.u8(letter);
    this.word(`u${byte.toString(16).padStart(4, "0")}`);
  }

  #open(byte: number): void {
    this.#out.u8(byte);
    this.#depth++;
    this.#isFirst = true;
  }
}

function isEscaped(byte: number): boolean {
  return byte < SPACE || byte === QUOTE || byte === BACKSLASH;
}
