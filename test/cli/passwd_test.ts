// `passwd`: each of its forms, what it says, what it leaves of the file, and what somebody at the
// terminal sees; side by side with Debian's mosquitto_passwd.

import { assertEquals, assertNotEquals } from "@std/assert";
import { chmod, chown, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parsePasswordFile } from "../../src/auth/password_file.ts";
import { passwd } from "../../src/cli/passwd.ts";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { currentRuntime } from "../../src/runtime/current.ts";
import { test } from "../harness.ts";
import { mosquittoTool, skipWithout } from "../support/foreign.ts";
import { login } from "../support/login.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { foreignPasswordFile, passwordLine } from "../support/password_lines.ts";
import {
  inFolder,
  type Outcome,
  type Replaced,
  runAtTerminal,
  runInside,
  runMidge,
  runProcess,
} from "../support/tool_process.ts";

const ALICE = passwordLine("alice", "wonder", { iterations: 3 });
const BOB = passwordLine("bob", "builder", { iterations: 3, saltBytes: 12 });
const FILE = `${ALICE}\n${BOB}\n`;

const encoder = new TextEncoder();

/** Runs the command on a file; what it said, and what is in the folder afterwards. */
async function change(
  content: string | undefined,
  args: readonly string[],
  replaced: Replaced = {},
): Promise<Outcome & { files: Record<string, string> }> {
  let result: Outcome & { files: Record<string, string> } | undefined;
  await inFolder(async (folder) => {
    if (content !== undefined) await writeSecret(join(folder, "pw"), content);
    const outcome = await runInside(passwd, args, { folder, replaced });
    const files: Record<string, string> = {};
    for (const name of (await readdir(folder)).sort()) {
      files[name] = await readFile(join(folder, name), "utf8");
    }
    result = { ...outcome, files };
  });
  return result!;
}

async function writeSecret(path: string, content: string): Promise<void> {
  await writeFile(path, content);
  await chmod(path, 0o600);
}

/** Whether the file lets this user in with this password, and with no other. */
async function admits(file: string, username: string, password: string): Promise<boolean> {
  const { argon2id } = await (await currentRuntime()).host();
  const hash = parsePasswordFile(file, "").value?.get(username);
  if (hash === undefined || await hash.verify(encoder.encode(`${password}?`), argon2id)) {
    return false;
  }
  return await hash.verify(encoder.encode(password), argon2id);
}

/** A file with hashes cut down to how they were made. */
function shape(file: string): string {
  return file.replaceAll(/:(\$6|\$7\$\d+|\$argon2id\$[^$]*\$[^$]*)\$[^\n]*/g, ":$1");
}

function said(status: number, stderr: string, stdout = ""): Outcome {
  return { status, stdout, stderr };
}

test("passwd adds a user to a file, gives one another password, and keeps the other lines to the byte", async () => {
  const odd = `${FILE}carl : $6$?\r\n# a note: kept\n`;
  const { files: { pw: added, ...rest }, ...outcome } = await change(odd, [
    "-b",
    "$DIR/pw",
    "dora",
    "explorer",
  ]);
  assertEquals([outcome, rest], [said(0, "", "Adding password for user dora\n"), {}]);
  assertEquals([added!.slice(0, odd.length), shape(added!.slice(odd.length))], [
    odd,
    "dora:$7$1000\n",
  ]);
  const own = added!.slice(odd.length);
  assertEquals(await admits(own, "dora", "explorer"), true);
  const { files: { pw: updated }, ...second } = await change(`${ALICE}\n${own}${BOB}`, [
    "-I",
    "7",
    "-b",
    "$DIR/pw",
    "dora",
    "pässword",
  ]);
  assertEquals(second, said(0, "", "Updating password for user dora\n"));
  assertEquals(shape(updated!), shape(`${ALICE}\ndora:$7$7$\n${BOB}`));
  assertEquals([updated!.startsWith(`${ALICE}\n`), updated!.endsWith(`\n${BOB}`)], [true, true]);
  assertEquals(await admits(updated!, "dora", "pässword"), true);
  const { files: { pw: joined } } = await change(BOB, ["-b", "$DIR/pw", "dora", "x"]);
  assertEquals(shape(joined!), shape(`${BOB}\ndora:$7$1000$\n`));
});

