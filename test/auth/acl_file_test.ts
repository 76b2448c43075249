// Access files: lines into entries, faults by their messages.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { parseAclFile } from "../../src/auth/acl_file.ts";

const EMPTY = { anonymous: [], users: new Map(), patterns: [] };

/** The problem of a file of one line. */
function faultOf(line: string): string | undefined {
  const { value, problems } = parseAclFile(line, "acl");
  assertEquals([problems.length, value === undefined], [1, true]);
  return problems[0]?.message;
}

test("parseAclFile() gives topics to the user above them, and patterns to everybody", () => {
  const text = [
    "# comment",
    "topic read public/#",
    "topic deny public/secret",
    "pattern readwrite devices/%c/#",
    "user alice",
    "topic home",
    "  topic write home/+/set  \r",
    "pattern write %u/log",
    "topic read a b/c",
    "",
    "user  bob smith ",
    "topic readwrite deny",
    "user alice",
    "topic deny deny",
  ].join("\n");
  const { value, problems } = parseAclFile(text, "acl");
  assertEquals(problems, []);
  assertEquals(value, {
    anonymous: [{ access: "read", filter: "public/#" }, {
      access: "deny",
      filter: "public/secret",
    }],
    users: new Map([
      ["alice", [
        { access: "readwrite", filter: "home" },
        { access: "write", filter: "home/+/set" },
        { access: "read", filter: "a b/c" },
        { access: "deny", filter: "deny" },
      ]],
      ["bob smith", [{ access: "readwrite", filter: "deny" }]],
    ]),
    patterns: [
      { access: "readwrite", filter: "devices/%c/#" },
      { access: "write", filter: "%u/log" },
    ],
  });
});

test("parseAclFile() takes a single word for a filter, whatever it reads like", () => {
  assertEquals(parseAclFile("topic deny", "acl").value?.anonymous, [
    { access: "readwrite", filter: "deny" },
  ]);
});

test("parseAclFile() has no entries for an empty file or one of comments [B-51]", () => {
  for (const text of ["", "\n", "# topic #\n", " \t \r\n"]) {
    assertEquals(parseAclFile(text, "acl"), { value: EMPTY, problems: [] });
  }
});

test("parseAclFile() names what is wrong with a line [B-51]", () => {
  const faults: [line: string, message: string][] = [
    ["allow everything", 'Error: Invalid line in acl_file "acl": allow everything.'],
    [" # not the first byte", 'Error: Invalid line in acl_file "acl": # not the first byte.'],
    ["topics a", 'Error: Invalid line in acl_file "acl": topics a.'],
    ["topic\tread\ta", 'Error: Invalid line in acl_file "acl": topic\tread\ta.'],
    ["topic", 'Error: Empty topic in acl_file "acl".'],
    ["pattern  ", 'Error: Empty topic in acl_file "acl".'],
    ["user", 'Error: Missing username in acl_file "acl".'],
    ["user \r", 'Error: Missing username in acl_file "acl".'],
    ["topic all a", 'Error: Invalid topic access type "all" in acl_file "acl".'],
    ["topic a b", 'Error: Invalid topic access type "a" in acl_file "acl".'],
    ["topic READ a", 'Error: Invalid topic access type "READ" in acl_file "acl".'],
    ["topic read a/#/b", 'Error: Invalid ACL topic "a/#/b" in acl_file "acl".'],
    ["topic a+", 'Error: Invalid ACL topic "a+" in acl_file "acl".'],
    ["pattern deny %c#", 'Error: Invalid ACL topic "%c#" in acl_file "acl".'],
    ["topic deny\ta", 'Error: Invalid ACL topic "deny\ta" in acl_file "acl".'],
  ];
  assertEquals(faults.map(([line]) => [line, faultOf(line)]), faults);
  const deep = "a/".repeat(201);
  assertEquals(faultOf(`topic ${deep}`), `Error: Invalid ACL topic "${deep}" in acl_file "acl".`);
});

test("parseAclFile() tells every fault of a file, each with its line [B-51]", () => {
  const { value, problems } = parseAclFile("user\ntopic a\nbad\ntopic +a\n", "acl");
  assertEquals(value, undefined);
  assertEquals(problems.map(({ severity, line }) => [severity, line]), [
    ["error", 1],
    ["error", 3],
    ["error", 4],
  ]);
});

test("parseAclFile() warns of patterns in which nothing is put in a level's place", () => {
  const { value, problems } = parseAclFile("pattern read all\npattern a%u/x\n", "acl");
  assertEquals(value?.patterns.length, 2);
  assertEquals(problems, [
    {
      severity: "warning",
      message: "Warning: ACL pattern 'all' does not contain '%c' or '%u'.",
      line: 1,
    },
    {
      severity: "warning",
      message: "Warning: ACL pattern 'a%u/x' does not contain '%c' or '%u'.",
      line: 2,
    },
  ]);
});
