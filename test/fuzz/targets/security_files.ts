/**
 * Password, access and PSK files: a file with an error is worth nothing, every problem has its
 * line, and what was understood means the same when it is written and read again.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { AccessList } from "../../../src/auth/access_list.ts";
import { parseAclFile } from "../../../src/auth/acl_file.ts";
import { formatPasswordLine, parsePasswordFile } from "../../../src/auth/password_file.ts";
import { PasswordHash } from "../../../src/auth/password_hash.ts";
import { parsePskFile } from "../../../src/auth/psk_file.ts";
import type { Parsed } from "../../../src/auth/text_lines.ts";
import { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { matches } from "../../../src/core/topic/filter.ts";
import { PBKDF2_OF_SECRET, SHA512_OF_SECRET } from "../../auth/hashes.ts";
import { bytesOf, type FuzzTarget, textOf } from "../target.ts";

const TOPIC = "a/b";
const CLIENT_ID = "c";

export const passwordFile: FuzzTarget = {
  name: "password_file",
  tokens: ["\n", ":", "$6$", "$7$", "$argon2id$v=19$m=8,t=1,p=1$", "101", "==", "#", "\r"],
  seeds: () =>
    [
      `alice:${SHA512_OF_SECRET}\n#x\nbob:${PBKDF2_OF_SECRET[0]}\n`,
      "carol:$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA\n",
      "dave\n:x\neve:\nfrank: $6$a$b \r\n",
    ].map(bytesOf),
  run(input) {
    const result = parsePasswordFile(textOf(input), "f");
    checkProblems(result);
    if (result.value === undefined) return;
    const text = [...result.value].map(([name, hash]) => formatPasswordLine(name, hash)).join("\n");
    for (const hash of result.value.values()) {
      assertEquals(PasswordHash.parse(hash.format())?.format(), hash.format());
    }
    // A name that begins like a comment cannot be written.
    if ([...result.value.keys()].some((name) => name.startsWith("#"))) return;
    const again = parsePasswordFile(text, "f").value!;
    assertEquals([...again].map(pairOf), [...result.value].map(pairOf));
  },
};

export const accessFile: FuzzTarget = {
  name: "access_file",
  tokens: ["\n", "user ", "topic ", "pattern ", "read ", "write ", "deny ", "%c", "%u", "#", "+/"],
  seeds: () =>
    [
      "topic read a/#\nuser bob\ntopic deny a/b\ntopic readwrite +/b\npattern write %u/%c/#\n",
      "pattern read $SYS/%c\n# comment\ntopic a b\ntopic deny\n  user\tx\nuser\n",
      "topic a/+/b#\ntopic write a\x7f\nfoo:bar\nuser #\ntopic read #\n",
    ].map(bytesOf),
  run(input) {
    const result = parseAclFile(textOf(input), "f");
    checkProblems(result);
    if (result.value === undefined) return;
    const { users, patterns } = result.value;
    const list = new AccessList(result.value, { onNotice: () => {} });
    for (const [username, own] of users) {
      const words: Readonly<Record<string, string>> = { "%c": CLIENT_ID, "%u": username };
      const entries = [...own, ...patterns].filter(({ filter }) =>
        matches(filter.split("/").map((level) => words[level] ?? level).join("/"), TOPIC)
      );
      // Whatever else the rules say: what nobody names is denied, and so is what a denial names.
      const isDenied = entries.every(({ access }) => access === "deny" || access === "read") ||
        entries.some(({ access }) => access === "deny");
      const verdict = list.rulesFor({ clientId: CLIENT_ID, username }).publish(TOPIC);
      if (isDenied) assert(verdict !== ReasonCode.SUCCESS);
    }
  },
};

export const pskFile: FuzzTarget = {
  name: "psk_file",
  tokens: ["\n", ":", "00ff", "#", " ", "\r"],
  seeds: () => ["a:00ff\n#b:1\nb:abc\n", ":1\nc:\nd:xyz\na:1\n e : 12 \r\n"].map(bytesOf),
  run(input) {
    const text = textOf(input);
    const result = parsePskFile(text, "f");
    checkProblems(result);
    for (const line of text.split("\n")) {
      const key = result.value?.keyOf(line.slice(0, Math.max(0, line.indexOf(":"))).trim());
      if (key !== undefined) assert(key.length > 0);
    }
  },
};

function checkProblems({ value, problems }: Parsed<unknown>): void {
  assertEquals(value === undefined, problems.some(({ severity }) => severity === "error"));
  for (const { line, message } of problems) assert(line! >= 1 && !message.includes("\n"));
}

function pairOf([name, hash]: readonly [string, PasswordHash]): readonly string[] {
  return [name, hash.format()];
}