test("passwd hashes in each of its ways", async () => {
  const made = {
    "sha512": "u:$6",
    "sha512-pbkdf2": "u:$7$1000",
    "argon2id": "u:$argon2id$v=19$m=47104,t=1,p=1",
  };
  for (const [algorithm, expected] of Object.entries(made)) {
    const words = ["-H", algorithm, "-c", "-b", "-", "u", "secret"];
    const { stdout, ...rest } = await runInside(passwd, words);
    assertEquals([shape(stdout), rest], [`${expected}\n`, { status: 0, stderr: "" }]);
    assertEquals(await admits(stdout, "u", "secret"), true);
  }
});

test("passwd -c makes a file that only its owner may read, and keeps the mode of one it overwrites", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "pw");
    const mode = async () => (await stat(path)).mode & 0o777;
    const words = ["-c", "-b", "$DIR/pw", "u", "x"];
    assertEquals(
      await runInside(passwd, words, { folder }),
      said(0, "", "Adding password for user u\n"),
    );
    assertEquals([await mode(), shape(await readFile(path, "utf8"))], [0o600, "u:$7$1000\n"]);
    await chmod(path, 0o644);
    const { stderr } = await runInside(passwd, words, { folder });
    assertEquals(stderr, worldReadable("$DIR/pw"));
    assertEquals([await mode(), await readdir(folder)], [0o644, ["pw"]]);
  });
});

function worldReadable(path: string): string {
  return `Warning: File ${path} has world readable permissions. ` +
    "Future versions will refuse to load this file.\n" +
    `To fix this, use \`chmod 0600 ${path}\`.\n`;
}

test("passwd -D deletes a user, and says when there is none", async () => {
  assertEquals(await change(`${FILE}alice:other\n`, ["-D", "$DIR/pw", "alice"]), {
    ...said(0, ""),
    files: { pw: `${BOB}\n` },
  });
  assertEquals(await change(FILE, ["-D", "$DIR/pw", "carl"]), {
    ...said(1, "Warning: User carl not found in password file.\n"),
    files: { pw: FILE },
  });
});

test("passwd -U hashes every password of a file, but no hash and no comment", async () => {
  const { files: { pw }, ...outcome } = await change(`a:one\n b : two words \r\n${BOB}\n#c:d\n`, [
    "-U",
    "$DIR/pw",
  ]);
  assertEquals(outcome, said(0, "Warning: Line 3 holds a hash already and is left as it is.\n"));
  assertEquals(shape(pw!), shape(`a:$7$1000$\nb:$7$1000$\n${BOB}\n#c:d\n`));
  assertEquals(pw!.includes(`\n${BOB}\n`), true);
  assertEquals([await admits(pw!, "a", "one"), await admits(pw!, "b", "two words")], [true, true]);
  assertEquals(
    shape((await change("a:b\n", ["-H", "sha512", "-U", "$DIR/pw"])).files["pw"]!),
    "a:$6\n",
  );
});

