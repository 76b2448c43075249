/**
 * JSON that somebody sent, written again: checked, laid out anew, with escapes and numbers in one
 * form. Members keep their order, also those of one name, which no object in memory would.
 *
 * The idea: each piece is appended as soon as it is read; whoever hears that it was no JSON after
 * all takes back what has been appended.
 *
 * @module
 */

import { decodeUtf8 } from "../../core/base/utf8.ts";
import { jsonNumberText } from "./float_text.ts";
import type { JsonWriter } from "./json_writer.ts";

/** Levels of arrays and objects within each other. */
const DEPTH_MAX = 1000;

/** As C reads them, zeros in front and a bare point included. */
const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/;
const WORDS = ["true", "false", "null"] as const;
const ESCAPED: ReadonlyMap<number, number> = new Map(
  Object.entries({ b: 8, t: 9, n: 10, f: 12, r: 13, '"': 0x22, "/": 0x2f, "\\": 0x5c }).map(
    ([letter, byte]) => [letter.charCodeAt(0), byte],
  ),
);

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const LETTER_U = 0x75;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

/** Appends the JSON text from `start` up to `end`; `false` when it is none. */
export function rewriteJson(
  json: JsonWriter,
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
): boolean {
  const hasMark = BYTE_ORDER_MARK.every((byte, i) => bytes[start + i] === byte);
  const text = new JsonText(json, bytes, hasMark ? start + BYTE_ORDER_MARK.length : start, end);
  return text.value(0) && text.isAtEnd();
}

/** A place in the text; each method goes past what it reads, and gives `false` if it cannot. */
class JsonText {
  readonly #json: JsonWriter;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(json: JsonWriter, bytes: Uint8Array, start: number, end: number) {
    this.#json = json;
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  value(depth: number): boolean {
    this.#skipSpace();
    const byte = this.#peek();
    if (byte === OPEN_OBJECT) return depth < DEPTH_MAX && this.#object(depth + 1);
    if (byte === OPEN_ARRAY) return depth < DEPTH_MAX && this.#array(depth + 1);
    if (byte === QUOTE) return this.#string();
    if (byte === MINUS || isDigit(byte)) return this.#number();
    return WORDS.some((word) => this.#word(word));
  }

  isAtEnd(): boolean {
    this.#skipSpace();
    return this.#at === this.#end;
  }

  #object(depth: number): boolean {
    this.#at++;
    this.#json.openObject();
    if (!this.#take(CLOSE_OBJECT)) {
      do {
        this.#skipSpace();
        this.#json.member();
        if (this.#peek() !== QUOTE || !this.#string() || !this.#take(COLON)) return false;
        this.#json.colon();
        if (!this.value(depth)) return false;
      } while (this.#take(COMMA));
      if (!this.#take(CLOSE_OBJECT)) return false;
    }
    this.#json.closeObject();
    return true;
  }

  #array(depth: number): boolean {
    this.#at++;
    this.#json.openArray();
    if (!this.#take(CLOSE_ARRAY)) {
      do {
        this.#json.element();
        if (!this.value(depth)) return false;
      } while (this.#take(COMMA));
      if (!this.#take(CLOSE_ARRAY)) return false;
    }
    this.#json.closeArray();
    return true;
  }

  #string(): boolean {
    this.#at++;
    this.#json.quote();
    for (;;) {
      const byte = this.#next();
      if (byte < 0) return false;
      if (byte === QUOTE) break;
      if (byte !== BACKSLASH) this.#json.character(byte);
      else if (!this.#escape()) return false;
    }
    this.#json.quote();
    return true;
  }

  #escape(): boolean {
    const letter = this.#next();
    if (letter === LETTER_U) return this.#unicodeEscape();
    const byte = ESCAPED.get(letter);
    if (byte !== undefined) this.#json.character(byte);
    return byte !== undefined;
  }

  #unicodeEscape(): boolean {
    const unit = this.#hex();
    let text = String.fromCharCode(unit);
    if (unit >= 0xd800 && unit < 0xdc00) {
      if (this.#next() !== BACKSLASH || this.#next() !== LETTER_U) return false;
      text += String.fromCharCode(this.#hex());
    }
    if (unit < 0 || !text.isWellFormed()) return false;
    for (const byte of new TextEncoder().encode(text)) this.#json.character(byte);
    return true;
  }

  /** Four digits of hex, or less than 0. */
  #hex(): number {
    const digits = this.#text(this.#at, this.#at + 4);
    if (!/^[\da-f]{4}$/i.test(digits)) return -1;
    this.#at += 4;
    return Number.parseInt(digits, 16);
  }

  #number(): boolean {
    let end = this.#at;
    while (end < this.#end && isPartOfNumber(this.#bytes[end]!)) end++;
    const text = this.#text(this.#at, end);
    const match = NUMBER.exec(text)?.[0];
    if (match === undefined) return false;
    this.#at += match.length;
    this.#json.word(jsonNumberText(Number(match)));
    return true;
  }

  #word(word: string): boolean {
    if (this.#text(this.#at, this.#at + word.length) !== word) return false;
    this.#at += word.length;
    this.#json.word(word);
    return true;
  }

  /** Goes past such a byte, and the space before it, if it is there. */
  #take(byte: number): boolean {
    this.#skipSpace();
    if (this.#peek() !== byte) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    while (this.#at < this.#end && this.#bytes[this.#at]! <= SPACE) this.#at++;
  }

  /** The byte at hand, or -1 at the end. */
  #peek(): number {
    return this.#at < this.#end ? this.#bytes[this.#at]! : -1;
  }

  #next(): number {
    return this.#at < this.#end ? this.#bytes[this.#at++]! : -1;
  }

  /** Plain text from `start` up to `end`; what is none of it is no part of what is looked for. */
  #text(start: number, end: number): string {
    return decodeUtf8(this.#bytes, start, Math.min(end, this.#end)) ?? "";
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Digits, signs, points and the letter of exponents. */
function isPartOfNumber(byte: number): boolean {
  return isDigit(byte) || byte === MINUS || byte === 0x2b || byte === 0x2e || (byte | 32) === 0x65;
}
