// The files that say who may do what, when something is wrong with them: the program says so in so
// many words and ends, or denies; it never lets somebody in for it.

import { assertEquals } from "@std/assert";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { PBKDF2_OF_SECRET } from "../auth/hashes.ts";
import { test } from "../harness.ts";
import { login } from "../support/login.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { passwordFile } from "../support/password_lines.ts";
import { describe, WireClient } from "../support/wire_client.ts";

const GRANTED = 0x00;
const REFUSED = 0x87;
const HASH = PBKDF2_OF_SECRET[0]!;
const PASSWORDS = passwordFile({ alice: "secret" });

interface Fault {
  readonly option: "password_file" | "acl_file" | "psk_file";
  /** Absent for a file that is not there. */
  readonly content?: string;
  readonly status: 3 | 13;
  readonly lines: readonly string[];
}

const inPasswords = (text: string): string => `password-file: Error: ${text}`;

const FAULTS: Readonly<Record<string, Fault>> = {
  "a password file that is not there": {
    option: "password_file",
    status: 13,
    lines: [
      inPasswords('Unable to open pwfile "$DIR/file".'),
      "Error: $DIR/file: no such file.",
    ],
  },
  "a hash of a kind that is not known": {
    option: "password_file",
    content: `alice:${HASH}\nbob:$5$salt$hash\n`,
    status: 3,
    lines: [inPasswords("Unable to decode line in password file '$DIR/file'.")],
  },
  "a hash that is none, a plain one, one with a salt of another length": {
    option: "password_file",
    content: [
      "alice:secret",
      "bob:$7$101$AAAA$AAAA",
      `carol:${HASH.replace("$101$", "$0$")}`,
      `dave:${HASH.slice(0, -8)}`,
      `erin:${HASH.replace("$7$", "$6$")}`,
      `frank:${HASH} and more`,
    ].join("\n"),
    status: 3,
    lines: Array<string>(6).fill(
      inPasswords("Unable to decode line in password file '$DIR/file'."),
    ),
  },
  "a user without a name, without a hash, and one who is there twice": {
    option: "password_file",
    content: `:${HASH}\nalice:\nbob:${HASH}\nbob:${HASH}\n`,
    status: 3,
    lines: [
      inPasswords("Empty username in password file '$DIR/file'."),
      inPasswords("Invalid line in password file '$DIR/file': alice"),
      inPasswords("Duplicate user 'bob' in password file '$DIR/file'."),
    ],
  },
  "an access file that is not there": {
    option: "acl_file",
    status: 13,
    lines: ['Error: Unable to open acl_file "$DIR/file".', "Error: $DIR/file: no such file."],
  },
  "an access file with lines that mean nothing": {
    option: "acl_file",
    content: [
      "topics #",
      "topic",
      "user",
      "topic reed a",
      "topic read a/#/b",
      "pattern readwrite +a",
      "pattern",
      "user\talice",
      "  # not at the beginning of its line",
    ].join("\n"),
    status: 3,
    lines: [
      'Error: Invalid line in acl_file "$DIR/file": topics #.',
      'Error: Empty topic in acl_file "$DIR/file".',
      'Error: Missing username in acl_file "$DIR/file".',
      'Error: Invalid topic access type "reed" in acl_file "$DIR/file".',
      'Error: Invalid ACL topic "a/#/b" in acl_file "$DIR/file".',
      'Error: Invalid ACL topic "+a" in acl_file "$DIR/file".',
      'Error: Empty topic in acl_file "$DIR/file".',
      'Error: Invalid line in acl_file "$DIR/file": user\\x09alice.',
      'Error: Invalid line in acl_file "$DIR/file": # not at the beginning of its line.',
    ],
  },
  "a file of keys that is not there": {
    option: "psk_file",
    status: 13,
    lines: ['Error: Unable to open psk_file "$DIR/file".', "Error: $DIR/file: no such file."],
  },
  "a key that is no number": {
    option: "psk_file",
    content: "meter:0xc0ffee\n",
    status: 3,
    lines: ['Error: psk for identity "meter" contains non-hexadecimal characters.'],
  },
};

