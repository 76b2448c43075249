/**
 * The words of a command line as text, without losing those that are not UTF-8: a payload may be
 * any bytes, and a topic that is malformed has to be seen to be.
 *
 * The idea: a byte that belongs to no character stands in the text as a lone surrogate, which no
 * well-formed text has; whoever needs the bytes gets them back.
 *
 * @module
 */

import { encodeUtf8 } from "../../core/base/utf8.ts";
import type { Runtime } from "../../runtime/runtime.ts";

/** What a runtime shows in place of bytes that it could not read. */
const REPLACEMENT = "\ufffd";
const ESCAPE_BASE = 0xdc00;
const CHARACTER_BYTES_MAX = 4;

/** The words of the command, bytes and all; `args` are the last words of the program. */
export function commandWords(runtime: Runtime, args: readonly string[]): readonly string[] {
  if (!args.some((word) => word.includes(REPLACEMENT))) return args;
  const raw = runtime.argumentBytes();
  return raw === undefined ? args : raw.slice(-args.length).map(textOfBytes);
}

/** Bytes as text from which `bytesOfText` makes the same bytes. */
export function textOfBytes(bytes: Uint8Array): string {
  const whole = decode(bytes);
  if (whole !== undefined) return whole;
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const [character, width] = characterAt(bytes, at);
    text += character;
    at += width;
  }
  return text;
}

/** The character at a place of the bytes and how many of them it takes. */
function characterAt(bytes: Uint8Array, at: number): [string, number] {
  const widthMax = Math.min(CHARACTER_BYTES_MAX, bytes.length - at);
  for (let width = 1; width <= widthMax; width++) {
    const character = decode(bytes.subarray(at, at + width));
    if (character !== undefined) return [character, width];
  }
  return [String.fromCharCode(ESCAPE_BASE + bytes[at]!), 1];
}

/** Any text, not only what MQTT allows as a string. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The bytes of a word. */
export function bytesOfText(text: string): Uint8Array {
  const whole = encodeUtf8(text);
  if (whole !== null) return whole;
  const bytes: number[] = [];
  for (const character of text) {
    const encoded = encodeUtf8(character);
    if (encoded === null) bytes.push(character.charCodeAt(0) - ESCAPE_BASE);
    else bytes.push(...encoded);
  }
  return Uint8Array.from(bytes);
}