test("passwd tells in one line what is wrong with its words, and changes nothing", async () => {
  const long = "u".repeat(65_536);
  const faults: [args: string[], message: string][] = [
    [["-H"], "-H argument given but not enough other arguments."],
    [["-I"], "-I argument given but not enough other arguments."],
    [["-H", "md5", "$DIR/pw", "u"], "Unknown hash type 'md5'"],
    [["-H", "toString", "$DIR/pw", "u"], "Unknown hash type 'toString'"],
    [["-I", "0", "$DIR/pw", "u"], "Number of iterations must be > 0."],
    [["-I", "-5", "$DIR/pw", "u"], "Number of iterations must be > 0."],
    [["-I", "many", "$DIR/pw", "u"], "Number of iterations must be > 0."],
    [["-I", "2147483648", "$DIR/pw", "u"], "Number of iterations must be <= 2147483647."],
    [["-c", "-D", "$DIR/pw", "u"], "-c and -D cannot be used together."],
    [["-U", "-c", "$DIR/pw"], "-c and -U cannot be used together."],
    [["-D", "-U", "$DIR/pw"], "-D and -U cannot be used together."],
    [["-b", "-D", "$DIR/pw", "u"], "-b and -D cannot be used together."],
    [["-c"], "-c argument given but password file or username missing."],
    [["-c", "$DIR/pw"], "-c argument given but password file or username missing."],
    [
      ["-c", "-b", "$DIR/pw", "u"],
      "-c argument given but password file, username, or password missing.",
    ],
    [["-D", "$DIR/pw"], "-D argument given but password file or username missing."],
    [["-U"], "-U argument given but password file missing."],
    [["-b", "$DIR/pw", "a\tb", "x"], "Username must not contain control characters."],
    [["-b", "$DIR/pw", "a\x7f", "x"], "Username must not contain control characters."],
    [["-b", "$DIR/pw", "a:b", "x"], "Username must not contain the ':' character."],
    [["-D", "$DIR/pw", "a:b"], "Username must not contain the ':' character."],
    [["-b", "$DIR/pw", long, "x"], "Username must be less than 65536 characters long."],
    [["-b", "$DIR/pw", "", "x"], "Username must not be empty."],
    [["-b", "$DIR/pw", "#a", "x"], "Username must not begin with '#', which begins a comment."],
    [["-b", "$DIR/pw", "a ", "x"], "Username must not begin or end with a blank."],
    [["-b", "$DIR/pw", "u", ""], "Empty password."],
    [["-b", "$DIR/pw", "u", long], "Password must be less than 65536 characters long."],
  ];
  for (const [args, message] of faults) {
    assertEquals(await change(FILE, args), {
      ...said(1, `Error: ${message}\n`),
      files: { pw: FILE },
    }, args.join(" ").slice(0, 100));
  }
});

test("passwd prints its help for other words than it takes, and ends with 1", async () => {
  const help = await runInside(passwd, ["--help"]);
  assertEquals(help.stdout.split("\n").slice(0, 7), [
    "tool keeps the password files of an MQTT broker.",
    "",
    "Usage: tool [-H hash] [-I iterations] [-c] passwordfile username",
    "       tool [-H hash] [-I iterations] [-c] -b passwordfile username password",
    "       tool -D passwordfile username",
    "       tool [-H hash] [-I iterations] -U passwordfile",
    "",
  ]);
  assertEquals([help.status, help.stderr], [1, ""]);
  const others = [
    [],
    ["pw"],
    ["pw", "u", "x"],
    ["-b", "pw", "u"],
    ["-b", "pw", "u", "x", "y"],
    [
      "-U",
      "pw",
      "u",
    ],
    ["-D", "pw", "u", "x"],
    ["-c", "pw", "u", "x"],
    ["-bc", "pw", "u", "x"],
    ["-x", "pw", "u"],
  ];
  for (const args of others) assertEquals(await runInside(passwd, args), help, args.join(" "));
});

