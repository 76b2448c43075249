// What a configuration is refused for: every message with its line, all of them at once, and none
// that lets a security option land somewhere else.

import { assertEquals } from "@std/assert";
import { OPTIONS } from "../../src/config/options/all.ts";
import { test } from "../harness.ts";
import { errorsOf, notesOf } from "./support.ts";

const LISTENER = "listener 1883";
const TLS = "listener 8883\ncertfile c.pem\nkeyfile k.pem\ncafile ca.pem";
const BRIDGE = "connection b\naddress h\ntopic #";

/** What stands before the line, the line, and what is wrong with it. */
type Row = readonly [before: string, line: string, what: string];

const NUMBERS = OPTIONS.filter(({ value, scope }) =>
  scope === "G" && /^(?:-?\d+ |a number$|up to|\d+ or|minutes|seconds)/.test(value.syntax)
);
const TRUTHS = OPTIONS.filter(({ value, scope }) =>
  scope === "G" && value.syntax.startsWith("`true`")
);

const REFUSED: readonly Row[] = [
  ...TRUTHS.flatMap(({ name }): Row[] => [
    ["", name, `Empty '${name}' value in configuration.`],
    ["", `${name} True`, `Invalid '${name}' value (True).`],
    ["", `${name} yes`, `Invalid '${name}' value (yes).`],
    ["", `${name} 2`, `Invalid '${name}' value (2).`],
    ["", `${name} true\tfalse`, `Invalid '${name}' value (true\tfalse).`],
  ]),
  ...NUMBERS.flatMap(({ name }): Row[] => [
    ["", name, `Empty '${name}' value in configuration.`],
    ["", `${name} many`, `'${name}' value not a number.`],
    ["", `${name} 5x`, `'${name}' value not a number.`],
    ["", `${name} 09`, `'${name}' value not a number.`],
    ["", `${name} 0x`, `'${name}' value not a number.`],
    ["", `${name} 1e3`, `'${name}' value not a number.`],
    ["", `${name} 2147483648`, `'${name}' value out of range.`],
    ["", `${name} -2147483649`, `'${name}' value out of range.`],
  ]),
  ["", "bogus 1", "Unknown configuration variable 'bogus'."],
  ["", "listener\t1883", "Unknown configuration variable 'listener\t1883'."],
  ["", " # no comment", "Unknown configuration variable '#'."],
  ["", "Listener 1883", "Unknown configuration variable 'Listener'."],
  ["", "max_inflight_messages 65536", "'max_inflight_messages' must be <= 65535."],
  ["", "max_keepalive 65536", "Invalid 'max_keepalive' value (65536)."],
  ["", "max_keepalive -1", "Invalid 'max_keepalive' value (-1)."],
  ["", "max_packet_size 19", "'max_packet_size' must be >= 20."],
  ["", "memory_limit -1", "Invalid 'memory_limit' value (-1)."],
  ["", "message_size_limit 268435456", "Invalid 'message_size_limit' value (268435456)."],
  ["", "packet_buffer_size 65536", "Packet buffer size must be between 0 and 65535 inclusive."],
  ["", "websockets_headers_size -1", "Packet buffer size must be between 0 and 65535 inclusive."],
  ["", "retain_expiry_interval 0", "retain_expiry_interval must be >= 1."],
  ["", "sys_interval 65536", "Invalid 'sys_interval' value (65536)."],
  ["", "log_facility 8", "Invalid 'log_facility' value (8)."],
  ["", "log_type loud", "Invalid 'log_type' value (loud)."],
  ["", "log_type", "Empty 'log_type' value in configuration."],
  ["", "log_dest printer", "Invalid 'log_dest' value (printer)."],
  ["", "log_dest", "Empty 'log_dest' value in configuration."],
  ["", "log_dest file", 'Empty "log_dest file" value in configuration.'],
  ["log_dest file a", "log_dest file b", 'Duplicate "log_dest file" value.'],
  ["", "log_format xml", "Invalid 'log_format' value (xml)."],
  ...["1", "s", "0d", "1D", "1 d", "-1d", "1.5d", "99999999999y"].map((value): Row => [
    "",
    `persistent_client_expiration ${value}`,
    "Invalid 'persistent_client_expiration' duration in configuration.",
  ]),
  [
    "",
    "persistent_client_expiration",
    "Empty 'persistent_client_expiration' value in configuration.",
  ],
  ["", `auto_id_prefix ${"é".repeat(26)}`, "auto_id_prefix length must be <= 50."],
  [
    LISTENER,
    `listener_auto_id_prefix ${"a".repeat(51)}`,
    "listener_auto_id_prefix length must be <= 50.",
  ],
  ["", "password_file", "Empty 'password_file' value in configuration."],
  ["", "acl_file \u0001", "Malformed UTF-8 in configuration."],
  ["", `acl_file ${"a".repeat(65_536)}`, "'acl_file' value too long."],
  ...["1", "1 0", "-1 1", "1 1 1", "a 1", "1 2147483648"].map((value): Row => [
    "",
    `connect_rate_limit ${value}`,
    "'connect_rate_limit' must be a count and a number of seconds.",
  ]),
  ["", "login_ban_duration 0", "Invalid 'login_ban_duration' value (0)."],

  [
    "allow_anonymous false",
    "per_listener_settings true",
    "per_listener_settings must be set before any other security settings.",
  ],
  [
    "plugin p.ts",
    "per_listener_settings true",
    "per_listener_settings must be set before any other security settings.",
  ],
  ["", "plugin", "Missing plugin path in configuration."],
  ["", "global_plugin", "Missing plugin path in configuration."],
  ["", "plugin_load", "Empty 'plugin_load' value in configuration."],
  ["", "plugin_load n", "Missing plugin path in configuration."],
  ["plugin_load n p", "plugin_load n q", "Duplicate plugin name 'n'."],
  [LISTENER, "plugin_use n", "Plugin 'n' not previously loaded."],
  ["plugin p", "plugin_opt_ v", "Invalid 'plugin_opt_' option in configuration."],
  ["plugin p", "plugin_opt_k", "Empty 'plugin_opt_k' value in configuration."],

  ["", "listener", "Empty 'listener' value in configuration."],
  ["", "listener mqtt", "'listener' value not a number."],
  ["", "listener 65536", "Invalid 'port' value (65536)."],
  ["", "listener -1", "Invalid 'port' value (-1)."],
  ["", "listener 0", "A listener with port 0 must provide a Unix socket path."],
  ["", "listener 0 # none", "A listener with port 0 must provide a Unix socket path."],
  ["", "port 0", "Invalid 'port' value (0)."],
  ["", "port 65536", "Invalid 'port' value (65536)."],
  [LISTENER, "socket_domain ipx", "Invalid 'socket_domain' value 'ipx' in configuration."],
  [LISTENER, "protocol http", "Invalid 'protocol' value (http)."],
  [LISTENER, "accept_protocol_versions 6", "Invalid 'accept_protocol_versions' value (6)."],
  [LISTENER, "max_qos 3", "'max_qos' must be between 0 and 2 inclusive."],
  [LISTENER, "max_topic_alias 65536", "Invalid 'max_topic_alias' value in configuration."],
  [
    LISTENER,
    "max_topic_alias_broker -1",
    "Invalid 'max_topic_alias_broker' value in configuration.",
  ],
  [
    LISTENER,
    "mount_point a/+",
    "Invalid 'mount_point' value (a/+). Does it contain a wildcard character?",
  ],
  [LISTENER, "enable_proxy_protocol 3", "enable_proxy_protocol must be 1 or 2."],
  [LISTENER, "tls_version tlsv1.0", 'Unsupported tls_version "tlsv1.0".'],
  [
    LISTENER,
    "tls_engine pkcs11",
    "The 'tls_engine' option is not available: keys are read from the 'keyfile' only.",
  ],
  [
    LISTENER,
    "tls_engine_kpass_sha1 00",
    "The 'tls_engine_kpass_sha1' option is not available: keys are read from the 'keyfile' only.",
  ],
  [
    TLS,
    "tls_keyform engine",
    "The 'tls_keyform engine' option is not available: keys are read from PEM files only.",
  ],

  [
    LISTENER,
    "certfile c.pem",
    "Both certfile and keyfile must be provided to enable a TLS listener.",
  ],
  [
    LISTENER,
    "keyfile k.pem",
    "Both certfile and keyfile must be provided to enable a TLS listener.",
  ],
  [LISTENER, "cafile c.pem", "cafile specified without certfile and keyfile."],
  [LISTENER, "capath c", "capath specified without certfile and keyfile."],
  [LISTENER, "crlfile c", "crlfile specified without certfile and keyfile."],
  [
    TLS,
    "psk_hint h",
    "Cannot use both certificate and psk encryption in a single listener.",
  ],
  [
    LISTENER,
    "require_certificate true",
    "require_certificate specified without certfile and keyfile.",
  ],
  [
    "listener 8883\ncertfile c\nkeyfile k",
    "require_certificate true",
    "require_certificate specified without cafile or capath.",
  ],
  [
    LISTENER,
    "use_identity_as_username true",
    "use_identity_as_username specified without certfile and keyfile.",
  ],
  [
    `${LISTENER}\npsk_hint h`,
    "use_subject_as_username true",
    "use_subject_as_username specified without certfile and keyfile.",
  ],
  [
    `${LISTENER}\nenable_proxy_protocol 2`,
    "use_subject_as_username true",
    "use_subject_as_username cannot be used with `enable_proxy_protocol 2`.",
  ],
  [
    `${LISTENER}\nenable_proxy_protocol 1`,
    "proxy_protocol_v2_require_tls true",
    "proxy_protocol_v2_require_tls needs `enable_proxy_protocol 2`.",
  ],

  [BRIDGE, "connection b", "Duplicate bridge name 'b'."],
  [BRIDGE, "connection", "Empty 'connection' value in configuration."],
  [BRIDGE, "address other", "Invalid bridge configuration, 'address' only allowed once."],
  ["connection b\ntopic #", "address h:0", "Invalid bridge port value (0)."],
  ["connection b\ntopic #", "address h:65536", "Invalid bridge port value (65536)."],
  ["connection b\ntopic #", "address h:x", "Invalid bridge port value (x)."],
  ["connection b\ntopic #", "address :1", "Empty address value in configuration."],
  ["connection b\ntopic #", "address", "Empty address value in configuration."],
  ["connection b\naddress h", "topic", "Empty 'topic' value in configuration."],
  ["connection b\naddress h", 'topic "a b', "Missing closing quote in topic value (a b)."],
  ["connection b\naddress h", "topic a sideways", "Invalid bridge topic direction 'sideways'."],
  ["connection b\naddress h", "topic a in 3", "Invalid bridge QoS level '3'."],
  ["connection b\naddress h", 'topic "" in 0 a', "Invalid bridge remapping."],
  ["connection b\naddress h", "topic a in 0 b/+/", "Invalid bridge topic local prefix 'b/+/'."],
  [
    "connection b\naddress h",
    'topic a in 0 "" b/+/',
    "Invalid bridge topic remote prefix 'b/+/'.",
  ],
  ["connection b\naddress h", "topic # out 0 a", "Invalid bridge topic 'a#'."],
  [BRIDGE, "bridge_max_topic_alias -1", "bridge_max_topic_alias must be > 0 and <= 65535."],
  [BRIDGE, "bridge_receive_maximum 0", "bridge_receive_maximum must be greater than 0."],
  [BRIDGE, "bridge_receive_maximum 65536", "bridge_receive_maximum must be lower than 65535."],
  [
    BRIDGE,
    "bridge_session_expiry_interval -1",
    "bridge_session_expiry_interval must not be negative.",
  ],
  [BRIDGE, "bridge_tcp_keepalive 0 1 1", "invalid TCP keepalive idle value."],
  [BRIDGE, "bridge_tcp_keepalive 1 -1 1", "invalid TCP keepalive interval value."],
  [BRIDGE, "bridge_tcp_keepalive 1 1", "invalid TCP keepalive counter value."],
  [BRIDGE, "bridge_tcp_user_timeout -1", "invalid TCP user timeout value."],
  [BRIDGE, "bridge_protocol_version 5", "Invalid 'bridge_protocol_version' value (5)."],
  [BRIDGE, "bridge_reload_type now", "Invalid 'bridge_reload_type' value in configuration (now)."],
  [BRIDGE, "bridge_tls_version x", 'Unsupported bridge_tls_version "x".'],
  [BRIDGE, "start_type manual", "Manual start_type not supported."],
  [BRIDGE, "start_type soon", "Invalid 'start_type' value in configuration (soon)."],
  [BRIDGE, "keepalive_interval 65536", "Bridge keepalive value too high."],
  [BRIDGE, "restart_timeout 5 4", "backoff cap is lower than the base in restart_timeout."],
  [BRIDGE, "restart_timeout 5 6 -1", "stable connection period cannot be negative."],
  [BRIDGE, "bridge_identity i\nbridge_psk 0", "Invalid 'bridge_psk' value."],
  [
    `${BRIDGE}\nbridge_identity i\nbridge_psk 00`,
    "bridge_cafile c",
    "'bridge_cafile': Cannot use both certificate and psk encryption in a single bridge.",
  ],
  [
    `${BRIDGE}\nbridge_tls_use_os_certs false\nbridge_psk 00\nbridge_identity i`,
    "bridge_tls_use_os_certs true",
    "'bridge_tls_use_os_certs': Cannot use both certificate and psk encryption in a single bridge.",
  ],
];

