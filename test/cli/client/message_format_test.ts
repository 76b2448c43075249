// Every directive, in every layout.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { UsageError } from "../../../src/cli/client/usage_error.ts";
import { strftime } from "../../../src/telemetry/strftime.ts";
import { test } from "../../harness.ts";
import { bytesOf, publish } from "../../support/packets.ts";
import { ARRIVED_AT, print, printText } from "../../support/printed.ts";

const ZONE = strftime("%z", ARRIVED_AT);

const RICH = publish("a/bé", {
  payload: "hello",
  qos: 1,
  packetId: 300,
  retain: true,
  properties: {
    payloadFormatIndicator: 1,
    messageExpiryInterval: 70,
    contentType: "text/x",
    responseTopic: "re/sp",
    correlationData: Uint8Array.of(0x63, 0x64),
    subscriptionIds: [77, 78],
    topicAlias: 5,
    userProperties: [["a", "b"], ["c", "é f"]],
  },
});
const PLAIN = publish("t", { payload: "" });

/** Rows of format and what it prints of the rich message, and of the plain one if that differs. */
const TABLE: readonly (readonly [format: string, rich: string, plain?: string])[] = [
  ["", ""],
  ["é\\n\\0|", "é\n\0|"],
  ["%%%5%%-9%", "%%%"],
  ["@@", "@"],
  // Strings: bytes are counted, zeros are no padding.
  ["%t", "a/bé", "t"],
  ["%8t", "   a/bé", "       t"],
  ["%-8t|", "a/bé   |", "t       |"],
  ["%08t", "   a/bé", "       t"],
  ["%.3t", "a/b", "t"],
  ["%5.1t", "    a", "    t"],
  ["%-5.1t|", "a    |", "t    |"],
  ["%3.t|", "   |"],
  ["%.99t", "a/bé", "t"],
  // The payload: the width pads and cuts.
  ["%p", "hello", ""],
  ["%8p", "   hello", "        "],
  ["%-8p|", "hello   |", "        |"],
  ["%08p", "000hello", "00000000"],
  ["%-08p|", "hello   |", "        |"],
  ["%3p", "hel", "   "],
  ["%.3p", "hello", ""],
  ["%0p", "hello", ""],
  // Hex: the padding counts digits, the cut bytes.
  ["%x", "68656c6c6f", ""],
  ["%X", "68656C6C6F", ""],
  ["%12x", "  68656c6c6f", "            "],
  ["%-12X|", "68656C6C6F  |", "            |"],
  ["%012X", "0068656C6C6F", "000000000000"],
  ["%8x", "68656c6c6f", "        "],
  ["%4x", "68656c6c", "    "],
  ["%1x", "68", " "],
  ["%.2x", "68 65 6c 6c 6f", ""],
  ["%.4:x", "6865:6c6c:6f", ""],
  ["%.1-x", "6-8-6-5-6-c-6-c-6-f", ""],
  ["%.3.X", "686.56C.6C6.F", ""],
  ["%.10_x", "68656c6c6f", ""],
  ["%.0:x", "68656c6c6f", ""],
  ["%:x", "68656c6c6f", ""],
  ["%3.2~x", "68~65~6c", "   "],
  ["%12.2:x", "  68:65:6c:6c:6f", "            "],
  // Numbers.
  ["%l", "5", "0"],
  ["%4l", "   5", "   0"],
  ["%04l", "0005", "0000"],
  ["%-4l|", "5   |", "0   |"],
  ["%-04l|", "5   |", "0   |"],
  ["%.3l", "5", "0"],
  ["%m", "300", "0"],
  ["%5m", "  300", "    0"],
  ["%2m", "300", " 0"],
  ["%q%5q%-05q", "111", "000"],
  ["%r%5r%-05r", "111", "000"],
  // Properties: blanks in place of those that are not there, for most of them.
  ["%A", "5", ""],
  ["%4A", "   5", "    "],
  ["%04A", "0005", "0000"],
  ["%-04A|", "5   |", "0000|"],
  ["%-4A|", "5   |", "    |"],
  ["%C", "text/x", ""],
  ["%8C", "  text/x", "        "],
  ["%-8.4C|", "text    |", "        |"],
  ["%08C", "  text/x", "        "],
  ["%D%9D", "cdcd", ""],
  ["%E", "70", ""],
  ["%4E", "  70", "    "],
  ["%04E", "0070", "0000"],
  ["%F", "1", ""],
  ["%3F", "  1", "   "],
  ["%P|%40P", "a:b c:é f|a:b c:é f", "|"],
  ["%R", "re/sp", ""],
  ["%8R|", "   re/sp|", "|"],
  ["%-8.2R|", "re      |", "|"],
  ["%S", "77", ""],
  ["%5S", "   77", "     "],
  ["%-5S|", "77   |", "     |"],
  // Times.
  ["%I", `2026-01-05T07:08:09${ZONE}`],
  ["%.10I", "2026-01-05"],
  ["%12.10I", "  2026-01-05"],
  ["%-12.10I|", "2026-01-05  |"],
  ["%U", `${Math.floor(ARRIVED_AT.getTime() / 1000)}.123456054`],
  ["%40.1U", `${Math.floor(ARRIVED_AT.getTime() / 1000)}.123456054`],
  ["@N", "123456054"],
  ["@Y-@m-@dT@H:@M:@S@z", `2026-01-05T07:08:09${ZONE}`],
  ["@a @b @j @y @%", "Mon Jan 005 26 %"],
  ["@Q@-@E@ @5", "%Q%-%E% %5"],
];

