// Pre-shared keys: lines, faults by their messages, and keys that nobody sees.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { parsePskFile } from "../../src/auth/psk_file.ts";

test("parsePskFile() reads identities with their keys", () => {
  const text = "#comment:00\n\nno colon\n alice : 00FFa0 \r\nbob:abc\n";
  const { value, problems } = parsePskFile(text, "psk");
  assertEquals(problems, []);
  assertEquals(value?.size, 2);
  assertEquals(value?.keyOf("alice"), Uint8Array.of(0x00, 0xff, 0xa0));
  assertEquals(value?.keyOf("bob"), Uint8Array.of(0x0a, 0xbc));
  assertEquals(value?.keyOf("no colon"), undefined);
});

test("parsePskFile() notes lines that it leaves out, and keeps the first of two", () => {
  const { value, problems } = parsePskFile("alice:01\n:02\nbob:\nalice:03\n", "psk");
  assertEquals(problems, [
    { severity: "notice", message: 'Empty identity in psk_file "psk", line ignored.', line: 2 },
    {
      severity: "notice",
      message: 'Missing key for identity "bob" in psk_file "psk", line ignored.',
      line: 3,
    },
    {
      severity: "notice",
      message: 'Duplicate identity "alice" in psk_file "psk", first one kept.',
      line: 4,
    },
  ]);
  assertEquals(value?.keyOf("alice"), Uint8Array.of(1));
});

test("parsePskFile() refuses the whole file for a key that is not hexadecimal", () => {
  const { value, problems } = parsePskFile("alice:01\nbob:0x02\ncarol:zz\n", "psk");
  const message = (name: string): string =>
    `Error: psk for identity "${name}" contains non-hexadecimal characters.`;
  assertEquals(value, undefined);
  assertEquals(problems, [
    { severity: "error", message: message("bob"), line: 2 },
    { severity: "error", message: message("carol"), line: 3 },
  ]);
});

test("PskKeys gives copies and shows no key when it is printed or serialised [B-59]", () => {
  const keys = parsePskFile("alice:abcdef\n", "psk").value!;
  keys.keyOf("alice")!.fill(0);
  assertEquals(keys.keyOf("alice"), Uint8Array.of(0xab, 0xcd, 0xef));
  assertEquals([JSON.stringify(keys), Object.keys(keys)], ["{}", []]);
});