for (const [name, { option, content, status, lines }] of Object.entries(FAULTS)) {
  test(`B-51 The program does not start with ${name}`, PROCESS_TEST, async () => {
    const ended = await MidgeProcess.run({
      config: `listener $PORT1 127.0.0.1\nallow_anonymous true\n${option} $DIR/file\n`,
      files: content === undefined ? {} : { file: content },
    });
    const complaints = ended.lines.filter((line) => line.includes("Error"));
    assertEquals({ status: ended.status, complaints }, { status, complaints: lines });
  });
}

test("B-51 The program does not start with folders for files", PROCESS_TEST, async () => {
  const ended = await MidgeProcess.run({
    config: [
      "listener $PORT1 127.0.0.1",
      "allow_anonymous true",
      "password_file /tmp",
      "acl_file /tmp",
      "psk_file /tmp",
      "",
    ].join("\n"),
  });
  const complaints = ended.lines.filter((line) => line.includes("Error"));
  assertEquals({ status: ended.status, complaints }, {
    status: 13,
    complaints: [
      inPasswords('Unable to open pwfile "/tmp".'),
      "Error: /tmp is not a file.",
      'Error: Unable to open acl_file "/tmp".',
      "Error: /tmp is not a file.",
      'Error: Unable to open psk_file "/tmp".',
      "Error: /tmp is not a file.",
    ],
  });
});

const AS_ROOT = {
  ...PROCESS_TEST,
  skip: process.getuid?.() !== 0 && "needs to be root, to be somebody else as well",
};

test("B-51 The program does not start with files that it may not read", AS_ROOT, async () => {
  const ended = await MidgeProcess.run({
    config: "listener $PORT1 127.0.0.1\nuser nobody\npassword_file $DIR/passwd\n",
    files: { passwd: PASSWORDS },
    env: { SNAP_NAME: "" },
  });
  const complaints = ended.lines.filter((line) => line.includes("Error"));
  assertEquals({ status: ended.status, complaints }, {
    status: 13,
    complaints: [
      inPasswords('Unable to open pwfile "$DIR/passwd".'),
      "Error: $DIR/passwd: permission denied.",
    ],
  });
});

test("B-51 An access file that grants nothing denies everything", PROCESS_TEST, async () => {
  const contents = ["", "# nothing but this\n", "\n\n   \n", "user alice\n", "topic deny a\n"];
  await MidgeProcess.with({
    config: [
      "per_listener_settings true",
      ...contents.flatMap((_, i) => [
        `listener $PORT${i + 1} 127.0.0.1`,
        "allow_anonymous true",
        `acl_file $DIR/acl${i}`,
      ]),
      "",
    ].join("\n"),
    files: Object.fromEntries(contents.map((content, i) => [`acl${i}`, content])),
  }, async (midge) => {
    for (const port of midge.ports.slice(0, contents.length)) {
      const client = await WireClient.connect(port, 5);
      await client.subscribe(["#", "$SYS/#"], 1);
      client.publish("b", "", { qos: 1, packetId: 9, retain: true });
      assertEquals((await client.ping()).map(describe), ["puback 9 0x87"]);
      client.leave();
    }
  });
});

test("B-51 A password file that names nobody lets nobody in", PROCESS_TEST, async () => {
  const contents = ["", "# nothing but this\n", "\n \n", "alice\nno colon at all\n"];
  await MidgeProcess.with({
    config: [
      "per_listener_settings true",
      ...contents.flatMap((_, i) => [
        `listener $PORT${i + 1} 127.0.0.1`,
        `password_file $DIR/passwd${i}`,
      ]),
      "",
    ].join("\n"),
    files: Object.fromEntries(contents.map((content, i) => [`passwd${i}`, content])),
  }, async (midge) => {
    for (const port of midge.ports.slice(0, contents.length)) {
      for (const who of [{}, { username: "alice" }, { username: "alice", password: "secret" }]) {
        assertEquals(await login(port, 5, who), REFUSED);
      }
    }
  });
});

interface Outcome {
  readonly status: number | null;
  /** What was complained about, the folder as `$DIR`. */
  readonly lines: readonly string[];
  readonly answer: number | undefined;
}

