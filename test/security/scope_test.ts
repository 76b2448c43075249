// An option that would have protected something never passes for nothing: where it stands decides
// for whom it counts, and where it would count for nobody the program does not start.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { type Credentials, login } from "../support/login.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { passwordFile } from "../support/password_lines.ts";
import { describe, WireClient } from "../support/wire_client.ts";

const LISTENER = "listener $PORT1 127.0.0.1";
const needsListener = (option: string): string =>
  `Error: The '${option}' option requires a listener to be defined first.`;

const REFUSED = "Error: Both certfile and keyfile must be provided to enable a TLS listener.";

interface Fault {
  readonly config: readonly string[];
  /** In any order, without where it was found. */
  readonly lines: readonly string[];
}

/** Files with many faults each, because all of them are told at once. */
const FAULTS: Readonly<Record<string, Fault>> = {
  "misspelt, without a value or with one that is none": {
    config: [
      "allow_anonymuos false",
      "Password_file /f",
      "password_file\t/f",
      "allow_anonymous no",
      LISTENER,
      "acl_file",
      "listener_allow_anonymous False",
    ],
    lines: [
      "Error: Unknown configuration variable 'allow_anonymuos'.",
      "Error: Unknown configuration variable 'Password_file'.",
      "Error: Unknown configuration variable 'password_file\\x09/f'.",
      "Error: Invalid 'allow_anonymous' value (no).",
      "Error: Empty 'acl_file' value in configuration.",
      "Error: Invalid 'listener_allow_anonymous' value (False).",
    ],
  },
  "above the listener that it is for": {
    config: ["listener_allow_anonymous false", "plugin_use gate", "cafile /ca", LISTENER],
    lines: ["listener_allow_anonymous", "plugin_use", "cafile"].map(needsListener),
  },
  "above a listener, where each has its own settings": {
    config: [
      "per_listener_settings true",
      "password_file /f",
      "acl_file /f",
      "psk_file /f",
      "allow_anonymous false",
      "plugin /f.ts",
      LISTENER,
    ],
    lines: ["password_file", "acl_file", "psk_file", "allow_anonymous", "plugin"].map(
      needsListener,
    ),
  },
  "given before it is said for whom it counts": {
    config: [LISTENER, "password_file /f", "per_listener_settings true"],
    lines: ["Error: per_listener_settings must be set before any other security settings."],
  },
  "that is half of what TLS takes": {
    config: [
      LISTENER,
      "cafile /ca",
      "listener $PORT2 127.0.0.1",
      "certfile /c",
      "listener $PORT3 127.0.0.1",
      "keyfile /k",
    ],
    lines: ["Error: cafile specified without certfile and keyfile.", REFUSED, REFUSED],
  },
};

for (const [name, { config, lines }] of Object.entries(FAULTS)) {
  test(`B-53 The program does not start with an option ${name}`, PROCESS_TEST, async () => {
    const text = `${config.join("\n")}\n`;
    const ended = await MidgeProcess.run({ config: text, args: ["--test-config"] });
    const complaints = ended.lines.filter((line) =>
      line.startsWith("Error") && !line.startsWith("Error found at")
    );
    assertEquals({ status: ended.status, complaints: complaints.sort() }, {
      status: 3,
      complaints: [...lines].sort(),
    });
  });
}

/** Options that protect nothing where there is no TLS. */
const TLS_ALONE = [
  "require_certificate true",
  "use_identity_as_username true",
  "use_subject_as_username true",
  "crlfile /crl",
  "capath /ca",
];

test(
  "B-53 The program does not start with what protects by TLS, but without TLS",
  PROCESS_TEST,
  async () => {
    const sections = TLS_ALONE.map((option, i) => `listener $PORT${i + 1} 127.0.0.1\n${option}\n`);
    const ended = await MidgeProcess.run({ config: sections.join(""), args: ["--test-config"] });
    const unnamed = TLS_ALONE.filter((option) =>
      !ended.lines.some((line) => line.startsWith("Error") && line.includes(option.split(" ")[0]!))
    );
    assertEquals([ended.status, unnamed], [3, []]);
  },
);

test(
  "B-53 Where settings are for all, those below a listener are too",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: [
        "listener $PORT1 127.0.0.1",
        "listener $PORT2 127.0.0.1",
        "password_file $DIR/passwd",
        "acl_file $DIR/acl",
        "allow_anonymous true",
        "listener $PORT3 127.0.0.1",
        "",
      ].join("\n"),
      files: { passwd: passwordFile({ alice: "a" }), acl: "topic granted\n" },
    }, async (midge) => {
      for (const port of midge.ports.slice(0, 3)) {
        const answers = [];
        const people: Credentials[] = [
          {},
          { username: "alice", password: "a" },
          { username: "alice", password: "b" },
        ];
        for (const who of people) answers.push(await login(port, 5, who));
        assertEquals(answers, [0, 0, 0x87]);
        const client = await WireClient.connect(port, 5);
        for (const topic of ["granted", "other"]) client.publish(topic, "x", { qos: 1 });
        assertEquals((await client.ping()).map(describe), ["puback 1 0x10", "puback 2 0x87"]);
        client.leave();
      }
    }),
);

test(
  "B-53 Where settings are per listener, those of one are for no other",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: [
        "per_listener_settings true",
        "listener $PORT1 127.0.0.1",
        "password_file $DIR/passwd",
        "listener $PORT2 127.0.0.1",
        "allow_anonymous true",
        "acl_file $DIR/acl",
        "listener $PORT3 127.0.0.1",
        "",
      ].join("\n"),
      files: { passwd: passwordFile({ alice: "a" }), acl: "topic granted\n" },
    }, async (midge) => {
      const [withPasswords, withRules, withNothing] = midge.ports;
      const alice = { username: "alice", password: "a" };
      const found = [];
      for (const port of [withPasswords!, withRules!, withNothing!]) {
        found.push([await login(port, 5), await login(port, 5, alice)]);
      }
      // Where nobody knows names, allow_anonymous speaks for those who have one too.
      assertEquals(found, [[0x87, 0], [0, 0], [0x87, 0x87]]);
      const ruled = await WireClient.connect(withRules!, 5);
      for (const topic of ["granted", "other"]) ruled.publish(topic, "x", { qos: 1 });
      assertEquals((await ruled.ping()).map(describe), ["puback 1 0x10", "puback 2 0x87"]);
    }),
);
