// Files with secrets: links, permissions and whatever cannot be opened.

import { assertEquals, assertRejects } from "@std/assert";
import { test } from "../harness.ts";
import { readSecretFile, type SecretFileOptions } from "../../src/auth/secret_file.ts";
import { type FakeFile, fakeFiles } from "./fake_files.ts";

/** The text, or `undefined`, and all messages. */
async function read(
  path: string,
  entries: Readonly<Record<string, FakeFile>>,
  options: Partial<SecretFileOptions> = {},
): Promise<readonly [text: string | undefined, messages: readonly string[]]> {
  const { bytes, problems } = await readSecretFile(path, {
    files: fakeFiles(entries),
    allowsLinks: false,
    userId: 1000,
    groupId: 1000,
    ...options,
  });
  const severity = bytes === undefined ? "error" : "warning";
  assertEquals(problems.every((problem) => problem.severity === severity), true);
  const text = bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  return [text, problems.map(({ message }) => message)];
}

test("readSecretFile() reads a file that is nobody else's without a word", async () => {
  assertEquals(await read("/etc/pw", { "/etc/pw": { text: "a" } }), ["a", []]);
  assertEquals(await read("pw", { "pw": { text: "a", mode: 0o640 } }), ["a", []]);
});

test("readSecretFile() warns of files that others can read or own [B-54]", async () => {
  const entry = { text: "a", mode: 0o644, userId: 0, groupId: 5 };
  assertEquals(await read("/pw", { "/pw": entry }), ["a", [
    "Warning: File /pw has world readable permissions. " +
    "Future versions will refuse to load this file.",
    "To fix this, use `chmod 0600 /pw`.",
    "Warning: File /pw owner is not user id 1000. Future versions will refuse to load this file.",
    "To fix this, use `chown 1000 /pw`.",
    "Warning: File /pw group is not group id 1000. Future versions will refuse to load this file.",
    "To fix this, use `chgrp 1000 /pw`.",
  ]]);
  const nobody = { userId: undefined, groupId: undefined };
  assertEquals(await read("/pw", { "/pw": entry }, nobody), ["a", []]);
});

test("readSecretFile() refuses links that lead out of their directory, unless allowed [B-54]", async () => {
  const entries = { "/etc/pw": { link: "/home/m/pw" }, "/home/m/pw": { text: "a" } };
  const refusal = "Error: /etc/pw is a symbolic link, which is only followed out of its " +
    "directory when MOSQUITTO_UNSAFE_ALLOW_SYMLINKS is set.";
  assertEquals(await read("/etc/pw", entries), [undefined, [refusal]]);
  assertEquals(await read("/etc/pw", entries, { allowsLinks: true }), ["a", []]);
  // A directory whose name begins alike is another one.
  const alike = { "/etc/pw": { link: "/etc2/pw" }, "/etc2/pw": { text: "a" } };
  assertEquals(await read("/etc/pw", alike), [undefined, [refusal]]);
});

test("readSecretFile() follows links within their directory, as Kubernetes mounts secrets [B-54]", async () => {
  const entries = {
    "/s/pw": { link: "/s/..2026_01_01/pw" },
    "/s/..2026_01_01/pw": { text: "a", mode: 0o644 },
  };
  const [text, messages] = await read("/s/pw", entries);
  assertEquals([text, messages.length], ["a", 2]);
});

test("readSecretFile() says why a file cannot be opened [B-51] [B-52]", async () => {
  const entries: Record<string, FakeFile> = {
    "/d": { kind: "directory" },
    "/null": { kind: "other" },
    "/no": { failure: "permission-denied" },
    "/many": { failure: "too-many-files" },
    "/bad": { failure: "file-failed" },
    "/gone": { failure: "not-found" },
    "/huge": { bytes: 64 * 1024 * 1024 + 1 },
  };
  const paths = ["/none", ...Object.keys(entries)];
  const results = await Promise.all(paths.map((path) => read(path, entries)));
  assertEquals(results, [
    [undefined, ["Error: /none: no such file."]],
    [undefined, ["Error: /d is not a file."]],
    [undefined, ["Error: /null is not a file."]],
    [undefined, ["Error: /no: permission denied."]],
    [undefined, ["Error: /many: too many open files."]],
    [undefined, ["Error: /bad: it cannot be read."]],
    [undefined, ["Error: /gone: no such file."]],
    [undefined, ["Error: /huge is larger than 67108864 bytes."]],
  ]);
});

test("readSecretFile() does not hide failures of our own", async () => {
  const files = { ...fakeFiles({}), info: () => Promise.reject(new TypeError("broken")) };
  await assertRejects(() => read("/pw", {}, { files }), TypeError, "broken");
});