for (const [before, line, what] of REFUSED) {
  const shown = line.length > 60 ? `${line.slice(0, 60)} ...` : line.replaceAll(/\p{Cc}/gu, "; ");
  const context = before === "" ? "" : ` (after ${before.replaceAll("\n", "; ")})`;
  test(`loadConfig() refuses "${shown}"${context}`, async () => {
    const lines = `${before}\n${line}`.split("\n");
    const found = (await errorsOf(`${before}\n${line}\n`)).slice(0, 2);
    assertEquals(found, [`Error: ${what}`, `Error found at m.conf:${lines.length}.`]);
  });
}

for (const { name, aliases, scope, repeat, prefixes } of OPTIONS) {
  const names = prefixes?.map((prefix) => `${prefix}x`) ?? [name, ...aliases ?? []];
  const needs = scope === "L" || scope === "Ln"
    ? "a listener"
    : scope === "B"
    ? "a bridge"
    : scope === "P"
    ? "plugin/global_plugin/plugin_load"
    : undefined;
  for (const one of needs === undefined ? [] : names) {
    test(`loadConfig() wants ${needs} before ${one}`, async () => {
      // A section of another kind does not do.
      const before = scope === "B" ? LISTENER : `${BRIDGE}`;
      assertEquals(await errorsOf(`${before}\n${one} 1\n`), [
        `Error: The '${one}' option requires ${needs} to be defined first.`,
        `Error found at m.conf:${before.split("\n").length + 1}.`,
      ]);
    });
  }
  if (scope === "Ln") {
    test(`loadConfig() wants more than the default listener before ${name}`, async () => {
      assertEquals(await errorsOf(`port 1883\n${name} 3\n`), [
        `Error: The '${name}' option requires a listener to be defined first.`,
        "Error found at m.conf:2.",
      ]);
    });
  }
  if (scope === "S") {
    for (const one of names) {
      test(`B-53 loadConfig() with per_listener_settings wants a listener before ${one}`, async () => {
        const text = `per_listener_settings true\n${one} true\nlistener 1883\n`;
        assertEquals(await errorsOf(text), [
          `Error: The '${one}' option requires a listener to be defined first.`,
          "Error found at m.conf:2.",
        ]);
      });
    }
  }
  if (repeat === "never" && name !== "address") {
    test(`loadConfig() refuses a second ${name}`, async () => {
      const before = scope === "B" ? `${BRIDGE}` : LISTENER;
      // One text that all of them take, or are at fault for before anything else.
      const value = name.endsWith("version") ? "tlsv1.3" : "00";
      const text = `${before}\n${name} ${value}\n${name} ${value}\n`;
      const at = before.split("\n").length + 2;
      assertEquals((await errorsOf(text)).slice(0, 2), [
        `Error: Duplicate '${name}' value in configuration.`,
        `Error found at m.conf:${at}.`,
      ]);
    });
  }
}

