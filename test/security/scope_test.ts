// An option that would have protected something never passes for nothing: where it stands decides
// for whom it counts, and where it would count for nobody the program does not start.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { type Credentials, login } from "../support/login.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { passwordFile } from "../support/password_lines.ts";
import { describe, WireClient } from "../support/wire_client.ts";

const LISTENER = "listener $PORT1 127.0.0.1\n";
const needsListener = (option: string): string =>
  `Error: The '${option}' option requires a listener to be defined first.`;

/** What is wrong, and the lines that say so, without where it was found. */
const FAULTS: readonly (readonly [config: string, ...lines: string[]])[] = [
  [
    "allow_anonymuos false\n" + LISTENER,
    "Error: Unknown configuration variable 'allow_anonymuos'.",
  ],
  ["Password_file /f\n" + LISTENER, "Error: Unknown configuration variable 'Password_file'."],
  [
    "password_file\t/f\n" + LISTENER,
    "Error: Unknown configuration variable 'password_file\\x09/f'.",
  ],
  ["allow_anonymous no\n" + LISTENER, "Error: Invalid 'allow_anonymous' value (no)."],
  ["allow_anonymous\n" + LISTENER, "Error: Empty 'allow_anonymous' value in configuration."],
  [LISTENER + "acl_file\n", "Error: Empty 'acl_file' value in configuration."],
  [
    LISTENER + "listener_allow_anonymous False\n",
    "Error: Invalid 'listener_allow_anonymous' value (False).",
  ],
  ["listener_allow_anonymous false\n" + LISTENER, needsListener("listener_allow_anonymous")],
  ["per_listener_settings true\npassword_file /f\n" + LISTENER, needsListener("password_file")],
  ["per_listener_settings true\nacl_file /f\n" + LISTENER, needsListener("acl_file")],
  [
    "per_listener_settings true\nallow_anonymous false\n" + LISTENER,
    needsListener("allow_anonymous"),
  ],
  ["per_listener_settings true\nplugin /f.ts\n" + LISTENER, needsListener("plugin")],
  [
    `${LISTENER}password_file /f\nper_listener_settings true\n`,
    "Error: per_listener_settings must be set before any other security settings.",
  ],
  ["plugin_use gate\n" + LISTENER, needsListener("plugin_use")],
  ["cafile /ca\n" + LISTENER, needsListener("cafile")],
  [LISTENER + "cafile /ca\n", "Error: cafile specified without certfile and keyfile."],
  [
    LISTENER + "certfile /c\n",
    "Error: Both certfile and keyfile must be provided to enable a TLS listener.",
  ],
  [
    LISTENER + "keyfile /k\n",
    "Error: Both certfile and keyfile must be provided to enable a TLS listener.",
  ],
];

test("B-53 An option in the wrong place, or misspelt, stops the start", PROCESS_TEST, async () => {
  for (const [config, ...lines] of FAULTS) {
    const ended = await MidgeProcess.run({ config, args: ["--test-config"] });
    const complaints = ended.lines.filter((line) =>
      line.startsWith("Error") && !line.startsWith("Error found at")
    );
    assertEquals({ config, status: ended.status, complaints }, {
      config,
      status: 3,
      complaints: lines,
    });
  }
});

/** Options that protect nothing where there is no TLS. */
const TLS_ALONE = [
  "require_certificate true",
  "use_identity_as_username true",
  "use_subject_as_username true",
  "crlfile /crl",
  "capath /ca",
];

test("B-53 What protects by TLS stops a start without TLS", PROCESS_TEST, async () => {
  for (const option of TLS_ALONE) {
    for (const where of [`${LISTENER}${option}\n`, `port $PORT1\n${option}\n`]) {
      const ended = await MidgeProcess.run({ config: where, args: ["--test-config"] });
      const isNamed = ended.lines.some((line) =>
        line.startsWith("Error") && line.includes(option.split(" ")[0]!)
      );
      assertEquals([option, ended.status, isNamed], [option, 3, true]);
    }
  }
});

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
