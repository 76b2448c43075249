// The file system as the configuration needs it, on real files.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { test } from "../harness.ts";
import { runScript, withHost } from "../support/child_script.ts";
import { runtime } from "../support/current_runtime.ts";

const files = await runtime.files();

async function inFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = fs.mkdtempSync(join(tmpdir(), "midge-files-"));
  try {
    await action(folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

async function codeOf(action: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(action, OperationError)).code;
}

function modeOf(path: string): number {
  return fs.statSync(path).mode & 0o7777;
}

test("Files.readBytes() gives a file whole, and text from it", async () => {
  await inFolder(async (folder) => {
    const bytes = Uint8Array.from({ length: 200_000 }, (_, index) => index & 0x7f);
    fs.writeFileSync(join(folder, "a"), bytes);
    fs.writeFileSync(join(folder, "empty"), "");
    assertEquals(await files.readBytes(join(folder, "a")), bytes);
    assertEquals(await files.readText(join(folder, "empty")), "");
    fs.writeFileSync(join(folder, "text"), "größer\n");
    assertEquals(await files.readText(join(folder, "text")), "größer\n");
  });
});

test("Files.readBytes() reads what has no length of its own, and does not read without end", async () => {
  assertEquals((await files.readText("/proc/self/status")).startsWith("Name:"), true);
  const error = await assertRejects(() => files.readBytes("/dev/zero"), OperationError);
  assertEquals([error.code, error.message], [
    "file-failed",
    'Cannot read "/dev/zero": it is larger than 16777216 bytes',
  ]);
});

test("Files says what is wrong by a code", async () => {
  await inFolder(async (folder) => {
    const missing = join(folder, "missing");
    assertEquals(await codeOf(() => files.readBytes(missing)), "not-found");
    assertEquals(await codeOf(() => files.readBytes(folder)), "file-failed");
    assertEquals(await codeOf(() => files.list(missing)), "not-found");
    assertEquals(await codeOf(() => files.realPath(missing)), "not-found");
    assertEquals(
      await codeOf(() => files.write(join(missing, "x"), new Uint8Array(), 0)),
      "not-found",
    );
    fs.writeFileSync(join(folder, "file"), "");
    assertEquals(await codeOf(() => files.readBytes(join(folder, "file", "x"))), "not-found");
    const error = await assertRejects(() => files.readText(missing), OperationError);
    assertEquals(error.message, `Cannot read "${missing}": there is no such file`);
  });
});

test("Files says when there are too many open files, and lives on [B-52]", async () => {
  const output = await runScript(
    withHost(`
import { closeSync, openSync } from "node:fs";
const { code: warm } = await files.readBytes("/nowhere").catch((error) => error);
const open = [];
try {
  for (;;) open.push(openSync("/dev/null", "r"));
} catch {}
const { code } = await files.readBytes("/etc/passwd").catch((error) => error);
let appended = "";
try { files.openAppended("/tmp/midge-never-made"); } catch (error) { appended = error.code; }
for (const descriptor of open) closeSync(descriptor);
const later = (await files.readBytes("/etc/passwd")).length > 0;
console.log(warm, code, appended, later);
`),
    { limits: "-n 120" },
  );
  assertEquals(output, "not-found too-many-files too-many-files true\n");
});

test("Files.info() follows a link and says that it is one", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "file");
    fs.writeFileSync(path, "12345");
    fs.chmodSync(path, 0o640);
    fs.symlinkSync(path, join(folder, "link"));
    const [userId, groupId] = [process.getuid!(), fs.statSync(path).gid];
    const expected = {
      kind: "file",
      isLink: false,
      mode: 0o640,
      userId,
      groupId,
      bytes: 5,
    } as const;
    assertEquals(await files.info(path), expected);
    assertEquals(await files.info(join(folder, "link")), { ...expected, isLink: true });
    assertEquals(await files.info(join(folder, "missing")), undefined);
    assertEquals((await files.info(folder))?.kind, "directory");
    assertEquals((await files.info("/dev/null"))?.kind, "other");
  });
});

test("Files.list() and realPath() tell what is there", async () => {
  await inFolder(async (folder) => {
    fs.writeFileSync(join(folder, "b"), "");
    fs.mkdirSync(join(folder, "a"));
    fs.symlinkSync("b", join(folder, "c"));
    assertEquals((await files.list(folder)).sort(), ["a", "b", "c"]);
    const real = fs.realpathSync(folder);
    assertEquals(await files.realPath(join(folder, "a", "..", "c")), join(real, "b"));
  });
});

test("Files.write() makes a file with its mode, and leaves that of one that is there", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "file");
    await files.write(path, Uint8Array.of(65), 0o600);
    assertEquals([fs.readFileSync(path, "utf8"), modeOf(path)], ["A", 0o600]);
    fs.chmodSync(path, 0o664);
    await files.write(path, Uint8Array.of(66), 0o600);
    assertEquals([fs.readFileSync(path, "utf8"), modeOf(path)], ["B", 0o664]);
    fs.symlinkSync(path, join(folder, "link"));
    await files.write(join(folder, "link"), Uint8Array.of(67), 0o600);
    assertEquals(fs.readFileSync(path, "utf8"), "C");
    assertEquals(fs.readdirSync(folder).sort(), ["file", "link"]);
  });
});

test("Files.openAppended() makes a file for us alone, and adds to one that is there", async () => {
  await inFolder((folder) => {
    const path = join(folder, "log");
    for (const text of ["first\n", "second\n"]) {
      const file = files.openAppended(path);
      file.append(text);
      assertEquals(fs.readFileSync(path, "utf8").endsWith(text), true);
      file.close();
      file.append("after the end\n");
    }
    assertEquals([fs.readFileSync(path, "utf8"), modeOf(path)], ["first\nsecond\n", 0o600]);
    return Promise.resolve();
  });
});

test("Files writes through no link in a directory that others can write to [B-54]", async () => {
  await inFolder(async (folder) => {
    const shared = join(folder, "shared");
    fs.mkdirSync(shared);
    fs.chmodSync(shared, 0o1777);
    const target = join(folder, "target");
    fs.symlinkSync(target, join(shared, "link"));
    fs.symlinkSync(folder, join(shared, "folder"));
    fs.symlinkSync(join(shared, "link"), join(folder, "detour"));
    const unsafe = [join(shared, "link"), join(shared, "folder", "target"), join(folder, "detour")];
    for (const path of unsafe) {
      const error = assertThrows(() => files.openAppended(path), OperationError);
      assertEquals(error.code, "permission-denied");
      assertEquals(
        await codeOf(() => files.write(path, Uint8Array.of(1), 0o600)),
        "permission-denied",
      );
    }
    assertEquals(fs.existsSync(target), false);
    const own = join(folder, "own");
    fs.symlinkSync(target, own);
    files.openAppended(own).close();
    assertEquals(fs.existsSync(target), true);
  });
});

test("Files.openAppended() reports a full disk and a pipe that nobody reads", async () => {
  const full = files.openAppended("/dev/full");
  const error = assertThrows(() => full.append("text\n"), OperationError);
  assertEquals([error.code, error.message], [
    "file-failed",
    'Cannot write "/dev/full": the disk is full',
  ]);
  full.close();
  await inFolder((folder) => {
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    assertEquals(assertThrows(() => files.openAppended(path), OperationError).code, "file-failed");
    return Promise.resolve();
  });
});

test("Files.remove() takes a file away, once or twice", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "file");
    fs.writeFileSync(path, "");
    await files.remove(path);
    await files.remove(path);
    assertEquals(fs.existsSync(path), false);
  });
});
