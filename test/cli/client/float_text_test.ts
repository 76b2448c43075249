// Numbers as C writes them; the system's own printf is the oracle.

import { assertEquals } from "@std/assert";
import { execFileSync } from "node:child_process";
import { fixedText, jsonNumberText } from "../../../src/cli/client/float_text.ts";
import { test } from "../../harness.ts";

/** Exactly this number, for a program that would round a decimal one otherwise. */
function hexFloat(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = Number(bits >> 52n & 0x7ffn);
  const fraction = bits & (1n << 52n) - 1n;
  const mantissa = exponent === 0 ? fraction : fraction | 1n << 52n;
  return `${bits >> 63n === 1n ? "-" : ""}0x${mantissa.toString(16)}p${
    Math.max(exponent, 1) - 1075
  }`;
}

const VALUES = [
  ...[0, -0, 1, -1, 0.5, 1.5, 2.5, 3.5, -2.5, 0.125, 0.375, 0.1, 0.3, 1 / 3, 21.5, 99.995],
  ...[
    999.9999999,
    1e15,
    1e21,
    1.5e300,
    Number.MAX_VALUE,
    Number.MIN_VALUE,
    2.2250738585072014e-308,
  ],
  ...[Math.PI, -1e-7, 1e22, 123456789.123456789, 0.000244140625],
  ...Float32Array.of(0.1, 3.14159, 1e38, 1e-45),
];

test("fixedText() writes what printf does, however many places there are", () => {
  for (const places of [0, 1, 2, 3, 6, 17, 100, 400, 1074, 1100]) {
    const output = execFileSync("printf", [`%.${places}f\\n`, ...VALUES.map(hexFloat)], {
      env: { LC_ALL: "C" },
    });
    const expected = new TextDecoder().decode(output).trimEnd().split("\n");
    assertEquals(VALUES.map((value) => fixedText(value, places)), expected, `${places} places`);
  }
});

test("fixedText() writes what is no number", () => {
  assertEquals(
    [NaN, Infinity, -Infinity].map((value) => fixedText(value, 2)),
    ["nan", "inf", "-inf"],
  );
});

test("jsonNumberText() is as short as C's JSON printers are", () => {
  const texts: readonly (readonly [number, string])[] = [
    [0, "0"],
    [-0, "-0"],
    [1, "1"],
    [-5, "-5"],
    [100, "100"],
    [0.1, "0.1"],
    [21.5, "21.5"],
    [2147483648, "2147483648"],
    [-2147483649, "-2147483649"],
    [999_999_999_999_999, "999999999999999"],
    [1e15, "1e+15"],
    [1e16, "1e+16"],
    [123456789012345678, "1.2345678901234568e+17"],
    [12345678901234567890, "1.2345678901234567e+19"],
    [1e-4, "0.0001"],
    [0.000012345, "1.2345e-05"],
    [1e-7, "1e-07"],
    [1.5e300, "1.5e+300"],
    [0.30000000000000004, "0.3"],
    [1 / 3, "0.33333333333333331"],
    [5e-324, "4.94065645841247e-324"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [123456.789e3, "123456789"],
    [Infinity, "null"],
    [NaN, "null"],
  ];
  for (const [value, text] of texts) assertEquals(jsonNumberText(value), text);
});