test("compileFormat() prints every directive in every layout", () => {
  for (const [format, rich, plain = rich] of TABLE) {
    assertEquals(printText(RICH, { format }), rich, format);
    assertEquals(printText(PLAIN, { format }), plain, format);
  }
});

test("compileFormat() lets payloads through to the byte", () => {
  const payload = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const packet = publish("t", { payload, properties: { correlationData: payload } });
  const expected = Uint8Array.of(...payload, 0x7c, ...payload, 10);
  assertEquals(print(packet, { format: "%p|%D", endsLines: true }).bytes, expected);
});

/** The bytes of numbers as this machine has them. */
function numberBytes(array: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(array.buffer);
}

test("compileFormat() prints payloads that are numbers as printf does", () => {
  const cases: readonly (readonly [format: string, value: number, text: string])[] = [
    ["%d", 21.5, "21.500000"],
    ["%.3d", -0.0625, "-0.062"],
    ["%.0d", 2.5, "2"],
    ["%10.2d", 3.14159, "      3.14"],
    ["%-10.2d|", 3.14159, "3.14      |"],
    ["%010.2d", -3.14159, "-000003.14"],
    ["%-010.2d|", -3.14159, "-3.14     |"],
    ["%3.2d", 1000, "1000.00"],
    ["%d", Infinity, "inf"],
    ["%06d", -Infinity, "  -inf"],
    ["%6d", NaN, "   nan"],
  ];
  for (const [format, value, text] of cases) {
    const double = publish("t", { payload: numberBytes(Float64Array.of(value)) });
    assertEquals(printText(double, { format }), text, format);
    const float = publish("t", { payload: numberBytes(Float32Array.of(value)) });
    assertEquals(printText(float, { format: format.replace("d", "f") }), text, format);
  }
  const third = publish("t", { payload: numberBytes(Float32Array.of(1 / 3)) });
  assertEquals(printText(third, { format: "%.10f" }), "0.3333333433");
});

test("compileFormat() prints no number of a payload of another size, and says so", () => {
  const packet = publish("t", { payload: "hello" });
  assertEquals(print(packet, { format: "[%f|%9d]" }), {
    bytes: bytesOf("[|]"),
    warnings: [
      "requested float printing, but non-float data received",
      "requested double printing, but non-double data received",
    ],
  });
});

test("compileFormat() prints whatever parseFormat() takes, and that refuses the rest in words", () => {
  const pieces = [..."%@\\-0123.:xXtplmqrACDEFPRSfdIUjJNn \u00e9"];
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 12 });
  let count = 0;
  fc.assert(fc.property(text, (characters) => {
    const format = characters.join("");
    try {
      print(RICH, { format });
      print(PLAIN, { format });
      count++;
    } catch (error) {
      assertEquals(error instanceof UsageError, true, `${format}: ${error}`);
    }
  }));
  assertEquals(count > 0, true);
});
