// Security files from disk to meaning: what is told, and which exit status it asks for.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import {
  BAD_CONTENT,
  CANNOT_OPEN,
  loadAclFile,
  loadPasswordFile,
  loadPskFile,
} from "../../src/auth/security_files.ts";
import { runtime } from "../support/current_runtime.ts";
import { fakeFiles } from "./fake_files.ts";
import { PBKDF2_OF_SECRET } from "./hashes.ts";

const LOADERS = { pw: loadPasswordFile, acl: loadAclFile, psk: loadPskFile };
const KINDS = ["pw", "acl", "psk"] as const;

const optionsOf = (text: string) => ({
  files: fakeFiles({ "/f": { text } }),
  allowsLinks: false,
  userId: 1000,
  groupId: 1000,
});

test("A security file that cannot be opened is told by its kind, with exit status 13 [B-51]", async () => {
  const results = await Promise.all(KINDS.map((kind) => LOADERS[kind]("/none", optionsOf(""))));
  assertEquals(CANNOT_OPEN, 13);
  assertEquals(
    results.map(({ value, exitStatus, problems }) => [
      value,
      exitStatus,
      problems.map(({ message }) => message),
    ]),
    [
      'password-file: Error: Unable to open pwfile "/none".',
      'Error: Unable to open acl_file "/none".',
      'Error: Unable to open psk_file "/none".',
    ].map((message) => [undefined, 13, [message, "Error: /none: no such file."]]),
  );
});

test("A security file with an error has no value, and exit status 3 [B-51]", async () => {
  const text = "user\nalice:zz\n";
  const results = await Promise.all(KINDS.map((kind) => LOADERS[kind]("/f", optionsOf(text))));
  assertEquals(BAD_CONTENT, 3);
  assertEquals(
    results.map(({ value, exitStatus, problems }) => [
      value,
      exitStatus,
      problems.map(({ message }) => message),
    ]),
    [
      [undefined, 3, [
        "password-file: Error: Unable to decode line in password file '/f'.",
      ]],
      [undefined, 3, [
        'Error: Missing username in acl_file "/f".',
        'Error: Invalid line in acl_file "/f": alice:....',
      ]],
      [undefined, 3, [
        'Error: psk for identity "alice" contains non-hexadecimal characters.',
      ]],
    ],
  );
});

test("A security file without errors has a value and no exit status", async () => {
  const results = await Promise.all([
    loadPasswordFile("/f", optionsOf(`\ufeffalice:${PBKDF2_OF_SECRET[0]}\n`)),
    loadAclFile("/f", optionsOf("pattern all\n")),
    loadPskFile("/f", optionsOf("alice:00\n")),
  ]);
  assertEquals(results.map(({ exitStatus, problems }) => [exitStatus, problems.length]), [
    [0, 0],
    [0, 1],
    [0, 0],
  ]);
  assertEquals([...results[0].value!.keys()], ["alice"]);
});

test("A directory is no security file on a real file system either [B-51]", async () => {
  const files = await runtime.files();
  const options = { files, allowsLinks: false, userId: undefined, groupId: undefined };
  const { exitStatus, value } = await loadAclFile(".", options);
  assertEquals([exitStatus, value], [CANNOT_OPEN, undefined]);
});