test("passwd leaves a file alone that is missing, corrupt, no file, or behind a link", async () => {
  const unopened = "Error: Unable to open password file";
  const words = ["-b", "$DIR/pw", "u", "x"];
  assertEquals(await change(undefined, words), {
    ...said(1, `${unopened} $DIR/pw. No such file or directory.\n`),
    files: {},
  });
  for (const bad of ["", "no colon", "# a comment", ":hash", "user:", "user: \t"]) {
    const content = `${ALICE}\n${bad}\n`;
    for (const args of [words, ["-D", "$DIR/pw", "alice"], ["-U", "$DIR/pw"]]) {
      assertEquals(await change(content, args), {
        ...said(1, "Error: Corrupt password file at line 2.\n"),
        files: { pw: content },
      });
    }
  }
  const refused = () => Promise.reject(new OperationError("permission-denied", "No"));
  assertEquals(await change(FILE, words, { files: { readBytes: refused } }), {
    ...said(1, `${unopened} $DIR/pw. Permission denied.\n`),
    files: { pw: FILE },
  });
  await inFolder(async (folder) => {
    await mkdir(join(folder, "in"));
    await writeSecret(join(folder, "pw"), FILE);
    await symlink(join(folder, "pw"), join(folder, "in", "link"));
    const run = (args: string[], environment: Record<string, string> = {}) =>
      runInside(passwd, args, { folder, replaced: { host: { environment: () => environment } } });
    const reason = "Too many levels of symbolic links.\n" +
      "Error: $DIR/in/link is a symbolic link, which is only followed out of its directory " +
      "when MOSQUITTO_UNSAFE_ALLOW_SYMLINKS is set.\n";
    assertEquals(
      [
        await run(["-D", "$DIR/in/link", "alice"]),
        await run(["-c", "-b", "$DIR/in/link", "u", "x"]),
        await run(["-D", "$DIR/in", "alice"]),
        await run(["-c", "-b", "$DIR/in", "u", "x"]),
      ],
      [
        said(1, `${unopened} $DIR/in/link. ${reason}`),
        said(1, `Error: Unable to open file $DIR/in/link for writing. ${reason}`),
        said(1, `${unopened} $DIR/in. Is a directory.\n`),
        said(1, "Error: Unable to open file $DIR/in for writing. Is a directory.\n"),
      ],
    );
    assertEquals(await readFile(join(folder, "pw"), "utf8"), FILE);
    const allowed = { MOSQUITTO_UNSAFE_ALLOW_SYMLINKS: "1" };
    assertEquals(await run(["-D", "$DIR/in/link", "alice"], allowed), said(0, ""));
    assertEquals(await readFile(join(folder, "pw"), "utf8"), `${BOB}\n`);
    assertEquals(await readdir(join(folder, "in")), ["link"]);
  });
});

test("passwd keeps a file's mode, and its owner and group, of which it warns", {
  skip: process.geteuid?.() === 0 ? false : "only root may give files away",
}, async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "pw");
    await writeFile(path, FILE);
    await chmod(path, 0o640);
    await chown(path, 12_345, 23_456);
    const { stderr } = await runInside(passwd, ["-D", "$DIR/pw", "bob"], { folder });
    const group = process.getegid!();
    assertEquals(
      stderr,
      "Warning: File $DIR/pw owner is not user id 0. " +
        "Future versions will refuse to load this file.\n" +
        "To fix this, use `chown 0 $DIR/pw`.\n" +
        `Warning: File $DIR/pw group is not group id ${group}. ` +
        "Future versions will refuse to load this file.\n" +
        `To fix this, use \`chgrp ${group} $DIR/pw\`.\n`,
    );
    const { mode, uid, gid } = await stat(path);
    assertEquals([mode & 0o777, uid, gid], [0o640, 12_345, 23_456]);
    assertEquals([await readFile(path, "utf8"), await readdir(folder)], [`${ALICE}\n`, ["pw"]]);
  });
});

