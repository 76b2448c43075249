// Files: several of them, those that they include, and those that cannot be read; what Mosquitto's
// users have in theirs; and that nothing at all makes loading fail.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { compareNames, loadConfig, type LoadResult } from "../../src/config/load.ts";
import { OPTIONS } from "../../src/config/options/all.ts";
import { test } from "../harness.ts";
import { configOf, errorsOf, type FileTree, load, readerOf } from "./support.ts";

function loadFiles(files: readonly string[], tree: FileTree): Promise<LoadResult> {
  return loadConfig({ files, environment: {}, reader: readerOf(tree) });
}

test("loadConfig() reads several files into one configuration", async () => {
  const { config } = await loadFiles(["a", "b"], {
    a: "listener 1883\nmax_keepalive 5\n",
    b: "max_keepalive 6\nlistener 1884",
  });
  assertEquals(config!.files, ["a", "b"]);
  assertEquals(config!.general.maxKeepalive, 6);
  assertEquals(config!.listeners.map(({ at }) => at), [
    { file: "a", line: 1 },
    { file: "b", line: 2 },
  ]);
});

test("loadConfig() begins every file without a section, and finds faults in all", async () => {
  const { errors } = await loadFiles(["a", "missing", "d", "b"], {
    a: "listener 1883\npid_file p",
    b: "mount_point x\npid_file q",
    "d/": "",
  });
  assertEquals(errors.map(({ file, line, lines }) => [file, line, lines]), [
    ["missing", 0, ["Error: Unable to open config file 'missing'."]],
    ["d", 0, ["Error: Config file 'd' is a directory."]],
    ["b", 1, [
      "Error: The 'mount_point' option requires a listener to be defined first.",
      "Error found at b:1.",
    ]],
    ["b", 2, ["Error: Duplicate 'pid_file' value in configuration.", "Error found at b:2."]],
  ]);
});

test("loadConfig() refuses a file that is larger than any configuration", async () => {
  const bytes = new Uint8Array(16 * 1024 * 1024 + 1).fill(0x0a);
  assertEquals(await errorsOf(bytes), [
    "Error: Config file 'm.conf' is larger than 16777216 bytes.",
  ]);
});

test("loadConfig() takes a mark of the byte order, carriage returns and a missing last line", async () => {
  assertEquals((await configOf("\ufeffmax_keepalive 5\r\n\r\n  sys_interval   7  ")).general, {
    ...(await configOf("")).general,
    maxKeepalive: 5,
    sysInterval: 7,
  });
});

const INCLUDED: FileTree = {
  "conf.d/": "",
  "conf.d/B.conf": "max_keepalive 3",
  "conf.d/a.conf": "max_keepalive 2",
  "conf.d/A.conf": "max_keepalive 1",
  "conf.d/.conf": "bogus",
  "conf.d/c.conf~": "bogus",
  "conf.d/readme": "bogus",
  "conf.d/sub.conf/": "",
};

test("loadConfig() reads an included directory in order, and goes on in its own section", async () => {
  const { config, notes } = await load(
    "listener 1884\ninclude_dir conf.d\nmount_point m/",
    {},
    INCLUDED,
  );
  assertEquals(config!.general.maxKeepalive, 3);
  assertEquals(config!.listeners[0]!.mountPoint, "m/");
  assertEquals(
    notes.map(({ type, text }) => `${type}: ${text}`),
    ["A", "a", "B"].map((name) => `information: Loading config file 'conf.d/${name}.conf'`),
  );
});

test("loadConfig() locates faults of included files in both files", async () => {
  const tree: FileTree = {
    "d/": "",
    "d/a.conf": "\nmax_qos 3\ninclude_dir e\n",
    "d/b.conf": "listener 8883\ncertfile c",
  };
  assertEquals(await errorsOf("listener 1883\n\ninclude_dir d\nbogus", {}, tree), [
    "Error: 'max_qos' must be between 0 and 2 inclusive.",
    "Error found at 'd/a.conf:2'.",
    "Error found at m.conf:3.",
    "Error: The include_dir option is only valid in the main configuration file.",
    "Error found at 'd/a.conf:3'.",
    "Error found at m.conf:3.",
    "Error: Unknown configuration variable 'bogus'.",
    "Error found at m.conf:4.",
    "Error: Both certfile and keyfile must be provided to enable a TLS listener.",
    "Error found at 'd/b.conf:2'.",
    "Error found at m.conf:3.",
  ]);
});

