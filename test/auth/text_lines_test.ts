// Lines that count, with their numbers.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { concealed, parsed, significantLines, trimBlanks } from "../../src/auth/text_lines.ts";

test("significantLines() numbers all lines and leaves out those that begin with #", () => {
  assertEquals([...significantLines("#x\na\r\n # b\n\nc")], [
    ["a\r", 2],
    [" # b", 3],
    ["", 4],
    ["c", 5],
  ]);
});

test("trimBlanks() removes the blanks of C and keeps those of Unicode", () => {
  assertEquals(trimBlanks(" \t\v\f\r\n a b\u00a0 \r"), "a b\u00a0");
  assertEquals(trimBlanks(" \t"), "");
});

test("parsed() has no value when one problem is an error", () => {
  const warning = { severity: "warning", message: "w" } as const;
  const error = { severity: "error", message: "e" } as const;
  assertEquals(parsed(1, [warning]), { value: 1, problems: [warning] });
  assertEquals(parsed(1, [warning, error]), { value: undefined, problems: [warning, error] });
});

test("concealed() leaves out what is behind a colon", () => {
  assertEquals(["topics a", "alice:$7$secret", "a : b : c", ":"].map(concealed), [
    "topics a",
    "alice:...",
    "a :...",
    ":...",
  ]);
});
