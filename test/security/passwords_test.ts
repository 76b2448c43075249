// Who is let in by a password file and by the rules for clients without a name, by a real process
// for every version of the protocol; whichever program or hand wrote the hashes.

import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { ARGON2ID_OF_PASSWORD, PBKDF2_OF_SECRET, SHA512_OF_SECRET } from "../auth/hashes.ts";
import { test } from "../harness.ts";
import { skipWithout } from "../support/foreign.ts";
import { type Credentials, login } from "../support/login.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { foreignPasswordFile, passwordFile, passwordLine } from "../support/password_lines.ts";
import { VERSIONS } from "../support/raw_packet.ts";

const GRANTED = 0x00;
const REFUSED = 0x87;

/** A `$6$` line with a salt of 64 bytes, which no program writes and all read. */
function longSaltedSha512(username: string, password: string): string {
  const salt = new Uint8Array(64).fill(7);
  const hash = createHash("sha512").update(password).update(salt).digest("base64");
  return `${username}:$6$${btoa(String.fromCharCode(...salt))}$${hash}`;
}

/** Logs in each of them by each version; every answer has to be the one named. */
async function expectLogins(
  port: number,
  rows: readonly (readonly [who: Credentials, answer: number])[],
  versions: readonly ProtocolVersion[] = VERSIONS,
): Promise<void> {
  const answers = [];
  for (const [who] of rows) {
    for (const version of versions) {
      const answer = await login(port, version, { clientId: "somebody", ...who });
      answers.push({ ...who, version, answer });
    }
  }
  const expected = rows.flatMap(([who, answer]) =>
    versions.map((version) => ({ ...who, version, answer }))
  );
  assertEquals(answers, expected);
}

test(
  "A password file lets in who knows the password, whatever kind of hash it has",
  PROCESS_TEST,
  () => {
    const lines = [
      "# a comment",
      "",
      "not a line of a user",
      `old:${SHA512_OF_SECRET}`,
      longSaltedSha512("odd", "secret"),
      `short:${PBKDF2_OF_SECRET[0]}`,
      `long:${PBKDF2_OF_SECRET[1]}`,
      `argon:${ARGON2ID_OF_PASSWORD}`,
      ` spaced  : ${PBKDF2_OF_SECRET[0]} `,
      `colons:${PBKDF2_OF_SECRET[0]}:what is behind a second colon`,
      passwordLine("jürgen", "schlüßel"),
    ];
    const options = {
      config: "listener $PORT1 127.0.0.1\nlog_type all\npassword_file $DIR/passwd\n",
      files: { passwd: lines.join("\n") },
    };
    return MidgeProcess.with(options, async (midge) => {
      const users = [
        ["old", "secret"],
        ["odd", "secret"],
        ["short", "secret"],
        ["long", "secret"],
        ["argon", "password"],
        ["spaced", "secret"],
        ["colons", "secret"],
        ["jürgen", "schlüßel"],
      ] as const;
      await expectLogins(
        midge.port,
        users.flatMap(([username, password]) => [
          [{ username, password }, GRANTED],
          [{ username, password: `${password}!` }, REFUSED],
          [{ username, password: password.slice(1) }, REFUSED],
          [{ username, password: "" }, REFUSED],
          [{ username }, REFUSED],
        ]),
      );
      await expectLogins(midge.port, [
        [{ username: "nobody", password: "secret" }, REFUSED],
        [{ username: "nobody" }, REFUSED],
        [{ username: "", password: "secret" }, REFUSED],
        [{ username: "OLD", password: "secret" }, REFUSED],
        [{ username: " spaced", password: "secret" }, REFUSED],
        [{ username: "# a comment", password: "secret" }, REFUSED],
        [{ username: "not a line of a user", password: "secret" }, REFUSED],
        [{}, REFUSED],
      ]);
      // A password without a user name exists since version 5, and names nobody.
      await expectLogins(midge.port, [[{ password: "secret" }, REFUSED]], [5]);
      await midge.logged(
        /^Login refused from 127\.0\.0\.1:\d+: not authorised \(somebody, u'nobody'\)\.$/,
      );
    });
  },
);

