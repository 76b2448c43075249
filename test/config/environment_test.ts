// The environment: every option by its variable, secrets by files, and what overrides what.

import { assertEquals } from "@std/assert";
import { variableOf } from "../../src/config/environment.ts";
import { OPTIONS } from "../../src/config/options/all.ts";
import { test } from "../harness.ts";
import { configOf, errorsOf, load, pick } from "./support.ts";

type Variables = Readonly<Record<string, string>>;

/** A file, the environment, the field, and its value. */
type Row = readonly [text: string, environment: Variables, field: string, value: unknown];

const ROWS: readonly Row[] = [
  ["", { MIDGE_MAX_QUEUED_MESSAGES: "5" }, "general/maxQueuedMessages", 5],
  ["max_queued_messages 4", { MIDGE_MAX_QUEUED_MESSAGES: "5" }, "general/maxQueuedMessages", 5],
  ["pid_file a", { MIDGE_PID_FILE: "b" }, "general/pidFile", "b"],
  ["", { MIDGE_LISTENER: "1884 0.0.0.0" }, "listeners/0/host", "0.0.0.0"],
  ["", { MIDGE_LISTENER: "1884\n8883\n", MIDGE_MAX_QOS: "1" }, "listeners/0/maxQos", 2],
  ["", { MIDGE_LISTENER: "1884\n8883\n", MIDGE_MAX_QOS: "1" }, "listeners/1/maxQos", 1],
  ["listener 1\nlistener 2", { MIDGE_MOUNT_POINT: "m/" }, "listeners/1/mountPoint", "m/"],
  ["listener 1\nlistener 2", { MIDGE_MOUNT_POINT: "m/" }, "listeners/0/mountPoint", ""],
  ["listener 1\nmount_point a/\nlistener 2", { MIDGE_LISTENER: "1 ::1" }, "listeners/length", 2],
  [
    "listener 1\nmount_point a/\nlistener 2",
    { MIDGE_LISTENER: "1 ::1" },
    "listeners/0/host",
    "::1",
  ],
  [
    "listener 1\nmount_point a/\nlistener 2",
    { MIDGE_LISTENER: "1 ::1" },
    "listeners/0/mountPoint",
    "a/",
  ],
  ["", { MIDGE_ALLOW_ANONYMOUS: "true", MIDGE_LISTENER: "1" }, "listeners/0/allowAnonymous", true],
  ["", { MIDGE_MAX_CONNECTIONS: "7" }, "localListener/maxConnections", 7],
  ["", { MIDGE_PORT: "1884" }, "listeners/0/port", 1884],
  ["", { MIDGE_PORT: "tcp://10.0.0.1:1883" }, "isLocalOnly", true],
  [
    "",
    { MIDGE_PORT_1883_TCP_ADDR: "10.0.0.1", MIDGE_SERVICE_HOST: "a", MIDGE_SERVICE_PORT_MQTT: "1" },
    "isLocalOnly",
    true,
  ],
  ["", { MIDGE_TEST_ANYTHING: "1", MIDGE: "1", OTHER: "1" }, "isLocalOnly", true],
  [
    "",
    { MIDGE_LISTENER: "1", MIDGE_ALLOW_ANONYMOUS: "true", MIDGE_PER_LISTENER_SETTINGS: "true" },
    "listeners/0/security/allowAnonymous",
    true,
  ],
  [
    "log_type all\nlog_dest file x",
    { MIDGE_LOG_TYPE: "error\ndebug" },
    "log/types",
    ["error", "debug"],
  ],
  ["log_dest file x", { MIDGE_LOG_DEST: "file y" }, "log/destinations", [
    { kind: "file", path: "y" },
  ]],
  ["", { MIDGE_PASSWORD_FILE: "/p" }, "security/passwordFile", "/p"],
  ["", { MIDGE_PERSISTENCE_FILE: "m.db" }, "persistence/file", "m.db"],
  [
    "persistence_location /a",
    { MOSQUITTO_PERSISTENCE_LOCATION: "/b" },
    "persistence/location",
    "/b",
  ],
  [
    "listener 1\ncertfile c\nkeyfile k",
    { MIDGE_CIPHERS_TLS1_3: "TLS_A" },
    "listeners/0/tls/ciphersTls13",
    "TLS_A",
  ],
  ["", { MIDGE_PLUGIN: "p.ts", MIDGE_PLUGIN_OPT_KEY_FILE: "v" }, "security/plugins/0/options", {
    key_file: "v",
  }],
  ["plugin p.ts\nplugin_opt_a 1", { MIDGE_PLUGIN_OPT_A: "2" }, "security/plugins/0/options", {
    a: "2",
  }],
  [
    "connection b\naddress h\ntopic #\nremote_password old",
    { MIDGE_REMOTE_PASSWORD_FILE: "secret" },
    "bridges/0/options/remote_password",
    "top secret",
  ],
  [
    "connection b\naddress h\ntopic #",
    { MIDGE_CONNECTION: "b", MIDGE_ADDRESS: "i:5", MIDGE_TOPIC: "a\nb" },
    "bridges/0/addresses",
    [{ host: "i", port: 5 }],
  ],
  [
    "",
    { MIDGE_CONNECTION: "b", MIDGE_ADDRESS: "i", MIDGE_TOPIC: "a\nb", MIDGE_ROUND_ROBIN: "true" },
    "bridges/0/topics/length",
    2,
  ],
];

