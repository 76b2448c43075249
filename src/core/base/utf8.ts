/**
 * UTF-8 by MQTT's rules, on ranges of byte arrays. Deliberately without the platform's decoder: its
 * call costs more than a short topic, and it knows nothing of the characters that MQTT forbids.
 *
 * Accepted is what is well-formed (no overlong form, no surrogate, nothing cut off) and free of
 * U+0000, the controls U+0001-001F and U+007F-009F, and non-characters. U+FEFF is a character like
 * any other [MQTT-1.5.4-3], and nothing is ever normalised.
 *
 * @module
 */

/** Code units per call of `String.fromCharCode`: well below what any engine takes as arguments. */
const UNITS_PER_CALL = 1024;

/** Tells whether the bytes from `start` up to `end` are a string that MQTT allows. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte >= 0x20 && byte < 0x7f) {
      at++;
      continue;
    }
    const codePoint = multibyteCodePoint(bytes, at, end);
    if (codePoint < 0) return false;
    at += utf8Length(codePoint);
  }
  return true;
}

/** Decodes the bytes from `start` up to `end`; `null` when MQTT does not allow them as a string. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | null {
  if (start >= end) return "";
  const units: number[] = new Array(Math.min(end - start, UNITS_PER_CALL));
  let text = "";
  let count = 0;
  let at = start;
  while (at < end) {
    // Two places are kept free, since one character may need two units.
    if (count >= UNITS_PER_CALL - 1) {
      units.length = count;
      text += String.fromCharCode.apply(null, units);
      count = 0;
    }
    const byte = bytes[at]!;
    if (byte >= 0x20 && byte < 0x7f) {
      units[count++] = byte;
      at++;
      continue;
    }
    const codePoint = multibyteCodePoint(bytes, at, end);
    if (codePoint < 0) return null;
    at += utf8Length(codePoint);
    if (codePoint < 0x10000) {
      units[count++] = codePoint;
    } else {
      units[count++] = 0xd7c0 + (codePoint >> 10);
      units[count++] = 0xdc00 | (codePoint & 0x3ff);
    }
  }
  units.length = count;
  const last = String.fromCharCode.apply(null, units);
  return text === "" ? last : text + last;
}

/** Counts the bytes that `text` takes as UTF-8; -1 when it holds a lone surrogate. */
export function encodedLength(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) {
      length++;
    } else {
      length += 2;
      if (unit >= 0xd800 && unit <= 0xdfff) {
        // A pair is two units and four bytes: the units are counted already, two bytes are added.
        if (!isPair(unit, text.charCodeAt(++i))) return -1;
      }
    }
  }
  return length;
}

/**
 * Encodes `text` into `target` from `at` on and returns the number of bytes written; -1 when the
 * text holds a lone surrogate, of which UTF-8 has no form [MQTT-1.5.4-1]. There must be room:
 * {@linkcode encodedLength} bytes, or three per code unit for those who would rather not count.
 */
export function encodeUtf8Into(text: string, target: Uint8Array, at: number): number {
  let to = at;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      target[to++] = unit;
    } else if (unit < 0x800) {
      target[to++] = 0xc0 | (unit >> 6);
      target[to++] = 0x80 | (unit & 0x3f);
    } else if (unit < 0xd800 || unit > 0xdfff) {
      target[to++] = 0xe0 | (unit >> 12);
      target[to++] = 0x80 | ((unit >> 6) & 0x3f);
      target[to++] = 0x80 | (unit & 0x3f);
    } else {
      const low = text.charCodeAt(++i);
      if (!isPair(unit, low)) return -1;
      const codePoint = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
      target[to++] = 0xf0 | (codePoint >> 18);
      target[to++] = 0x80 | ((codePoint >> 12) & 0x3f);
      target[to++] = 0x80 | ((codePoint >> 6) & 0x3f);
      target[to++] = 0x80 | (codePoint & 0x3f);
    }
  }
  return to - at;
}

/** Encodes `text` into an array of its own; `null` when it holds a lone surrogate. */
export function encodeUtf8(text: string): Uint8Array | null {
  const length = encodedLength(text);
  if (length < 0) return null;
  const bytes = new Uint8Array(length);
  encodeUtf8Into(text, bytes, 0);
  return bytes;
}

/** The end of a text gives NaN for `low`, which is no half of any pair. */
function isPair(high: number, low: number): boolean {
  return high < 0xdc00 && low >= 0xdc00 && low <= 0xdfff;
}

function utf8Length(codePoint: number): number {
  return codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}

/**
 * Reads the character of two to four bytes at `at`; -1 when it is malformed or forbidden, as every
 * single byte is that comes here: the printable ones never do.
 */
function multibyteCodePoint(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!;
  if (lead < 0xc2 || lead > 0xf4) return -1; // Controls, stray continuations, overlong, too large.
  if (at + 1 >= end) return -1;
  const second = bytes[at + 1]! ^ 0x80;
  if (second > 0x3f) return -1;
  if (lead < 0xe0) {
    const codePoint = ((lead & 0x1f) << 6) | second;
    return codePoint < 0xa0 ? -1 : codePoint; // U+0080-009F are controls.
  }
  if (at + 2 >= end) return -1;
  const third = bytes[at + 2]! ^ 0x80;
  if (third > 0x3f) return -1;
  if (lead < 0xf0) {
    const codePoint = ((lead & 0x0f) << 12) | (second << 6) | third;
    if (codePoint < 0x800) return -1;
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) return -1; // [MQTT-1.5.4-1]
    return isNonCharacter(codePoint) ? -1 : codePoint;
  }
  if (at + 3 >= end) return -1;
  const fourth = bytes[at + 3]! ^ 0x80;
  if (fourth > 0x3f) return -1;
  const codePoint = ((lead & 0x07) << 18) | (second << 12) | (third << 6) | fourth;
  if (codePoint < 0x10000 || codePoint > 0x10ffff) return -1;
  return isNonCharacter(codePoint) ? -1 : codePoint;
}

function isNonCharacter(codePoint: number): boolean {
  return (codePoint & 0xfffe) === 0xfffe || (codePoint >= 0xfdd0 && codePoint <= 0xfdef);
}
