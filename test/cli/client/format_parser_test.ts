// What the text of -F means, and what is none.

import { assertEquals, assertThrows } from "@std/assert";
import { type FormatElement, parseFormat } from "../../../src/cli/client/format_parser.ts";
import { UsageError } from "../../../src/cli/client/usage_error.ts";
import { test } from "../../harness.ts";
import { bytesOf } from "../../support/packets.ts";

const PLAIN = { isLeft: false, isZero: false, width: 0, precision: undefined, separator: 0x20 };

function literal(text: string): FormatElement {
  return { kind: "literal", bytes: bytesOf(text) };
}

test("parseFormat() tells literal text, directives and times apart", () => {
  assertEquals(parseFormat("é %t: @H@N%%@@\\n%p"), [
    literal("é "),
    { kind: "directive", letter: "t", layout: PLAIN },
    literal(": "),
    { kind: "time", conversion: "H" },
    { kind: "nanoseconds" },
    literal("%@\n"),
    { kind: "directive", letter: "p", layout: PLAIN },
  ]);
  assertEquals(parseFormat(""), []);
  assertEquals(parseFormat("@é"), [{ kind: "time", conversion: "é" }]);
});

test("parseFormat() reads flags, width, precision and separator in their order", () => {
  const layout = (text: string) => {
    const [element] = parseFormat(text);
    return element?.kind === "directive" ? { ...element.layout, letter: element.letter } : element;
  };
  assertEquals(layout("%-012.3:x"), {
    isLeft: true,
    isZero: true,
    width: 12,
    precision: 3,
    separator: 0x3a,
    letter: "x",
  });
  assertEquals(layout("%-t"), { ...PLAIN, isLeft: true, letter: "t" });
  assertEquals(layout("%007l"), { ...PLAIN, isZero: true, width: 7, letter: "l" });
  assertEquals(layout("%.5t"), { ...PLAIN, precision: 5, letter: "t" });
  assertEquals(layout("%5.t"), { ...PLAIN, width: 5, precision: 0, letter: "t" });
  assertEquals(layout("%1000000t"), { ...PLAIN, width: 1_000_000, letter: "t" });
});

test("parseFormat() takes every separator before every letter", () => {
  for (const separator of " !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~") {
    for (const letter of "ACDdEFfIJjlmPpqRrStUXx") {
      // These two mean something else right behind the percent sign.
      const text = `%1${separator === "." ? ".2." : separator}${letter}`;
      const [element] = parseFormat(text);
      assertEquals(element?.kind === "directive" && element.letter, letter, text);
      assertEquals(
        element?.kind === "directive" && element.layout.separator,
        separator.charCodeAt(0),
        text,
      );
    }
  }
});

test("parseFormat() knows the escapes", () => {
  assertEquals(parseFormat("\\\\\\0\\a\\e\\n\\r\\t\\v"), [
    { kind: "literal", bytes: Uint8Array.of(0x5c, 0, 7, 0x1b, 10, 13, 9, 11) },
  ]);
});

test("parseFormat() refuses whatever else", () => {
  const known = new Set("ACDdEFfIJjlmPpqRrStUXx%-0.123456789 !\"#$&'()*+,/:;<=>?@[\\]^_`{|}~");
  const faults: Record<string, string> = {
    "%": "Error: Incomplete format specifier.",
    "@": "Error: Incomplete format specifier.",
    "a%-": "Error: Incomplete format specifier.",
    "%0": "Error: Incomplete format specifier.",
    "%5": "Error: Incomplete format specifier.",
    "%.": "Error: Incomplete format specifier.",
    "%5.5": "Error: Incomplete format specifier.",
    "%.2:": "Error: Incomplete format specifier.",
    "\\": "Error: Incomplete escape specifier.",
    "\\q": "Error: Invalid escape specifier 'q'.",
    "\\é": "Error: Invalid escape specifier 'é'.",
    "%é": "Error: Invalid format specifier 'é'.",
    "%--5t": "Error: Invalid format specifier '5'.",
    "%::x": "Error: Invalid format specifier ':'.",
    "%.2:3x": "Error: Invalid format specifier '3'.",
    "%1000001t": "Error: Invalid format specifier '1'.",
    "%.99999999999999999999t": "Error: Invalid format specifier '9'.",
  };
  for (let code = 0x21; code < 0x7f; code++) {
    const character = String.fromCharCode(code);
    if (!known.has(character)) {
      faults[`%${character}`] = `Error: Invalid format specifier '${character}'.`;
    }
  }
  for (const [text, message] of Object.entries(faults)) {
    assertThrows(() => parseFormat(text), UsageError, message, text);
  }
});