test("loadConfig() finds all faults, and none that only follows from another", async () => {
  const text = [
    "bogus",
    "listener x",
    "max_qos 1",
    "mount_point #",
    "connection",
    "address h",
    "allow_anonymous perhaps",
    "listener 1884",
    "certfile c",
    "connection b",
  ].join("\r\n");
  assertEquals(await errorsOf(text), [
    "Error: Unknown configuration variable 'bogus'.",
    "Error found at m.conf:1.",
    "Error: 'listener' value not a number.",
    "Error found at m.conf:2.",
    "Error: Invalid 'mount_point' value (#). Does it contain a wildcard character?",
    "Error found at m.conf:4.",
    "Error: Empty 'connection' value in configuration.",
    "Error found at m.conf:5.",
    "Error: Invalid 'allow_anonymous' value (perhaps).",
    "Error found at m.conf:7.",
    "Error: Both certfile and keyfile must be provided to enable a TLS listener.",
    "Error found at m.conf:9.",
    "Error: Invalid bridge configuration: no remote addresses defined.",
    "Error found at m.conf:10.",
    "Error: Invalid bridge configuration: no topics defined.",
    "Error found at m.conf:10.",
  ]);
});

test("loadConfig() wants both halves of a bridge's pre-shared key", async () => {
  assertEquals(await errorsOf(`${BRIDGE}\nbridge_psk 00`), [
    "Error: Invalid bridge configuration: missing bridge_identity.",
    "Error found at m.conf:1.",
  ]);
  assertEquals(await errorsOf(`${BRIDGE}\nbridge_identity i`), [
    "Error: Invalid bridge configuration: missing bridge_psk.",
    "Error found at m.conf:1.",
  ]);
});