for (const [text, environment, field, value] of ROWS) {
  const shown = Object.entries(environment).map(([name, is]) => `${name}=${is}`).join(" ");
  const context = text === "" ? "" : ` over "${text.replaceAll("\n", "; ")}"`;
  test(`loadConfig() reads ${shown.replaceAll("\n", "; ")}${context}: ${field}`, async () => {
    const { config, errors } = await load(text, environment, { secret: "top secret\r\n" });
    assertEquals(errors.map(({ lines }) => lines), []);
    const found = pick(config!, field);
    assertEquals(found instanceof Map ? Object.fromEntries(found) : found, value);
  });
}

const REFUSED: readonly (readonly [environment: Variables, lines: readonly string[]])[] = [
  [{ MIDGE_ALOW_ANONYMOUS: "false" }, [
    "Error: Unknown configuration variable 'MIDGE_ALOW_ANONYMOUS'.",
    "Error found at environment:MIDGE_ALOW_ANONYMOUS.",
  ]],
  [{ MIDGE_max_qos: "1" }, [
    "Error: Unknown configuration variable 'MIDGE_max_qos'.",
    "Error found at environment:MIDGE_max_qos.",
  ]],
  [{ MIDGE_MAX_QOS: "3" }, [
    "Error: 'max_qos' must be between 0 and 2 inclusive.",
    "Error found at environment:MIDGE_MAX_QOS.",
  ]],
  [{ MIDGE_LISTENER: "1883\nx" }, [
    "Error: 'listener' value not a number.",
    "Error found at environment:MIDGE_LISTENER:2.",
  ]],
  [{ MIDGE_PASSWORD_FILE: "" }, [
    "Error: Empty 'password_file' value in configuration.",
    "Error found at environment:MIDGE_PASSWORD_FILE.",
  ]],
  [{ MIDGE_ALLOW_ANONYMOUS: "false\ntrue" }, [
    "Error: 'allow_anonymous' has more than one line.",
    "Error found at environment:MIDGE_ALLOW_ANONYMOUS.",
  ]],
  [{ MIDGE_MOUNT_POINT: "a" }, [
    "Error: The 'mount_point' option requires a listener to be defined first.",
    "Error found at environment:MIDGE_MOUNT_POINT.",
  ]],
  [{ MIDGE_INCLUDE_DIR: "d" }, [
    "Error: The include_dir option is only valid in the main configuration file.",
    "Error found at environment:MIDGE_INCLUDE_DIR.",
  ]],
  [{ MIDGE_USER_FILE: "gone" }, [
    "Error: Unable to open file 'gone'.",
    "Error found at environment:MIDGE_USER_FILE.",
  ]],
  [{ MIDGE_USER: "a", MIDGE_USER_FILE: "secret" }, [
    "Error: Only one of MIDGE_USER and MIDGE_USER_FILE can be set.",
    "Error found at environment:MIDGE_USER_FILE.",
  ]],
  [{ MIDGE_LISTENER: "1", MIDGE_CERTFILE: "c" }, [
    "Error: Both certfile and keyfile must be provided to enable a TLS listener.",
    "Error found at environment:MIDGE_CERTFILE.",
  ]],
];

for (const [environment, lines] of REFUSED) {
  const shown = Object.entries(environment).map(([name, is]) => `${name}=${is}`).join(" ");
  test(`loadConfig() refuses ${shown.replaceAll("\n", "; ")}`, async () => {
    assertEquals(await errorsOf("", environment, { secret: "x" }), lines);
  });
}

test("B-59 loadConfig() shows nothing of a file that the environment names", async () => {
  const secret = "hunter2";
  for (const { name, prefixes } of OPTIONS) {
    if (prefixes !== undefined) continue;
    const { errors, notes } = await load(
      "listener 1\nconnection b\naddress h\ntopic #\nplugin p",
      { [`${variableOf(name)}_FILE`]: "f" },
      { f: `${secret}+\n` },
    );
    const said = [...errors.flatMap(({ lines }) => lines), ...notes.map(({ text }) => text)];
    assertEquals(said.filter((line) => line.includes(secret)), [], name);
  }
});

test("variableOf() gives every option a variable of its own, that no suffix makes another's", async () => {
  const all = OPTIONS.filter(({ prefixes }) => prefixes === undefined)
    .flatMap(({ name, aliases }) => [name, ...aliases ?? []]);
  const variables = all.map(variableOf);
  assertEquals(new Set(variables).size, all.length);
  assertEquals(variables.filter((name) => !/^MIDGE_[A-Z0-9_]+$/.test(name)), []);
  // These are options of their own; the secret that the short one would mean has a longer name.
  const taken = variables.filter((name) => variables.includes(`${name}_FILE`));
  assertEquals(taken, ["MIDGE_PERSISTENCE", "MIDGE_PASSWORD"]);
  assertEquals((await configOf("", { MIDGE_PASSWORD_FILE: "p" })).security.passwordFile, "p");
});
