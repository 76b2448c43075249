// The process and the machine, as they really are.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import { join } from "node:path";
import process from "node:process";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { test } from "../harness.ts";
import { runScript, withHost } from "../support/child_script.ts";
import { runtime } from "../support/current_runtime.ts";
import { until } from "../support/wait.ts";

const host = await runtime.host();
const isRoot = process.getuid!() === 0;

async function inFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(os.tmpdir(), "midge-host-"));
  try {
    await action(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs the action while programs are looked for in this folder first. */
async function withProgram(
  folder: string,
  name: string,
  script: string,
  action: () => Promise<void>,
): Promise<void> {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
  const path = process.env["PATH"]!;
  process.env["PATH"] = `${folder}:${path}`;
  try {
    await action();
  } finally {
    process.env["PATH"] = path;
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

test("Host tells who and where the process is", () => {
  assertEquals(
    [host.processId, host.hostname, host.userId(), host.groupId()],
    [process.pid, os.hostname(), process.getuid!(), process.getgid!()],
  );
});

test("Host.environment() is that of now", () => {
  process.env["MIDGE_TEST_WORD"] = "here";
  assertEquals(host.environment()["MIDGE_TEST_WORD"], "here");
  delete process.env["MIDGE_TEST_WORD"];
  assertEquals("MIDGE_TEST_WORD" in host.environment(), false);
});

test("Host.memory() tells what objects and the whole process take", () => {
  const { heapBytes, residentBytes } = host.memory();
  assertEquals([heapBytes > 100_000, residentBytes > heapBytes / 2], [true, true]);
});

test("Host.findUser() knows the users of the machine", async () => {
  const line = readFileSync("/etc/passwd", "utf8").split("\n").at(-2)!.split(":");
  const expected = { userId: Number(line[2]), groupId: Number(line[3]) };
  assertEquals(await host.findUser(line[0]!), expected);
  assertEquals(await host.findUser("root"), { userId: 0, groupId: 0 });
  for (const name of ["", "no such user", "-s", "root:x"]) {
    assertEquals(await host.findUser(name), undefined);
  }
});

test("Host.findUser() asks the system for users that no file names", async () => {
  await inFolder(async (folder) => {
    const script = '[ "$*" = "passwd -- far" ] && echo far:x:4711:4712::/:/bin/false';
    await withProgram(folder, "getent", script, async () => {
      assertEquals(await host.findUser("far"), { userId: 4711, groupId: 4712 });
      assertEquals(await host.findUser("further"), undefined);
    });
  });
});

test("Host.becomeUser() gives up groups, group and user for good, or throws", async () => {
  const script = withHost(`
import { readFileSync } from "node:fs";
try {
  host.becomeUser(65534, 65533);
  const status = readFileSync("/proc/self/status", "utf8");
  console.log(status.match(/^(?:Uid|Gid|Groups):.*$/mg).join(" ").replace(/\\s+/g, " ").trim());
  try { host.becomeUser(0, 0); } catch (error) { console.log(error.code); }
} catch (error) {
  console.log(error.code);
}`);
  const through = isRoot ? ["setpriv", "--groups", "4,24,27"] : [];
  assertEquals(
    await runScript(script, { through }),
    isRoot
      ? "Uid: 65534 65534 65534 65534 Gid: 65533 65533 65533 65533 Groups:\npermission-denied\n"
      : "permission-denied\n",
  );
});

test("Host.setFileMask() limits the modes of new files", async () => {
  await inFolder(async (folder) => {
    const script = `import { writeFileSync } from "node:fs";
host.setFileMask(0o137);
writeFileSync(process.argv[2], "");`;
    const path = join(folder, "file");
    await runScript(`import process from "node:process";\n${withHost(script)}`, { args: [path] });
    assertEquals((await (await runtime.files()).info(path))?.mode, 0o640);
  });
});

test("Host.resolve() gives the addresses of a name", async () => {
  assertEquals((await host.resolve("localhost")).every((text) => /^127\.|^::1$/.test(text)), true);
  assertEquals(await host.resolve("::1"), ["::1"]);
  const error = await assertRejects(() => host.resolve("no-such-host.invalid"), OperationError);
  assertEquals(error.code, "address-not-available");
});

test("Host.interfaceAddresses() gives those of one interface", () => {
  assertEquals(host.interfaceAddresses("lo").includes("127.0.0.1"), true);
  assertEquals(host.interfaceAddresses("nothing"), []);
});

test("Host.startDetached() starts the program again in a session of its own", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "out");
    const output = await runScript(
      `import process from "node:process";
import { existsSync, readFileSync, readlinkSync, renameSync, writeFileSync } from "node:fs";
${
        withHost(`
const [path, word] = process.argv.slice(2);
if (word === undefined) {
  console.log(host.startDetached([path, "a word"], { ...host.environment(), MIDGE_TEST_SEEN: "x" }));
  // The script's own file goes with this process.
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 5));
} else {
  // Process, session, and the three standard streams.
  const fields = readFileSync("/proc/self/stat", "utf8").replace(/^.*\\) /, "").split(" ");
  const streams = [0, 1, 2].map((at) => readlinkSync("/proc/self/fd/" + at));
  const seen = [process.pid, Number(fields[3]), streams, word, process.env.MIDGE_TEST_SEEN];
  writeFileSync(path + ".part", JSON.stringify(seen));
  renameSync(path + ".part", path);
}`)
      }`,
      { args: [path] },
    );
    const processId = Number(output);
    const streams = ["/dev/null", "/dev/null", "/dev/null"];
    assertEquals(JSON.parse(textOf(path)), [processId, processId, streams, "a word", "x"]);
  });
});

