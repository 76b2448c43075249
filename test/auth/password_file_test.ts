// Password files: lines, faults by their messages, and what the authenticator makes of them.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import {
  formatPasswordLine,
  parsePasswordFile,
  parsePasswordLine,
  PasswordFile,
} from "../../src/auth/password_file.ts";
import { PasswordHash } from "../../src/auth/password_hash.ts";
import { WorkGate } from "../../src/auth/work_gate.ts";
import { PBKDF2_OF_SECRET, SHA512_OF_SECRET } from "./hashes.ts";
import { login } from "./requests.ts";

const { NOT_AUTHORIZED, SERVER_BUSY, SUCCESS } = ReasonCode;
const HASH = PBKDF2_OF_SECRET[0]!;

function passwordFile(text: string, runningMax = 2, waitingMax = 10): PasswordFile {
  const { value } = parsePasswordFile(text, "pw");
  return new PasswordFile(value!, {
    argon2id: () => Promise.reject(new Error("no Argon2id here")),
    gate: new WorkGate({ runningMax, waitingMax }),
  });
}

function faults(text: string): readonly (readonly [line: number | undefined, message: string])[] {
  const { value, problems } = parsePasswordFile(text, "pw");
  const errors = problems.filter(({ severity }) => severity === "error");
  assertEquals(value === undefined, errors.length > 0);
  return problems.map(({ line, message }) => [line, message]);
}

test("parsePasswordLine() takes a line apart and trims both parts", () => {
  assertEquals(parsePasswordLine(" a b \t: h :rest: "), { username: "a b", hash: "h" });
  assertEquals(parsePasswordLine("a:"), { username: "a", hash: undefined });
  assertEquals(parsePasswordLine(":h"), { username: "", hash: "h" });
  assertEquals(parsePasswordLine("nothing"), undefined);
});

test("formatPasswordLine() writes what parsePasswordLine() reads", () => {
  const line = formatPasswordLine("alice", PasswordHash.parse(HASH)!);
  assertEquals(line, `alice:${HASH}`);
  assertEquals(parsePasswordLine(line), { username: "alice", hash: HASH });
});

test("parsePasswordFile() skips comments, blank lines and lines without a colon [B-51]", () => {
  const text = `#a:b\n\n \r\nplain\nalice:${HASH}\r\nbob : ${SHA512_OF_SECRET}:x\n`;
  const { value, problems } = parsePasswordFile(text, "pw");
  assertEquals(problems, []);
  assertEquals([...value!.keys()], ["alice", "bob"]);
});

test("parsePasswordFile() tells every fault of a file by its message [B-51]", () => {
  const text = [
    `alice:${HASH}`,
    `:${HASH}`,
    "bob:",
    "carol:secret",
    "dave:$5$salt$hash",
    `alice:${HASH}`,
    " #e:plain",
    `${"x".repeat(65_536)}:${HASH}`,
    `frank:${"x".repeat(65_536)}`,
  ].join("\n");
  const start = "password-file: Error: ";
  assertEquals(faults(text), [
    [2, `${start}Empty username in password file 'pw'.`],
    [3, `${start}Invalid line in password file 'pw': bob`],
    [4, `${start}Unable to decode line in password file 'pw'.`],
    [5, `${start}Unable to decode line in password file 'pw'.`],
    [6, `${start}Duplicate user 'alice' in password file 'pw'.`],
    [7, `${start}Unable to decode line in password file 'pw'.`],
    [8, `${start}Invalid line in password file 'pw', username too long.`],
    [9, `${start}Invalid line in password file 'pw': frank`],
  ]);
});

test("PasswordFile.authenticate() lets in who knows the password, and nobody else", async () => {
  const file = passwordFile(`alice:${HASH}\nbob:${SHA512_OF_SECRET}\n`);
  const verdicts = [
    login("alice", "secret"),
    login("bob", "secret"),
    login("alice", "wrong"),
    login("carol", "secret"),
    login("", "secret"),
    login("Alice", "secret"),
    login("alice", ""),
    login("alice", "\0"),
    login("alice"),
    login("carol"),
  ].map((request) => file.authenticate(request));
  assertEquals(await Promise.all(verdicts), [
    SUCCESS,
    SUCCESS,
    ...Array(8).fill(NOT_AUTHORIZED),
  ]);
});

test("PasswordFile.authenticate() leaves clients without a user name to others", () => {
  const file = passwordFile(`alice:${HASH}\n`);
  assertEquals([file.authenticate(login()), file.authenticate(login(undefined, "secret"))], [
    "defer",
    "defer",
  ]);
});

test("PasswordFile.authenticate() lets nobody in by an empty file [B-51]", async () => {
  for (const text of ["", "\n\n", "# nobody:here\n", "no colon\n"]) {
    const file = passwordFile(text);
    assertEquals(await file.authenticate(login("alice", "secret")), NOT_AUTHORIZED);
    assertEquals(await file.authenticate(login("", "")), NOT_AUTHORIZED);
  }
});

test("PasswordFile.authenticate() works as hard for users that there are not [B-50]", async () => {
  const work: string[] = [];
  const line = (t: number): string =>
    `$argon2id$v=19$m=64,t=${t},p=1$${"A".repeat(22)}$${"A".repeat(43)}`;
  const text = `alice:${line(2)}\nbob:${line(3)}\ncarol:${line(3)}\n`;
  const file = new PasswordFile(parsePasswordFile(text, "pw").value!, {
    argon2id: (_password, { passes, memoryKib, length, salt }) => {
      work.push(`t=${passes} m=${memoryKib}`);
      return Promise.resolve(new Uint8Array(length).fill(salt.length > 16 ? 0 : 1));
    },
    gate: new WorkGate({ runningMax: 2, waitingMax: 10 }),
  });
  const verdicts = [
    await file.authenticate(login("carol", "x")),
    await file.authenticate(login("mallory", "x")),
  ];
  assertEquals(verdicts, [NOT_AUTHORIZED, NOT_AUTHORIZED]);
  assertEquals(work, ["t=3 m=64", "t=3 m=64"]);
});

test("PasswordFile.authenticate() is busy when too many logins wait, known users or not [B-50]", async () => {
  const file = passwordFile(`alice:${HASH}\n`, 1, 2);
  const names = ["alice", "bob", "alice", "alice", "bob"];
  const verdicts = names.map((name) => file.authenticate(login(name, "secret")));
  assertEquals(await Promise.all(verdicts), [
    SUCCESS,
    NOT_AUTHORIZED,
    SUCCESS,
    SERVER_BUSY,
    SERVER_BUSY,
  ]);
  assertEquals(await file.authenticate(login("alice", "secret")), SUCCESS);
});

test("PasswordFile.credentialOf() changes with the password", () => {
  const file = passwordFile(`alice:${HASH}\nbob:${PBKDF2_OF_SECRET[1]}\n`);
  assertEquals(file.credentialOf("alice"), HASH);
  assertEquals(file.credentialOf("bob"), PBKDF2_OF_SECRET[1]);
  assertEquals(file.credentialOf("carol"), undefined);
});

test("PasswordFile and its problems show no password and no hash [B-59]", () => {
  const file = passwordFile(`alice:${HASH}\n`);
  assertEquals(JSON.stringify(file), '{"name":"password-file"}');
  const { problems } = parsePasswordFile("alice:hunter2\n:hunter2\nbob:$7$1$hunter2$x\n", "pw");
  assertEquals([problems.length, JSON.stringify(problems).includes("hunter2")], [3, false]);
});