test("passwd copies a file before it changes it, and names the copy when the change fails", async () => {
  const { write } = await (await currentRuntime()).files();
  const failing = (isBad: (path: string) => boolean): Replaced => ({
    files: {
      write: (path, bytes, mode) =>
        isBad(path)
          ? Promise.reject(new OperationError("file-failed", "The disk is full"))
          : write(path, bytes, mode),
    },
  });
  const unchanged = await change(
    FILE,
    ["-D", "$DIR/pw", "bob"],
    failing((path) => path.endsWith("/pw")),
  );
  const copy = Object.keys(unchanged.files).at(-1)!;
  assertEquals(/^pw\.backup\.[A-Za-z0-9]{6}$/.test(copy), true, copy);
  assertEquals(unchanged, {
    ...said(
      1,
      "Error occurred updating password file.\nThe disk is full.\n" +
        `Password file may be corrupt, check the backup file: $DIR/${copy}.\n`,
    ),
    files: { pw: FILE, [copy]: FILE },
  });
  const { stderr, ...rest } = await change(
    FILE,
    ["-D", "$DIR/pw", "bob"],
    failing((path) => path.includes(".backup.")),
  );
  assertEquals(rest, { status: 1, stdout: "", files: { pw: FILE } });
  assertEquals(
    stderr.replace(/backup\.\w{6}"/, 'backup.XXXXXX"'),
    'Error creating backup password file "$DIR/pw.backup.XXXXXX", not continuing.\n' +
      "The disk is full.\n",
  );
  const made = await change(undefined, ["-c", "-b", "$DIR/pw", "u", "x"], failing(() => true));
  assertEquals(made, {
    ...said(1, "Error: Unable to open file $DIR/pw for writing. The disk is full.\n"),
    files: {},
  });
});

test(
  "passwd asks twice where no password is given, also without a terminal",
  PROCESS_TEST,
  async () => {
    await inFolder(async (folder) => {
      const ask = (input: string) => runMidge(["passwd", "-c", "$DIR/pw", "u"], { folder, input });
      assertEquals(
        await ask("secret\r\nsecret\r\n"),
        said(0, "", "Password: \nReenter password: \nAdding password for user u\n"),
      );
      const file = await readFile(join(folder, "pw"), "utf8");
      assertEquals(await admits(file, "u", "secret"), true);
      assertEquals(await Promise.all([ask("a\nb\n"), ask("\n"), ask(""), ask("a\n")]), [
        said(2, "Error: Passwords do not match.\n", "Password: \nReenter password: \n"),
        said(1, "Error: Empty password.\n", "Password: "),
        said(1, "Error: Empty password.\n", "Password: "),
        said(1, "Error: Empty password.\n", "Password: \nReenter password: "),
      ]);
      assertEquals(await readFile(join(folder, "pw"), "utf8"), file);
      const words = ["passwd", "$DIR/none", "u"];
      assertEquals(
        await runMidge(words, { folder }),
        said(1, "Error: Unable to open password file $DIR/none. No such file or directory.\n"),
      );
    });
  },
);

const FIRST = "Password: ";
const SECOND = "Reenter password: ";
/** How a terminal is that shows what is typed. */
const RESTORED = ["isig", "icanon", "echo", ""];

test("passwd shows nothing of what is typed, and always gives the terminal back", {
  ...PROCESS_TEST,
  skip: skipWithout("script"),
}, async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "pw");
    const words = ["passwd", "-c", path, "u"];
    assertEquals(
      await runAtTerminal(words, [
        // A line that is given up, and characters that are taken back.
        { shown: FIRST, keys: "oops\x15sécret!\x7fé\x7f\r" },
        { shown: SECOND, keys: "sécret\n" },
      ], folder),
      { status: 0, shown: [FIRST, SECOND, "Adding password for user u", ...RESTORED] },
    );
    const file = await readFile(path, "utf8");
    assertEquals(await admits(file, "u", "sécret"), true);
    const ways: [last: { keys: string } | { signal: "SIGINT" | "SIGTERM" | "SIGHUP" }, unknown][] =
      [
        [{ keys: "other\r" }, {
          status: 2,
          shown: [FIRST, SECOND, "Error: Passwords do not match.", ...RESTORED],
        }],
        [{ keys: "\x03" }, { status: 0, shown: [FIRST, SECOND, ...RESTORED] }],
        [{ keys: "\x04" }, {
          status: 1,
          shown: [FIRST, SECOND, "Error: Empty password.", ...RESTORED],
        }],
        [{ signal: "SIGINT" }, { status: 0, shown: [FIRST, SECOND, ...RESTORED] }],
        [{ signal: "SIGTERM" }, {
          status: 143,
          shown: [FIRST, `${SECOND}isig`, ...RESTORED.slice(1)],
        }],
        [{ signal: "SIGHUP" }, {
          status: 129,
          shown: [FIRST, `${SECOND}isig`, ...RESTORED.slice(1)],
        }],
      ];
    for (const [last, expected] of ways) {
      const reactions = [{ shown: FIRST, keys: "x\r" }, { shown: SECOND, ...last }];
      assertEquals(await runAtTerminal(words, reactions, folder), expected, JSON.stringify(last));
    }
    assertEquals(await readFile(path, "utf8"), file);
  });
});

