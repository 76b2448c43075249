// Whatever text stands in a security file: it is understood or refused, never half used, and what
// is said about it repeats no secret.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "../harness.ts";
import { parseAclFile } from "../../src/auth/acl_file.ts";
import { parsePasswordFile } from "../../src/auth/password_file.ts";
import { parsePskFile } from "../../src/auth/psk_file.ts";
import type { Parsed } from "../../src/auth/text_lines.ts";
import { PBKDF2_OF_SECRET, SHA512_OF_SECRET } from "./hashes.ts";

const pieces = fc.constantFrom(
  ...[
    "user",
    "topic",
    "pattern",
    "read",
    "deny",
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "#",
    "+",
    "/",
    ":",
  ],
  ...["a", "%c", "%u", "$SYS", "$6$", "$7$", "$", "1000", "=", "00ff", "\0", "\u00e9", "\ud800"],
  ...[SHA512_OF_SECRET, PBKDF2_OF_SECRET[0]!, SHA512_OF_SECRET.slice(1)],
);
const texts = fc.oneof(
  fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 200 }),
);

function isWhole({ value, problems }: Parsed<unknown>): boolean {
  const hasError = problems.some(({ severity }) => severity === "error");
  return hasError === (value === undefined) &&
    problems.every(({ line, message }) => line! >= 1 && message !== "" && !message.includes("\n"));
}

test("The parsers of security files take any text, and no value with an error [B-51]", () => {
  fc.assert(
    fc.property(texts, (text) => {
      for (const parse of [parsePasswordFile, parseAclFile, parsePskFile]) {
        assertEquals(isWhole(parse(text, "f")), true);
      }
    }),
    { numRuns: 500 },
  );
});

test("The parsers of password and PSK files never repeat what stands behind the colon [B-59]", () => {
  const secret = fc.string({ minLength: 8, maxLength: 20 })
    .map((text) => `hunter2${text.replaceAll(/[\r\n]/g, "")}`);
  fc.assert(fc.property(secret, fc.constantFrom("", "alice", "bob", " "), (secret, name) => {
    const text = `alice:${SHA512_OF_SECRET}\n${name}:${secret}\n${name}:${secret}\n`;
    const { problems } = parsePasswordFile(text, "f");
    const { problems: others } = parsePskFile(text, "f");
    assertEquals([problems.length > 0, others.length > 0], [true, true]);
    assertEquals(JSON.stringify([problems, others]).includes("hunter2"), false);
  }));
});
