// JSON read and written again. The platform's own parser judges what is valid, and the C library
// that Mosquitto prints with is where the form comes from.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { jsonNumberText } from "../../../src/cli/client/float_text.ts";
import { rewriteJson } from "../../../src/cli/client/json_text.ts";
import { JsonWriter } from "../../../src/cli/client/json_writer.ts";
import { Writer } from "../../../src/core/codec/writer.ts";
import { test } from "../../harness.ts";
import { bytesOf } from "../../support/packets.ts";

/** `undefined` when it is no JSON. */
function rewrite(text: string | Uint8Array, isPretty = false): string | undefined {
  const bytes = typeof text === "string" ? bytesOf(text) : text;
  const surrounded = new Uint8Array(bytes.length + 4).fill(0x31);
  surrounded.set(bytes, 2);
  const out = new Writer(new Uint8Array(0));
  const json = new JsonWriter(out, isPretty);
  if (!rewriteJson(json, surrounded, { start: 2, end: 2 + bytes.length })) return undefined;
  return new TextDecoder("latin1").decode(out.bytes.subarray(0, out.length));
}

/** UTF-8 as `rewrite` shows it. */
function latin(text: string): string {
  return new TextDecoder("latin1").decode(bytesOf(text));
}

test("rewriteJson() writes JSON on one line, members in their order", () => {
  const texts: Readonly<Record<string, string>> = {
    ' {"a" : 1.0, "b":[1 ,2,{"c":null}],"2":true,"1":false}\n':
      '{"a":1,"b":[1,2,{"c":null}],"2":true,"1":false}',
    '{"a":1,"a":2}': '{"a":1,"a":2}',
    "[]": "[]",
    "{ }": "{}",
    '[{},[],[[1],"x"]]': '[{},[],[[1],"x"]]',
    "true": "true",
    "-0": "-0",
    "01": "1",
    "1.": "1",
    "-.5": "-0.5",
    "1E2": "100",
    "1e400": "null",
    '""': '""',
    '"a\\/b\\u00e9\\n\\"\\\\\\b\\f\\r\\t"': latin('"a/bé\\n\\"\\\\\\b\\f\\r\\t"'),
    '"\\u0000\\u001f\\u0022\\u005c"': '"\\u0000\\u001f\\"\\\\"',
    '"\\ud83d\\ude00 é"': latin('"😀 é"'),
    '"\ttab"': '"\\ttab"',
    "\ufeff1": "1",
    "1\0": "1",
  };
  for (const [text, expected] of Object.entries(texts)) {
    assertEquals(rewrite(text), expected, text);
  }
});

test("rewriteJson() leaves alone what is not UTF-8 in a string", () => {
  assertEquals(rewrite(Uint8Array.of(0x22, 0xff, 0xc3, 0x28, 0x7f, 0x22)), '"\xff\xc3(\x7f"');
});

test("rewriteJson() indents with tabs, and writes arrays on one line", () => {
  assertEquals(
    rewrite('{"a":1,"b":[1,2,{"c":null}],"e":{},"f":[],"k":[[1],[]]}', true),
    '{\n\t"a":\t1,\n\t"b":\t[1, 2, {\n\t\t\t"c":\tnull\n\t\t}],\n\t"e":\t{\n\t},\n\t"f":\t[],\n' +
      '\t"k":\t[[1], []]\n}',
  );
});

test("rewriteJson() refuses what is no JSON", () => {
  const texts = [
    ...["", " ", ".5", "+1", "-", "tru", "nul", "truex", "NaN", "'a'", "1 2", "1e", "1.2.3", "--1"],
    ...["[1,]", "[,1]", "[1", "[1}", "]", "{", "{a:1}", '{"a":1,}', '{"a"1}', '{"a":}', '{"a"}'],
    ...['"', '"\\', '"\\q"', '"\\u12"', '"\\u12g4"', '"\\ud83d"', '"\\ud83d\\n"', '"\\ude00"'],
    ...['"\\ud83d\\ud83d"', '{"a":1} x', "{1:2}", '"a" "b"'],
  ];
  for (const text of texts) assertEquals(rewrite(text), undefined, text);
});

test("rewriteJson() goes a thousand levels deep and no further", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assertEquals(rewrite(nested(1000)), nested(1000));
  assertEquals(rewrite(nested(1001)), undefined);
  assertEquals(rewrite("[".repeat(1_000_000)), undefined);
});

test("rewriteJson() says the same as the text that it was given", () => {
  fc.assert(fc.property(fc.json(), fc.boolean(), (text, isPretty) => {
    const written = rewrite(text, isPretty);
    const bytes = Uint8Array.from(written ?? "", (character) => character.charCodeAt(0));
    // Numbers are rounded, as the test of that says.
    const rounded = JSON.parse(text, (_, value) => {
      return typeof value === "number" ? Number(jsonNumberText(value)) : value;
    });
    const again = JSON.parse(new TextDecoder().decode(bytes));
    assertEquals(JSON.stringify(again), JSON.stringify(rounded));
  }));
});

test("rewriteJson() reads no bytes beyond its end, whatever they are", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    const written = rewrite(bytes);
    if (written !== undefined) JSON.parse(written);
  }));
});