/** Starts a program with a folder of secrets that was prepared, and has alice log in. */
async function withPrepared(
  prepare: (folder: string) => Promise<void>,
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "midge-secrets-"));
  try {
    await mkdir(join(folder, "secrets"));
    await prepare(folder);
    const config = `listener $PORT1 127.0.0.1\npassword_file ${folder}/secrets/passwd\n`;
    const midge = await MidgeProcess.launch({ config, env });
    try {
      const isUp = await midge.running().then(() => true, () => false);
      const answer = isUp
        ? await login(midge.port, 5, { username: "alice", password: "secret" })
        : undefined;
      const status = await (isUp ? midge.stop() : midge.ended);
      const lines = midge.lines.filter((line) => /Error|Warning|To fix/.test(line));
      return { status, lines: lines.map((line) => line.replaceAll(folder, "$DIR")), answer };
    } finally {
      await midge.discard();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

test(
  "B-54 Links into their own folder are followed, as Kubernetes makes them",
  PROCESS_TEST,
  async () => {
    const found = await withPrepared(async (folder) => {
      const secrets = join(folder, "secrets");
      await mkdir(join(secrets, "..2026_11_21"));
      await writeFile(join(secrets, "..2026_11_21", "passwd"), PASSWORDS, { mode: 0o600 });
      await symlink("..2026_11_21", join(secrets, "..data_tmp"));
      await rename(join(secrets, "..data_tmp"), join(secrets, "..data"));
      await symlink("..data/passwd", join(secrets, "passwd"));
    });
    assertEquals(found, { status: 0, lines: [], answer: GRANTED });
  },
);

test("B-54 Other links are refused, unless the environment allows them", PROCESS_TEST, async () => {
  const prepare = async (folder: string): Promise<void> => {
    await writeFile(join(folder, "elsewhere"), PASSWORDS, { mode: 0o600 });
    await symlink("../elsewhere", join(folder, "secrets", "passwd"));
  };
  assertEquals(await withPrepared(prepare), {
    status: 13,
    lines: [
      inPasswords('Unable to open pwfile "$DIR/secrets/passwd".'),
      "Error: $DIR/secrets/passwd is a symbolic link, which is only followed out of its " +
      "directory when MOSQUITTO_UNSAFE_ALLOW_SYMLINKS is set.",
    ],
    answer: undefined,
  });
  assertEquals(await withPrepared(prepare, { MOSQUITTO_UNSAFE_ALLOW_SYMLINKS: "1" }), {
    status: 0,
    lines: [],
    answer: GRANTED,
  });
});

test("B-54 A file that others may read is warned about", AS_ROOT, async () => {
  const group = process.getgid!();
  const found = await withPrepared(async (folder) => {
    const path = join(folder, "secrets", "passwd");
    await writeFile(path, PASSWORDS);
    await chmod(path, 0o644);
    await chown(path, 12_345, 54_321);
  });
  const warning = (fault: string, advice: string): string[] => [
    `Warning: File $DIR/secrets/passwd ${fault}. Future versions will refuse to load this file.`,
    `To fix this, use \`${advice} $DIR/secrets/passwd\`.`,
  ];
  assertEquals(found, {
    status: 0,
    lines: [
      ...warning("has world readable permissions", "chmod 0600"),
      ...warning("owner is not user id 0", "chown 0"),
      ...warning(`group is not group id ${group}`, `chgrp ${group}`),
    ],
    answer: GRANTED,
  });
});

test("B-54 What the program writes is its own", PROCESS_TEST, () =>
  MidgeProcess.with({
    config: "listener $PORT1 127.0.0.1\nlog_dest file $DIR/log\nlog_dest stderr\n",
    args: ["--tls-keylog", "$DIR/keys"],
  }, async ({ folder }) => {
    const modes = [];
    for (const name of ["log", "keys"]) modes.push((await stat(join(folder, name))).mode & 0o777);
    assertEquals(modes, [0o600, 0o600]);
  }));

test(
  "B-54 Nothing is written through a link that somebody else may have placed",
  PROCESS_TEST,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "midge-shared-"));
    try {
      await writeFile(join(folder, "victim"), "precious");
      await symlink("victim", join(folder, "link"));
      await chmod(folder, 0o1777);
      const logging = await MidgeProcess.launch({
        config: `listener $PORT1 127.0.0.1\nlog_dest file ${folder}/link\n`,
      });
      try {
        await logging.logged(/^Error: .*link/);
      } finally {
        await logging.discard();
      }
      const ended = await MidgeProcess.run({
        config: "listener $PORT1 127.0.0.1\n",
        args: ["--tls-keylog", join(folder, "link")],
      });
      assertEquals(ended.status, 1);
      assertEquals(await readFile(join(folder, "victim"), "utf8"), "precious");
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