test("loadConfig() refuses a directory that cannot be read", async () => {
  assertEquals(await errorsOf("include_dir gone\ninclude_dir"), [
    "Error: Unable to open include_dir 'gone'.",
    "Error found at m.conf:1.",
    "Error: Empty 'include_dir' value in configuration.",
    "Error found at m.conf:2.",
  ]);
});

test("compareNames() goes by letter, upper case first where only the case differs", () => {
  const names = ["b", "a1", "a", "B", "A", "ab", "AC", "_", "10", "9"];
  assertEquals(names.sort(compareNames), ["10", "9", "A", "AC", "a", "a1", "ab", "B", "b", "_"]);
});

/** Configurations as they are in use. */
const EXAMPLES: Readonly<Record<string, string>> = {
  "a distribution's": `# Place your local configuration in /etc/mosquitto/conf.d/

pid_file /run/mosquitto/mosquitto.pid

persistence true
persistence_location /var/lib/mosquitto/

log_dest file /var/log/mosquitto/mosquitto.log

include_dir /etc/mosquitto/conf.d
`,
  "a home's": `listener 1883
allow_anonymous false
password_file /etc/mosquitto/passwd
acl_file /etc/mosquitto/acl
persistence true
persistence_location /mosquitto/data/
log_dest stdout
log_type error
log_type warning
connection_messages true
log_timestamp_format %Y-%m-%dT%H:%M:%S
`,
  "one of TLS and WebSockets": `per_listener_settings true

listener 1883 127.0.0.1
allow_anonymous true

listener 8883
cafile /certs/ca.crt
certfile /certs/server.crt
keyfile /certs/server.key
require_certificate true
use_identity_as_username true
tls_version tlsv1.2
crlfile /certs/ca.crl

listener 9001
protocol websockets
password_file /mosquitto/passwd
max_connections -1
`,
  "an old one": `port 1883
bind_address 0.0.0.0
user mosquitto
max_queued_messages 200
message_size_limit 0
allow_zero_length_clientid true
allow_duplicate_messages false
autosave_interval 900
autosave_on_changes false
persistence false
retained_persistence true
persistent_client_expiration 2m
max_inflight_messages 20
retry_interval 20
auth_plugin /usr/lib/auth.ts
auth_opt_backends mysql
auth_opt_host localhost
`,
  "a bridge's": `listener 1883
allow_anonymous true
connection cloud
address mqtt.example.com:8883 backup.example.com:8883
bridge_cafile /etc/ssl/certs/ca-certificates.crt
bridge_insecure false
bridge_protocol_version mqttv50
remote_username device
remote_password secret word
remote_clientid device-1
cleansession false
try_private false
notifications true
notification_topic devices/1/state
start_type automatic
restart_timeout 10 60
topic # out 1 local/ remote/device-1/
topic commands/+ in 1 "" remote/device-1/
topic "with space" both 0
`,
};

for (const [whose, text] of Object.entries(EXAMPLES)) {
  test(`loadConfig() reads ${whose} configuration`, async () => {
    const { config, errors } = await load(text, {}, { "/etc/mosquitto/conf.d/": "" });
    assertEquals(errors.map(({ lines }) => lines), []);
    assertEquals(config !== undefined, true);
  });
}

const names = fc.constantFrom(
  ...OPTIONS.flatMap(({ name, aliases, prefixes }) =>
    prefixes?.map((prefix) => `${prefix}k`) ?? [name, ...aliases ?? []]
  ),
);
const values = fc.oneof(
  fc.constantFrom("true", "0", "1883", "file x", "b", "# x", "65536", "-1", '"', "", "1 2 3", "m"),
  fc.string({ unit: "binary", maxLength: 20 }),
);
const textLines = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(names, values).map(([name, value]) => `${name} ${value}`) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
);
const texts = fc.oneof(
  fc.array(textLines, { maxLength: 12 }).map((all) => new TextEncoder().encode(all.join("\n"))),
  fc.uint8Array({ maxLength: 200 }),
);

test("loadConfig() gives a configuration or errors with their lines, whatever is read", async () => {
  await fc.assert(
    fc.asyncProperty(texts, texts, names, values, async (main, included, name, value) => {
      const variable = `MIDGE_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
      const { config, errors } = await load(main, { [variable]: value }, {
        "b/": "",
        "b/a.conf": included,
      });
      assertEquals(config === undefined, errors.length > 0);
      const located = errors.filter(({ file, line, lines }) =>
        lines.length >= 2 && lines[0]!.startsWith("Error: ") &&
        (line > 0 || file.startsWith("environment:MIDGE_"))
      );
      assertEquals(located, errors);
    }),
    { numRuns: 500 },
  );
});