test("Password files that mosquitto_passwd wrote let in the same people", {
  ...PROCESS_TEST,
  skip: skipWithout("mosquitto_passwd"),
}, async () => {
  const files = [
    await foreignPasswordFile([], "usual", "correct horse"),
    await foreignPasswordFile(["-H", "sha512"], "sha512", "battery"),
    await foreignPasswordFile(["-H", "sha512-pbkdf2"], "pbkdf2", "staple: $7$"),
  ];
  const options = {
    config: "listener $PORT1 127.0.0.1\npassword_file $DIR/passwd\n",
    files: { passwd: files.join("") },
  };
  await MidgeProcess.with(options, (midge) =>
    expectLogins(midge.port, [
      [{ username: "usual", password: "correct horse" }, GRANTED],
      [{ username: "usual", password: "battery" }, REFUSED],
      [{ username: "sha512", password: "battery" }, GRANTED],
      [{ username: "sha512", password: "batter" }, REFUSED],
      [{ username: "pbkdf2", password: "staple: $7$" }, GRANTED],
      [{ username: "pbkdf2", password: "staple" }, REFUSED],
    ]));
});

/** Whether a client gets in without a name, with a name that no file knows, and with a known one. */
interface Entry {
  readonly nameless: boolean;
  readonly unknown: boolean;
  readonly known: boolean;
}

const EVERYBODY: Entry = { nameless: true, unknown: true, known: true };
const NOBODY: Entry = { nameless: false, unknown: false, known: false };
const KNOWN: Entry = { nameless: false, unknown: false, known: true };
const KNOWN_AND_NAMELESS: Entry = { nameless: true, unknown: false, known: true };

interface Scene {
  readonly config?: string;
  readonly args?: readonly string[];
  /** For each port in turn. */
  readonly entries: readonly Entry[];
}

const OWN_LISTENERS = [
  "listener $PORT1 127.0.0.1",
  "listener $PORT2 127.0.0.1",
  "listener_allow_anonymous true",
  "listener $PORT3 127.0.0.1",
  "listener_allow_anonymous false",
  "",
].join("\n");

const SCENES: Readonly<Record<string, Scene>> = {
  "a listener and no word of anonymous clients": {
    config: OWN_LISTENERS,
    entries: [NOBODY, EVERYBODY, NOBODY],
  },
  "allow_anonymous false and listeners that differ": {
    config: `allow_anonymous false\n${OWN_LISTENERS}`,
    entries: [NOBODY, EVERYBODY, NOBODY],
  },
  "allow_anonymous true and listeners that differ": {
    config: `allow_anonymous true\n${OWN_LISTENERS}`,
    entries: [EVERYBODY, EVERYBODY, NOBODY],
  },
  "a password file for all listeners": {
    config: `password_file $DIR/passwd\n${OWN_LISTENERS}`,
    entries: [KNOWN, KNOWN_AND_NAMELESS, KNOWN],
  },
  "settings per listener": {
    config: [
      "per_listener_settings true",
      "listener $PORT1 127.0.0.1",
      "allow_anonymous true",
      "listener $PORT2 127.0.0.1",
      "allow_anonymous false",
      "listener $PORT3 127.0.0.1",
      "listener $PORT4 127.0.0.1",
      "password_file $DIR/passwd",
      "listener $PORT5 127.0.0.1",
      "password_file $DIR/passwd",
      "allow_anonymous true",
      "listener $PORT6 127.0.0.1",
      "allow_anonymous false",
      "listener_allow_anonymous true",
      "listener $PORT7 127.0.0.1",
      "allow_anonymous true",
      "listener_allow_anonymous false",
      "",
    ].join("\n"),
    entries: [EVERYBODY, NOBODY, NOBODY, KNOWN, KNOWN_AND_NAMELESS, EVERYBODY, NOBODY],
  },
  "no configuration": { args: ["-p", "$PORT1", "-p", "$PORT2"], entries: [EVERYBODY, EVERYBODY] },
  "local only, allow_anonymous false": {
    config: "allow_anonymous false\n",
    args: ["-p", "$PORT1"],
    entries: [NOBODY],
  },
  "local only, a password file": {
    config: "password_file $DIR/passwd\n",
    args: ["-p", "$PORT1"],
    entries: [KNOWN_AND_NAMELESS],
  },
};

for (const [name, { entries, ...scene }] of Object.entries(SCENES)) {
  test(`Clients without a name get in as they should: ${name}`, PROCESS_TEST, () => {
    const options = { ...scene, files: { passwd: passwordFile({ alice: "wonderland" }) } };
    return MidgeProcess.with(options, async (midge) => {
      const found = [];
      for (const port of midge.ports.slice(0, entries.length)) {
        const isLetIn = async (who: Credentials): Promise<boolean> => {
          const answers = new Set<number>();
          for (const version of VERSIONS) answers.add(await login(port, version, who));
          assertEquals(answers.size, 1, "All versions are answered alike");
          return answers.has(GRANTED);
        };
        found.push({
          nameless: await isLetIn({}),
          unknown: await isLetIn({ username: "bob", password: "wonderland" }),
          known: await isLetIn({ username: "alice", password: "wonderland" }),
        });
      }
      assertEquals(found, entries);
    });
  });
}
