// UTF-8 by MQTT's rules: characters at the borders of every rule, malformed forms, and the platform's
// own encoder as the oracle.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  decodeUtf8,
  encodedLength,
  encodeUtf8,
  encodeUtf8Into,
  isUtf8,
} from "../../../src/core/base/utf8.ts";
import { test } from "../../harness.ts";

const encoder = new TextEncoder();

/** What section 1.5.4 and Mosquitto's rules allow, said as plainly as possible. */
function isAllowed(codePoint: number): boolean {
  if (codePoint <= 0x1f || (codePoint >= 0x7f && codePoint <= 0x9f)) return false;
  if (codePoint >= 0xd800 && codePoint <= 0xdfff) return false;
  if (codePoint >= 0xfdd0 && codePoint <= 0xfdef) return false;
  return (codePoint & 0xffff) < 0xfffe;
}

const allowedText = fc.array(
  fc.integer({ min: 0x20, max: 0x10ffff }).filter(isAllowed),
  { maxLength: 40 },
).map((codePoints) => String.fromCodePoint(...codePoints));

/** Decodes a whole array inside a larger one, so that reading beyond the end shows. */
function decodeInside(bytes: readonly number[]): string | null {
  const surrounded = Uint8Array.from([0x80, ...bytes, 0x80, 0x80, 0x80]);
  const text = decodeUtf8(surrounded, 1, 1 + bytes.length);
  assertEquals(isUtf8(surrounded, 1, 1 + bytes.length), text !== null);
  return text;
}

test("decodeUtf8() accepts every character that MQTT allows and no other [MQTT-1.5.4-1]", () => {
  const wrong: number[] = [];
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue;
    // All of the first plane, and the borders of the others.
    if (codePoint > 0x10000 && (codePoint & 0xffff) > 3 && (codePoint & 0xffff) < 0xfff0) continue;
    const text = String.fromCodePoint(codePoint);
    const bytes = encodeUtf8(text)!;
    const expected = isAllowed(codePoint) ? text : null;
    if (decodeUtf8(bytes, 0, bytes.length) !== expected) wrong.push(codePoint);
    if (isUtf8(bytes, 0, bytes.length) !== (expected !== null)) wrong.push(codePoint);
  }
  assertEquals(wrong, []);
});

test("decodeUtf8() refuses U+0000 [MQTT-1.5.4-2]", () => {
  assertEquals(decodeInside([0x61, 0x00, 0x62]), null);
});

test("decodeUtf8() keeps U+FEFF wherever it stands [MQTT-1.5.4-3]", () => {
  assertEquals(decodeInside([0xef, 0xbb, 0xbf, 0x61, 0xef, 0xbb, 0xbf]), "\ufeffa\ufeff");
});

test("decodeUtf8() does not normalise", () => {
  assertEquals(decodeInside([0x65, 0xcc, 0x81]), "e\u0301");
  assertEquals(decodeInside([0xc3, 0xa9]), "\u00e9");
});

test("decodeUtf8() refuses what is malformed", () => {
  const malformed = [
    [0x80],
    [0xbf],
    [0xc3],
    [0xc3, 0x28],
    [0xe2, 0x82],
    [0xe2, 0x28, 0xa1],
    [0xe2, 0x82, 0x28],
    [0xf0, 0x9f, 0x98],
    [0xf0, 0x28, 0x8c, 0xbc],
    [0xf0, 0x90, 0x28, 0xbc],
    [0xf0, 0x90, 0x8c, 0x28],
    // Overlong forms of "/", of U+07FF and of U+FFFF.
    [0xc0, 0xaf],
    [0xc1, 0xbf],
    [0xe0, 0x80, 0xaf],
    [0xe0, 0x9f, 0xbf],
    [0xf0, 0x80, 0x80, 0xaf],
    [0xf0, 0x8f, 0xbf, 0xbf],
    // Surrogates, alone and as a pair.
    [0xed, 0xa0, 0x80],
    [0xed, 0xbf, 0xbf],
    [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
    // Beyond the last character, and leads that no form has.
    [0xf4, 0x90, 0x80, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0xf8, 0x88, 0x80, 0x80, 0x80],
    [0xff],
  ];
  for (const bytes of malformed) {
    assertEquals(decodeInside(bytes), null);
    assertEquals(decodeInside([0x61, ...bytes, 0x61]), null);
  }
});

test("decodeUtf8() gives back what was encoded", () => {
  fc.assert(fc.property(allowedText, (text) => {
    assertEquals(decodeInside([...encoder.encode(text)]), text);
  }));
});

test("decodeUtf8() agrees with the platform on any bytes, but for forbidden characters", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const bytesNearForms = fc.array(
    fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0x9f, 0xa0, 0x8f, 0x90),
    ),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(bytesNearForms, (bytes) => {
      let expected: string | null = null;
      try {
        expected = decoder.decode(Uint8Array.from(bytes));
      } catch {
        assertEquals(decodeInside(bytes), null);
        return;
      }
      const isWhole = [...expected].every((character) => isAllowed(character.codePointAt(0)!));
      assertEquals(decodeInside(bytes), isWhole ? expected : null);
    }),
    { numRuns: 2000 },
  );
});

test("decodeUtf8() handles strings as long as MQTT has them", () => {
  for (const unit of ["a", "é", "\u20ac", "\u{1f600}", "a\u{1f600}"]) {
    const text = unit.repeat(Math.floor(65_535 / encoder.encode(unit).length));
    const bytes = encoder.encode(text);
    assertEquals(decodeUtf8(bytes, 0, bytes.length) === text, true);
  }
});

test("encodeUtf8Into() writes what the platform writes, and nothing around it", () => {
  fc.assert(fc.property(allowedText, (text) => {
    const expected = encoder.encode(text);
    const target = new Uint8Array(expected.length + 2).fill(0xaa);
    assertEquals(encodedLength(text), expected.length);
    assertEquals(encodeUtf8Into(text, target, 1), expected.length);
    assertEquals(target, Uint8Array.from([0xaa, ...expected, 0xaa]));
    assertEquals(encodeUtf8(text), expected);
  }));
});

test("encodeUtf8Into() reports lone surrogates [MQTT-1.5.4-1]", () => {
  for (const text of ["\ud800", "a\udbff", "\udc00", "\udfffa", "\ud800\ud800\udc00", "\ud83da"]) {
    assertEquals(encodedLength(text), -1);
    assertEquals(encodeUtf8Into(text, new Uint8Array(16), 0), -1);
    assertEquals(encodeUtf8(text), null);
  }
});