test("loadConfig() wants client identifiers of bridges that differ", async () => {
  const other = "connection c\naddress h\ntopic #\nremote_clientid x\nlocal_clientid local.x";
  assertEquals(await errorsOf(`${BRIDGE}\nclientid x\n${other}`), [
    "Error: Bridge local_clientid 'local.x' is not unique. Try changing or setting the " +
    "local_clientid value for one of the bridges.",
    "Error found at m.conf:9.",
  ]);
});

test("loadConfig() refuses a text that is not UTF-8, but not a comment", async () => {
  const bytes = (text: string): Uint8Array => Uint8Array.from(text, (one) => one.charCodeAt(0));
  assertEquals(await errorsOf(bytes("# \xe9t\xe9\nacl_file \xe9t\xe9\n")), [
    "Error: Malformed UTF-8 in configuration.",
    "Error found at m.conf:2.",
  ]);
  assertEquals(await errorsOf(bytes("# \xe9t\xe9\nmax_qos 1 \xe9\n")), []);
});

test("loadConfig() warns of bridges that do not check whom they talk to", async () => {
  assertEquals(await notesOf(`${BRIDGE}\nbridge_insecure true\nbridge_insecure true`), [
    "warning: Warning: Bridge 'b' using insecure mode.",
  ]);
  assertEquals(await notesOf(`${BRIDGE}\nbridge_insecure true\nbridge_insecure false`), []);
});

test("B-53 loadConfig() tells when a security option replaces that of another section", async () => {
  const text = "listener 1883\nallow_anonymous false\nlistener 1884\nallow_anonymous true\n";
  assertEquals(await notesOf(text), [
    "warning: Warning: The 'allow_anonymous' option is for all listeners, and replaces an earlier " +
    "one.",
  ]);
  assertEquals(await notesOf("allow_anonymous false\nallow_anonymous true\n"), []);
});
