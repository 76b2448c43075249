// Every option's bad values, missing values and wrong places, all in one file: the program tells
// all of them at once, each with its line, and ends. What it says is what Mosquitto says.

import { assertEquals } from "@std/assert";
import { OPTIONS } from "../../src/config/options/all.ts";
import { test } from "../harness.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";

/** A line and what is wrong with it; `undefined`: nothing, it only opens a section. */
type Row = readonly [line: string, fault: string | undefined];

const TRUTHS = [
  "allow_anonymous",
  "allow_duplicate_messages",
  "allow_zero_length_clientid",
  "autosave_on_changes",
  "check_retain_source",
  "connection_messages",
  "enable_control_api",
  "log_timestamp",
  "per_listener_settings",
  "persistence",
  "persistence_thread",
  "retained_persistence",
  "queue_qos0_messages",
  "retain_available",
  "set_tcp_nodelay",
  "upgrade_outgoing_qos",
];

const NUMBERS = [
  "autosave_interval",
  "global_max_clients",
  "global_max_connections",
  "log_facility",
  "max_inflight_bytes",
  "max_inflight_messages",
  "max_keepalive",
  "max_packet_size",
  "max_queued_bytes",
  "max_queued_messages",
  "max_queued_bytes_total",
  "max_queued_messages_total",
  "memory_limit",
  "message_size_limit",
  "packet_buffer_size",
  "websockets_headers_size",
  "retain_expiry_interval",
  "sys_interval",
  "websockets_log_level",
  "login_ban_duration",
];

const TEXTS = [
  "acl_file",
  "auto_id_prefix",
  "bind_address",
  "clientid_prefixes",
  "include_dir",
  "log_timestamp_format",
  "password_file",
  "persistence_file",
  "persistence_location",
  "pid_file",
  "psk_file",
  "user",
];

const LISTENER_TRUTHS = [
  "disable_client_cert_date_checks",
  "listener_allow_anonymous",
  "proxy_protocol_v2_require_tls",
  "require_certificate",
  "use_identity_as_username",
  "use_subject_as_username",
  "use_username_as_clientid",
];

const LISTENER_NUMBERS = [
  "enable_proxy_protocol",
  "max_connections",
  "max_qos",
  "maximum_qos",
  "max_topic_alias",
  "max_topic_alias_broker",
];

const LISTENER_TEXTS = [
  "cafile",
  "capath",
  "certfile",
  "ciphers",
  "ciphers_tls1.3",
  "crlfile",
  "keyfile",
  "psk_hint",
  "tls_keyform",
  "tls_version",
  "accept_protocol_versions",
  "bind_interface",
  "http_dir",
  "listener_auto_id_prefix",
  "mount_point",
  "protocol",
  "socket_domain",
  "websockets_origin",
];

const BRIDGE_OPTIONS = ["address", "topic", "remote_clientid", "cleansession", "try_private"];

const empty = (name: string): Row => [name, `Empty '${name}' value in configuration.`];

function truth(name: string): Row[] {
  return [
    empty(name),
    [`${name} True`, `Invalid '${name}' value (True).`],
    [`${name} 2`, `Invalid '${name}' value (2).`],
  ];
}

function number(name: string): Row[] {
  return [
    empty(name),
    [`${name} many`, `'${name}' value not a number.`],
    [`${name} 2147483648`, `'${name}' value out of range.`],
    [`${name} -0x80000001`, `'${name}' value out of range.`],
  ];
}

const needs = (what: string) => (name: string): Row => [
  `${name} 1`,
  `The '${name}' option requires ${what} to be defined first.`,
];

const needsListener = needs("a listener");