/** What Debian's version 2.0 does otherwise, and why ours does not. */
const CORRUPT = "2.0 writes the file without the other users and ends with 0; 2.1 leaves it";
const EMPTY = "2.0 takes an empty password, with which nobody is let in";
const MORE_WORDS = "2.0 takes words for nothing, and a password may be one";
const NO_LINE_END = "2.0 writes the new user into a last line that has no end";
const COMMENT = "2.0 writes a user that broker and tool take for a comment";
const HASHES = "2.0 hashes the hash, and nobody knows its password";

interface Row {
  readonly args: string[];
  readonly file?: string;
  readonly input?: string;
  readonly differs?: string;
}

const ROWS: Row[] = [
  { args: [] },
  { args: ["--help"] },
  { args: ["-b", "$DIR/pw", "u"] },
  { args: ["$DIR/pw"] },
  { args: ["-x", "$DIR/pw", "u"] },
  { args: ["-H"] },
  { args: ["-H", "md5", "$DIR/pw", "u"] },
  { args: ["-I", "0", "$DIR/pw", "u"] },
  { args: ["-c", "-D", "$DIR/pw", "u"] },
  { args: ["-c", "-U", "$DIR/pw"] },
  { args: ["-D", "-U", "$DIR/pw"] },
  { args: ["-b", "-D", "$DIR/pw", "u"] },
  { args: ["-c", "$DIR/pw"] },
  { args: ["-c", "-b", "$DIR/pw", "u"] },
  { args: ["-D", "$DIR/pw"] },
  { args: ["-U"] },
  { args: ["-b", "$DIR/pw", "a:b", "x"] },
  { args: ["-b", "$DIR/pw", "a\tb", "x"] },
  { args: ["-b", "$DIR/none", "u", "x"] },
  { args: ["$DIR/none", "u"] },
  { args: ["-D", "$DIR/none", "u"] },
  { args: ["-U", "$DIR/none"] },
  { args: ["-b", "$DIR", "u", "x"] },
  { args: ["-c", "-b", "$DIR/none/pw", "u", "x"] },
  { args: ["-D", "$DIR/pw", "carl"] },
  { args: ["-D", "$DIR/pw", "alice"] },
  { args: ["-D", "$DIR/pw", "alice"], file: `${BOB}\nalice: x \nbob2:y\nalice:z` },
  { args: ["-I", "5", "-b", "$DIR/pw", "alice", "x"] },
  { args: ["-I", "5", "-b", "$DIR/pw", "carl", "x"] },
  { args: ["-H", "sha512", "-b", "$DIR/pw", "carl", "x"] },
  { args: ["-H", "sha512", "-c", "-b", "$DIR/pw", "carl", "x"] },
  { args: ["-U", "$DIR/pw"], file: "a:b\nc : d \n" },
  { args: ["-I", "5", "-c", "$DIR/pw", "u"], input: "x\nx\n" },
  { args: ["-I", "5", "$DIR/pw", "u"], input: "x\nx\n" },
  { args: ["$DIR/pw", "u"], input: "x\ny\n" },
  { args: ["$DIR/pw", "u"], input: "\n" },
  { args: ["$DIR/pw", "u"] },
  { args: ["-b", "$DIR/pw", "u", "x"], file: `${ALICE}\njunk\n`, differs: CORRUPT },
  { args: ["-D", "$DIR/pw", "alice"], file: `${ALICE}\nbob:\n` },
  { args: ["-b", "$DIR/pw", "u", ""], differs: EMPTY },
  { args: ["-D", "$DIR/pw", "alice", "more"], differs: MORE_WORDS },
  { args: ["-c", "$DIR/pw", "u", "more"], differs: MORE_WORDS },
  { args: ["-b", "$DIR/pw", "u", "x"], file: ALICE, differs: NO_LINE_END },
  { args: ["-b", "$DIR/pw", "#u", "x"], differs: COMMENT },
  { args: ["-U", "$DIR/pw"], differs: HASHES },
];