test("Host.openSystemLog() hands lines to the system's program as they come", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "out");
    const script = `printf '%s|' "$@" > '${path}'; exec cat >> '${path}'`;
    await withProgram(folder, "logger", script, async () => {
      const log = host.openSystemLog("midge", 3);
      log.write(3, "one");
      log.write(6, "größer");
      await until(() => textOf(path).endsWith("größer\n"), "both lines are there");
      log.write(5, "last");
      await log.close();
      log.write(5, "too late");
    });
    assertEquals(
      textOf(path),
      `-t|midge|--id=${process.pid}|--prio-prefix|<27>one\n<30>größer\n<29>last\n`,
    );
  });
});

test("Host.openSystemLog() drops what a stuck program does not take, and does not wait", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "out");
    const script = `sleep 0.3; wc -c > '${path}.part'; mv '${path}.part' '${path}'`;
    await withProgram(folder, "logger", script, async () => {
      const log = host.openSystemLog("midge", 16);
      const text = "x".repeat(999);
      for (let i = 0; i < 5000; i++) log.write(6, text);
      await log.close();
    });
    await until(() => textOf(path) !== "", "the program has counted what it got");
    const taken = Number(textOf(path));
    assertEquals([taken > 200_000, taken < 1_000_000], [true, true]);
  });
});

test("Host.openSystemLog() outlives its program, and starts it again later", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "out");
    await withProgram(folder, "logger", `echo started >> '${path}'; exit 1`, async () => {
      const log = host.openSystemLog("midge", 3);
      await until(() => textOf(path) !== "", "the program has started");
      for (let i = 0; i < 50; i++) {
        log.write(3, "into the void");
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await log.close();
    });
    assertEquals(textOf(path), "started\n");
  });
});

test("Host.openSystemLog() says when there is no such program", () => {
  const path = process.env["PATH"]!;
  process.env["PATH"] = "/nowhere";
  try {
    const error = assertThrows(() => host.openSystemLog("midge", 3), OperationError);
    assertEquals([error.code, error.message], [
      "not-supported",
      'The system\'s log cannot be reached: there is no program "logger"',
    ]);
  } finally {
    process.env["PATH"] = path;
  }
});

test("Host.importModule() loads a file, and again when it has changed", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a module.mjs");
    writeFileSync(path, "export const word = 'first';");
    assertEquals({ ...await host.importModule(path) as object }, { word: "first" });
    assertEquals(await host.importModule(path), await host.importModule(path));
    writeFileSync(path, "export const word = 'second time';");
    assertEquals({ ...await host.importModule(path) as object }, { word: "second time" });
    const missing = () => host.importModule(join(folder, "missing.ts"));
    assertEquals((await assertRejects(missing, OperationError)).code, "not-found");
  });
});

test("Host.notifyServiceManager() speaks where somebody listens", async () => {
  const old = process.env["NOTIFY_SOCKET"];
  delete process.env["NOTIFY_SOCKET"];
  await inFolder(async (folder) => {
    const path = join(folder, "out");
    const script = `[ "$1" = BAD=1 ] && exit 1; echo "$NOTIFY_SOCKET $*" >> '${path}'`;
    await withProgram(folder, "systemd-notify", script, async () => {
      await host.notifyServiceManager("READY=1");
      assertEquals(textOf(path), "");
      process.env["NOTIFY_SOCKET"] = "@socket";
      await host.notifyServiceManager("READY=1");
      assertEquals(textOf(path), "@socket READY=1\n");
      const error = await assertRejects(() => host.notifyServiceManager("BAD=1"), OperationError);
      assertEquals(error.code, "not-supported");
    });
  });
  if (old === undefined) delete process.env["NOTIFY_SOCKET"];
  else process.env["NOTIFY_SOCKET"] = old;
});

test("Host.argon2id() computes what RFC 9106 defines, and refuses what would hurt", async () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const options = {
    salt: bytes("somesaltsomesalt"),
    passes: 2,
    memoryKib: 1024,
    lanes: 2,
    length: 32,
  };
  const hashes = await Promise.all([
    host.argon2id(bytes("password"), options),
    host.argon2id(bytes("password"), { ...options, lanes: 1, length: 16 }),
  ]);
  const hex = hashes.map((hash) => Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")));
  assertEquals(hex.map((digits) => digits.join("")), [
    "136523b6b0d30a0231e267e9a90f46c0bcef69bb90b9509cc22b2a0516d223ee",
    "12e600ef40e119456d906a474f6e299f",
  ]);
  for (const excess of [{ memoryKib: 1024 * 1024 + 1 }, { passes: 11 }, { lanes: 65 }]) {
    const error = await assertRejects(
      () => host.argon2id(bytes("password"), { ...options, ...excess }),
      OperationError,
    );
    assertEquals(error.code, "not-supported");
  }
});