const ROWS: readonly Row[] = [
  ["bogus", "Unknown configuration variable 'bogus'."],
  ["Listener 1883", "Unknown configuration variable 'Listener'."],
  // Only spaces separate; what could draw on a terminal is shown by its number.
  ["max_qos\t1", "Unknown configuration variable 'max_qos\\x091'."],

  // What may not stand here.
  ...[...LISTENER_TRUTHS.slice(0, 3), ...LISTENER_NUMBERS.slice(4), "enable_proxy_protocol"].map(
    needsListener,
  ),
  ...["accept_protocol_versions", "http_dir", "listener_auto_id_prefix", "mount_point"].map(
    needsListener,
  ),
  ...["cafile", "tls_version", "websockets_origin", "plugin_use"].map(needsListener),
  ...BRIDGE_OPTIONS.map(needs("a bridge")),
  ...["plugin_opt_a", "auth_opt_a", "auth_plugin_deny_special_chars"].map(
    needs("plugin/global_plugin/plugin_load"),
  ),

  ...TRUTHS.flatMap(truth),
  ...NUMBERS.flatMap(number),
  ...TEXTS.map(empty),

  [`auto_id_prefix ${"x".repeat(51)}`, "auto_id_prefix length must be <= 50."],
  ["log_facility 8", "Invalid 'log_facility' value (8)."],
  ["log_facility -1", "Invalid 'log_facility' value (-1)."],
  empty("log_dest"),
  ["log_dest printer", "Invalid 'log_dest' value (printer)."],
  ["log_dest file", 'Empty "log_dest file" value in configuration.'],
  ["log_dest file a.log", undefined],
  ["log_dest file b.log", 'Duplicate "log_dest file" value.'],
  empty("log_type"),
  ["log_type loud", "Invalid 'log_type' value (loud)."],
  ["log_format xml", "Invalid 'log_format' value (xml)."],
  ["persistence_sync off", "Invalid 'persistence_sync' value (off)."],
  ["max_inflight_messages 65536", "'max_inflight_messages' must be <= 65535."],
  ["max_keepalive 65536", "Invalid 'max_keepalive' value (65536)."],
  ["max_keepalive -1", "Invalid 'max_keepalive' value (-1)."],
  ["max_packet_size 19", "'max_packet_size' must be >= 20."],
  ["memory_limit -1", "Invalid 'memory_limit' value (-1)."],
  ["message_size_limit 268435456", "Invalid 'message_size_limit' value (268435456)."],
  ["message_size_limit -1", "Invalid 'message_size_limit' value (-1)."],
  ["packet_buffer_size 65536", "Packet buffer size must be between 0 and 65535 inclusive."],
  ["packet_buffer_size -1", "Packet buffer size must be between 0 and 65535 inclusive."],
  empty("persistent_client_expiration"),
  ...["1", "d", "0d", "-1d", "1x", "1 d", "1.5d"].map((value): Row => [
    `persistent_client_expiration ${value}`,
    "Invalid 'persistent_client_expiration' duration in configuration.",
  ]),
  ["retain_expiry_interval 0", "retain_expiry_interval must be >= 1."],
  ["sys_interval 65536", "Invalid 'sys_interval' value (65536)."],
  ["sys_interval -1", "Invalid 'sys_interval' value (-1)."],

  ["port", "Empty 'port' value in configuration."],
  ["port 0", "Invalid 'port' value (0)."],
  ["port 65536", "Invalid 'port' value (65536)."],
  empty("connect_rate_limit"),
  ["connect_rate_limit 1", "'connect_rate_limit' must be a count and a number of seconds."],
  ["login_failure_limit 1 0", "'login_failure_limit' must be a count and a number of seconds."],
  ["publish_rate_limit x 1", "'publish_rate_limit' must be a count and a number of seconds."],
  ["login_ban_duration 0", "Invalid 'login_ban_duration' value (0)."],
  ["plugin", "Missing plugin path in configuration."],
  ["auth_plugin", "Missing plugin path in configuration."],
  ["global_plugin", "Missing plugin path in configuration."],
  ["plugin_load only", "Missing plugin path in configuration."],
  [
    "tls_engine_kpass_sha1 00",
    "The 'tls_engine_kpass_sha1' option is not available: keys are read from the 'keyfile' only.",
  ],
  [
    "tls_engine pkcs11",
    "The 'tls_engine' option is not available: keys are read from the 'keyfile' only.",
  ],

  empty("listener"),
  ["listener x", "'listener' value not a number."],
  ["listener 65536", "Invalid 'port' value (65536)."],
  ["listener -1", "Invalid 'port' value (-1)."],
  ["listener 0", "A listener with port 0 must provide a Unix socket path."],
  ["listener $PORT1", undefined],
  ...LISTENER_TRUTHS.flatMap(truth),
  ...LISTENER_NUMBERS.flatMap(number),
  ...LISTENER_TEXTS.map(empty),
  ["socket_domain ipx", "Invalid 'socket_domain' value 'ipx' in configuration."],
  ["tls_version tlsv1.0", 'Unsupported tls_version "tlsv1.0".'],
  ["protocol http", "Invalid 'protocol' value (http)."],
  [
    `listener_auto_id_prefix ${"x".repeat(51)}`,
    "listener_auto_id_prefix length must be <= 50.",
  ],
  ["max_qos 3", "'max_qos' must be between 0 and 2 inclusive."],
  ["maximum_qos -1", "'max_qos' must be between 0 and 2 inclusive."],
  ["max_topic_alias 65536", "Invalid 'max_topic_alias' value in configuration."],
  ["max_topic_alias -1", "Invalid 'max_topic_alias' value in configuration."],
  ["max_topic_alias_broker 65536", "Invalid 'max_topic_alias_broker' value in configuration."],
  [
    "mount_point a/#",
    "Invalid 'mount_point' value (a/#). Does it contain a wildcard character?",
  ],
  ["enable_proxy_protocol 3", "enable_proxy_protocol must be 1 or 2."],
  ["plugin_use none", "Plugin 'none' not previously loaded."],
  ["bind_interface lo", undefined],
  ["bind_interface eth0", "Duplicate 'bind_interface' value in configuration."],
  ["allow_anonymous true", undefined],
  [
    "per_listener_settings true",
    "per_listener_settings must be set before any other security settings.",
  ],

  ["connection one", undefined],
  ["address", "Empty address value in configuration."],
  ["address localhost:0", "Invalid bridge port value (0)."],
  ["address localhost", undefined],
  ["address other", "Invalid bridge configuration, 'address' only allowed once."],
  ["topic a sideways", "Invalid bridge topic direction 'sideways'."],
  ["topic a out 3", "Invalid bridge QoS level '3'."],
  ['topic "" in 1 a', "Invalid bridge remapping."],
  ["topic a", undefined],
  ["start_type manual", "Manual start_type not supported."],
  ["keepalive_interval 65536", "Bridge keepalive value too high."],
  ["connection one", "Duplicate bridge name 'one'."],
];

test(
  "Every bad value, missing value and wrong place is told at once, each with its line",
  PROCESS_TEST,
  async () => {
    const config = ROWS.map(([line]) => line).join("\n");
    const expected = ROWS.flatMap(([, fault], index) =>
      fault === undefined ? [] : [`Error: ${fault}`, `Error found at $DIR/midge.conf:${index + 1}.`]
    );
    const { status, lines, stdout } = await MidgeProcess.run({ config, args: ["--test-config"] });
    assertEquals({ status, lines: lines.filter((line) => line.startsWith("Error")), stdout }, {
      status: 3,
      lines: expected,
      stdout: "",
    });
  },
);

test("No option is left out of those whose bad values are tried", () => {
  const tried = new Set(ROWS.map(([line]) => line.split(" ")[0]));
  const names = OPTIONS.flatMap(({ name, aliases = [], scope, prefixes }) =>
    scope === "B" ? [] : prefixes?.map((prefix) => `${prefix}a`) ?? [name, ...aliases]
  );
  // What these say is not listened to.
  const anything = ["dhparamfile", "retry_interval"];
  assertEquals(names.filter((name) => !tried.has(name) && !anything.includes(name)), []);
});