test("passwd answers as Debian's mosquitto_passwd does, except for what is listed", {
  timeout: 120_000,
  skip: skipWithout("mosquitto_passwd"),
}, async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "pw");
    const run = async ({ args, file = FILE }: Row, tool: (args: string[]) => Promise<Outcome>) => {
      await writeSecret(path, file);
      const outcome = await tool(args);
      const left = shape(await readFile(path, "utf8")).replaceAll(/\$7\$(101|1000)$/gm, "$7$usual");
      return { ...comparable(outcome), left };
    };
    for (const row of ROWS) {
      const { input } = row;
      const theirs = await run(row, (args) => {
        const words = args.map((word) => word.replace("$DIR", folder));
        const command = mosquittoTool("mosquitto_passwd")!;
        return runProcess({ command, args: words }, { folder, input: input ?? "" });
      });
      const asks = /^Password: /.test(theirs.stdout);
      const ours = await run(row, (args) => {
        // Only standard input needs a process of its own.
        if (!asks) return runInside(passwd, args, { folder });
        return runMidge(["mosquitto_passwd", ...args], { folder, input: input ?? "" });
      });
      const told = `${row.args.join(" ")}: ${row.differs ?? "alike"}`;
      if (row.differs === undefined) assertEquals(ours, theirs, told);
      else assertNotEquals(ours, theirs, told);
    }
  });
});

/** What is to be alike: not the help's words, and not the status line that 2.0 does not have. */
function comparable({ status, stdout, stderr }: Outcome): Outcome {
  const text = stdout.replace(/^(?:Adding|Updating) password for user .*\n/m, "");
  return { status, stdout: text.includes("Usage:") ? "the help" : text, stderr };
}

test("passwd and Debian's mosquitto_passwd change each other's files", {
  skip: skipWithout("mosquitto_passwd"),
}, async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "pw");
    const command = mosquittoTool("mosquitto_passwd")!;
    for (const algorithm of ["sha512", "sha512-pbkdf2"]) {
      await writeSecret(path, await foreignPasswordFile(["-H", algorithm], "theirs", "one"));
      await runInside(passwd, ["-H", algorithm, "-b", path, "ours", "two"]);
      const both = await readFile(path, "utf8");
      assertEquals(await admits(both, "theirs", "one"), true);
      assertEquals(await admits(both, "ours", "two"), true);
      const args = ["-H", algorithm, "-b", path, "theirs", "three"];
      assertEquals((await runProcess({ command, args })).status, 0);
      const changed = await readFile(path, "utf8");
      assertEquals(await admits(changed, "theirs", "three"), true);
      assertEquals(changed.split("\n")[1], both.split("\n")[1]);
    }
  });
});

test("The broker lets in whom passwd wrote, and not whom it deleted", PROCESS_TEST, async () => {
  let pw = FILE;
  for (const [algorithm, user] of [["argon2id", "a"], ["sha512", "b"], ["sha512-pbkdf2", "c"]]) {
    pw = (await change(pw, ["-H", algorithm!, "-b", "$DIR/pw", user!, "pw"])).files["pw"]!;
  }
  pw = (await change(pw, ["-D", "$DIR/pw", "alice"])).files["pw"]!;
  const config = "listener $PORT1\npassword_file $DIR/pw\n";
  await MidgeProcess.with({ config, files: { pw } }, async ({ port }) => {
    const answers: [username: string, password: string][] = [];
    const logins = [["a", "pw"], ["b", "pw"], ["c", "pw"], ["bob", "builder"], ["a", "pw?"], [
      "alice",
      "wonder",
    ]] as const;
    for (const [username, password] of logins) {
      if (await login(port, 4, { username, password }) === 0) answers.push([username, password]);
    }
    assertEquals(answers, [["a", "pw"], ["b", "pw"], ["c", "pw"], ["bob", "builder"]]);
  });
});
