// Every option: what it sets, and what it says of a value that it does not take.

import { assertEquals } from "@std/assert";
import { findOption, OPTIONS } from "../../src/config/options/all.ts";
import { test } from "../harness.ts";
import { configOf, pick } from "./support.ts";

const LISTENER = "listener 1883";
const TLS = "listener 8883\ncertfile c.pem\nkeyfile k.pem\ncafile ca.pem";
const BRIDGE = "connection b\naddress h\ntopic #";
const PLUGIN = "plugin p.ts";

/** What stands before the option, its line, the field, and the value that it has then. */
type Row = readonly [before: string, line: string, field: string, value: unknown];

const ACCEPTED: readonly Row[] = [
  ["", "allow_duplicate_messages false", "general/allowDuplicateMessages", false],
  ["", "check_retain_source false", "general/checkRetainSource", false],
  ["", "clientid_prefixes a b", "general/clientIdPrefixes", ["a b"]],
  ["clientid_prefixes a", "clientid_prefixes b", "general/clientIdPrefixes", ["b"]],
  ["", "connection_messages 0", "general/connectionMessages", false],
  ["", "enable_control_api 1", "general/enableControlApi", true],
  ["", "global_max_clients 5", "general/globalMaxClients", 5],
  ["", "global_max_clients 0", "general/globalMaxClients", Infinity],
  ["", "global_max_connections 5", "general/globalMaxConnections", 5],
  ["", "global_max_connections -7", "general/globalMaxConnections", Infinity],
  ["", "max_inflight_bytes 0x10", "general/maxInflightBytes", 16],
  ["", "max_inflight_bytes -1", "general/maxInflightBytes", 0],
  ["", "max_inflight_messages 65534", "general/maxInflightMessages", 65534],
  ["", "max_inflight_messages 65535", "general/maxInflightMessages", 0],
  ["", "max_inflight_messages -5", "general/maxInflightMessages", 0],
  ["", "max_keepalive 010", "general/maxKeepalive", 8],
  ["", "max_keepalive 60 # a minute", "general/maxKeepalive", 60],
  ["max_keepalive 5", "max_keepalive 60", "general/maxKeepalive", 60],
  ["", "max_packet_size 20", "general/maxPacketSize", 20],
  ["", "max_queued_bytes 7", "general/maxQueuedBytes", 7],
  ["", "max_queued_messages -1", "general/maxQueuedMessages", 0],
  ["", "memory_limit 0", "general/memoryLimit", Infinity],
  ["", "memory_limit 1000000", "general/memoryLimit", 1000000],
  ["", "message_size_limit 268435455", "general/messageSizeLimit", 268435455],
  ["", "packet_buffer_size 100", "general/packetBufferSize", 100],
  ["", "websockets_headers_size 100", "general/packetBufferSize", 100],
  ["", "persistent_client_expiration 90s", "general/persistentClientExpiration", 90],
  ["", "persistent_client_expiration 2h", "general/persistentClientExpiration", 7200],
  ["", "persistent_client_expiration 1d", "general/persistentClientExpiration", 86400],
  ["", "persistent_client_expiration 1w", "general/persistentClientExpiration", 604800],
  ["", "persistent_client_expiration 1m", "general/persistentClientExpiration", 2592000],
  ["", "persistent_client_expiration 1y", "general/persistentClientExpiration", 31536000],
  ["", "pid_file /run/m.pid", "general/pidFile", "/run/m.pid"],
  ["", "queue_qos0_messages true", "general/queueQos0Messages", true],
  ["", "retain_available false", "general/retainAvailable", false],
  ["", "retain_expiry_interval 1", "general/retainExpiryInterval", 1],
  ["", "retain_expiry_interval 10000001", "general/retainExpiryInterval", 10000000],
  ["", "set_tcp_nodelay true", "general/setTcpNodelay", true],
  ["", "sys_interval 0", "general/sysInterval", 0],
  ["", "upgrade_outgoing_qos true", "general/upgradeOutgoingQos", true],
  ["", "user root", "general/user", "root"],
  ["", "user root", "general/isUserGiven", true],
  ["user a", "user b", "general/user", "b"],

  ["", "acl_file a b", "security/aclFile", "a b"],
  ["acl_file a", "acl_file b", "security/aclFile", "b"],
  ["", "allow_anonymous true", "security/allowAnonymous", true],
  ["", "allow_zero_length_clientid false", "security/allowZeroLengthClientId", false],
  ["", "auto_id_prefix a-", "security/autoIdPrefix", "a-"],
  ["", "password_file p", "security/passwordFile", "p"],
  ["", "per_listener_settings true", "hasPerListenerSettings", true],
  ["per_listener_settings true", "per_listener_settings false", "hasPerListenerSettings", true],
  ["", "psk_file p", "security/pskFile", "p"],

  ["", "plugin a b.ts", "security/plugins/0/path", "a b.ts"],
  ["", "auth_plugin a.ts", "security/plugins/0/path", "a.ts"],
  ["", "global_plugin a.ts", "security/plugins/0/path", "a.ts"],
  [PLUGIN, "plugin_opt_key a value", "security/plugins/0/options/key", "a value"],
  [PLUGIN, "auth_opt_key value", "security/plugins/0/options/key", "value"],
  [PLUGIN, "auth_plugin_deny_special_chars true", "security/plugins/0/denySpecialChars", true],
  [`plugin_load n a b.ts\n${LISTENER}`, "plugin_use n", "listeners/0/security/plugins/0/name", "n"],
  [
    `${LISTENER}`,
    "plugin_load n a b.ts\nplugin_use n",
    "listeners/0/security/plugins/0/path",
    "a b.ts",
  ],

  ["", "listener 1884", "listeners/0/port", 1884],
  ["", "listener 1884 # all", "listeners/0/host", undefined],
  ["", "listener 1884 ::1 # one", "listeners/0/host", "::1"],
  ["", "listener 0 /run/a b.sock # x", "listeners/0/path", "/run/a b.sock"],
  ["", "port 1884", "listeners/0/port", 1884],
  ["", "bind_address ::1", "listeners/0/host", "::1"],
  ["bind_address ::1", "port 1884", "listeners/0/host", "::1"],
  ["port 1884", "mount_point a/", "listeners/0/mountPoint", "a/"],
  [LISTENER, "accept_protocol_versions 3, 5,9", "listeners/0/acceptProtocolVersions", [3, 5]],
  [LISTENER, "accept_protocol_versions 5\t4", "listeners/0/acceptProtocolVersions", [4, 5]],
  [LISTENER, "bind_interface eth0", "listeners/0/bindInterface", "eth0"],
  [LISTENER, "enable_proxy_protocol 1", "listeners/0/proxyProtocol", 1],
  [LISTENER, "http_dir /www", "listeners/0/httpDir", "/www"],
  [LISTENER, "listener_allow_anonymous true", "listeners/0/allowAnonymous", true],
  [
    `allow_anonymous true\n${LISTENER}`,
    "listener_allow_anonymous false",
    "listeners/0/allowAnonymous",
    false,
  ],
  [LISTENER, "listener_auto_id_prefix b-", "listeners/0/autoIdPrefix", "b-"],
  [LISTENER, "auto_id_prefix c-", "listeners/0/autoIdPrefix", "c-"],
  [LISTENER, "max_connections 5", "listeners/0/maxConnections", 5],
  [LISTENER, "max_connections -5", "listeners/0/maxConnections", Infinity],
  [LISTENER, "max_qos 1", "listeners/0/maxQos", 1],
  [LISTENER, "maximum_qos 0", "listeners/0/maxQos", 0],
  [LISTENER, "max_topic_alias 0", "listeners/0/maxTopicAlias", 0],
  [LISTENER, "max_topic_alias_broker 65535", "listeners/0/maxTopicAliasBroker", 65535],
  [LISTENER, "mount_point home/", "listeners/0/mountPoint", "home/"],
  [`${LISTENER}\nmount_point a`, "mount_point b", "listeners/0/mountPoint", "b"],
  [LISTENER, "protocol websockets", "listeners/0/protocol", "websockets"],
  [LISTENER, "protocol http_api", "listeners/0/protocol", "http_api"],
  [
    `${LISTENER}\nenable_proxy_protocol 2`,
    "proxy_protocol_v2_require_tls true",
    "listeners/0/proxyRequiresTls",
    true,
  ],
  [LISTENER, "socket_domain ipv6", "listeners/0/socketDomain", "ipv6"],
  [LISTENER, "use_username_as_clientid true", "listeners/0/useUsernameAsClientId", true],
  [
    LISTENER,
    "websockets_origin https://a\nwebsockets_origin https://b",
    "listeners/0/websocketsOrigins",
    ["https://a", "https://b"],
  ],

  [TLS, "cafile other.pem", "listeners/0/tls/caFile", "other.pem"],
  [TLS, "capath certs", "listeners/0/tls/caPath", "certs"],
  [TLS, "certfile d.pem", "listeners/0/tls/certFile", "d.pem"],
  [TLS, "keyfile l.pem", "listeners/0/tls/keyFile", "l.pem"],
  [TLS, "crlfile crl.pem", "listeners/0/tls/crlFile", "crl.pem"],
  [TLS, "ciphers AES:!NULL", "listeners/0/tls/ciphers", "AES:!NULL"],
  [TLS, "ciphers_tls1.3 TLS_A:TLS_B", "listeners/0/tls/ciphersTls13", "TLS_A:TLS_B"],
  [
    TLS,
    "disable_client_cert_date_checks true",
    "listeners/0/tls/disableClientCertDateChecks",
    true,
  ],
  [TLS, "require_certificate true", "listeners/0/requireCertificate", true],
  [TLS, "tls_version tlsv1.3", "listeners/0/tls/tlsVersion", "tlsv1.3"],
  [TLS, "use_identity_as_username true", "listeners/0/useIdentityAsUsername", true],
  [TLS, "use_subject_as_username true", "listeners/0/useSubjectAsUsername", true],
  [TLS, "tls_keyform pem", "listeners/0/tls/keyFile", "k.pem"],
  [LISTENER, "psk_hint a hint", "listeners/0/tls/pskHint", "a hint"],
  [
    `${LISTENER}\npsk_hint h`,
    "use_identity_as_username true",
    "listeners/0/useIdentityAsUsername",
    true,
  ],
  [
    `${LISTENER}\nenable_proxy_protocol 2`,
    "require_certificate true",
    "listeners/0/requireCertificate",
    true,
  ],

  ["", "log_dest stdout\nlog_dest file /a b.log", "log/destinations", [{ kind: "stdout" }, {
    kind: "file",
    path: "/a b.log",
  }]],
  ["log_dest syslog", "log_dest none\nlog_dest topic", "log/destinations", [{ kind: "topic" }]],
  ["log_dest file a", "log_dest none\nlog_dest file b", "log/destinations", [{
    kind: "file",
    path: "b",
  }]],
  ["log_dest stderr", "log_dest stderr", "log/destinations", [{ kind: "stderr" }]],
  ["", "log_dest none", "log/destinations", []],
  ["", "log_dest dlt", "log/destinations", [{ kind: "stderr" }]],
  ["", "log_facility 7", "log/facility", 7],
  ["", "log_format json", "log/format", "json"],
  ["", "log_timestamp false", "log/hasTimestamp", false],
  ["", "log_timestamp_format %Y-%m-%d %H:%M", "log/timestampFormat", "%Y-%m-%d %H:%M"],
  ["", "log_type debug\nlog_type error", "log/types", ["error", "debug"]],
  ["log_type all", "log_type none\nlog_type websockets", "log/types", ["websockets"]],
  ["", "log_type none", "log/types", []],
  [
    "",
    "log_type all",
    "log/types",
    [
      "error",
      "warning",
      "notice",
      "information",
      "debug",
      "subscribe",
      "unsubscribe",
      "internal",
      "websockets",
    ],
  ],

  ["", "autosave_interval -1", "persistence/autosaveInterval", 0],
  ["", "autosave_on_changes true", "persistence/autosaveOnChanges", true],
  ["", "persistence true", "persistence/isOn", true],
  ["", "retained_persistence true", "persistence/isOn", true],
  ["", "persistence_file a.db", "persistence/file", "a.db"],
  ["", "persistence_location /var/lib", "persistence/location", "/var/lib"],

  ["", "connect_rate_limit 10 60", "rateLimits/connects", { count: 10, seconds: 60 }],
  ["", "connect_rate_limit 0", "rateLimits/connects", undefined],
  ["", "login_ban_duration 60", "rateLimits/loginBanSeconds", 60],
  ["", "login_failure_limit 5 1", "rateLimits/loginFailures", { count: 5, seconds: 1 }],
  ["", "publish_rate_limit 1000 1", "rateLimits/publishes", { count: 1000, seconds: 1 }],
  ["", "publish_rate_limit 0 1", "rateLimits/publishes", undefined],

  [BRIDGE, "connection other\naddress x\ntopic a", "bridges/1/name", "other"],
  [BRIDGE, "connection other words\naddress x\ntopic a", "bridges/1/name", "other"],
  [
    "connection b\ntopic #",
    "address a b:1884 ::1:1885 [::2] # later",
    "bridges/0/addresses",
    [{ host: "a", port: 1883 }, { host: "b", port: 1884 }, { host: "::1", port: 1885 }, {
      host: "::2",
      port: 1883,
    }],
  ],
  ["connection b\ntopic #", "addresses a", "bridges/0/addresses", [{ host: "a", port: 1883 }]],
  [
    "connection b\naddress a",
    'topic "a b" BOTH 2 "" r/ # comment\ntopic a\ntopic "" in 1 l r\ntopic "c"\ntopic d # out',
    "bridges/0/topics",
    [
      { pattern: "a b", direction: "both", qos: 2, localPrefix: "", remotePrefix: "r/" },
      { pattern: "a", direction: "out", qos: 0, localPrefix: "", remotePrefix: "" },
      { pattern: "", direction: "in", qos: 1, localPrefix: "l", remotePrefix: "r" },
      { pattern: "c", direction: "out", qos: 0, localPrefix: "", remotePrefix: "" },
      { pattern: "d", direction: "out", qos: 0, localPrefix: "", remotePrefix: "" },
    ],
  ],
  [BRIDGE, "bridge_alpn mqtt", "bridges/0/options/bridge_alpn", "mqtt"],
  [
    BRIDGE,
    "bridge_attempt_unsubscribe false",
    "bridges/0/options/bridge_attempt_unsubscribe",
    false,
  ],
  [BRIDGE, "bridge_bind_address ::1", "bridges/0/options/bridge_bind_address", "::1"],
  [BRIDGE, "bridge_cafile a", "bridges/0/options/bridge_cafile", "a"],
  [BRIDGE, "bridge_capath a", "bridges/0/options/bridge_capath", "a"],
  [BRIDGE, "bridge_certfile a", "bridges/0/options/bridge_certfile", "a"],
  [BRIDGE, "bridge_ciphers a", "bridges/0/options/bridge_ciphers", "a"],
  [BRIDGE, "bridge_ciphers_tls1.3 a", "bridges/0/options/bridge_ciphers_tls1.3", "a"],
  [BRIDGE, "bridge_identity a\nbridge_psk 00ff", "bridges/0/options/bridge_identity", "a"],
  [BRIDGE, "bridge_identity a\nbridge_psk 00ff", "bridges/0/options/bridge_psk", "00ff"],
  [BRIDGE, "bridge_insecure true", "bridges/0/options/bridge_insecure", true],
  [BRIDGE, "bridge_keyfile a", "bridges/0/options/bridge_keyfile", "a"],
  [BRIDGE, "bridge_max_packet_size -1", "bridges/0/options/bridge_max_packet_size", 0],
  [BRIDGE, "bridge_max_topic_alias 0", "bridges/0/options/bridge_max_topic_alias", 0],
  [BRIDGE, "bridge_outgoing_retain false", "bridges/0/options/bridge_outgoing_retain", false],
  [
    BRIDGE,
    "bridge_protocol_version mqttv50",
    "bridges/0/options/bridge_protocol_version",
    "mqttv50",
  ],
  [BRIDGE, "bridge_receive_maximum 65535", "bridges/0/options/bridge_receive_maximum", 65535],
  [BRIDGE, "bridge_reload_type immediate", "bridges/0/options/bridge_reload_type", "immediate"],
  [BRIDGE, "bridge_require_ocsp true", "bridges/0/options/bridge_require_ocsp", true],
  [
    BRIDGE,
    "bridge_session_expiry_interval 9",
    "bridges/0/options/bridge_session_expiry_interval",
    9,
  ],
  [BRIDGE, "bridge_tcp_keepalive 10 20 3", "bridges/0/options/bridge_tcp_keepalive", "10 20 3"],
  [BRIDGE, "bridge_tcp_user_timeout 0", "bridges/0/options/bridge_tcp_user_timeout", 0],
  [BRIDGE, "bridge_tls_use_os_certs true", "bridges/0/options/bridge_tls_use_os_certs", true],
  [BRIDGE, "bridge_tls_version tlsv1.3", "bridges/0/options/bridge_tls_version", "tlsv1.3"],
  [BRIDGE, "cleansession true", "bridges/0/options/cleansession", true],
  [BRIDGE, "idle_timeout 0", "bridges/0/options/idle_timeout", 1],
  [BRIDGE, "keepalive_interval 4", "bridges/0/options/keepalive_interval", 5],
  [BRIDGE, "keepalive_interval 65535", "bridges/0/options/keepalive_interval", 65535],
  [BRIDGE, "local_cleansession true", "bridges/0/options/local_cleansession", true],
  [BRIDGE, "local_clientid l", "bridges/0/options/local_clientid", "l"],
  [BRIDGE, "local_password a b", "bridges/0/options/local_password", "a b"],
  [BRIDGE, "local_username a", "bridges/0/options/local_username", "a"],
  [BRIDGE, "notification_topic a/b", "bridges/0/options/notification_topic", "a/b"],
  [BRIDGE, "notifications false", "bridges/0/options/notifications", false],
  [BRIDGE, "notifications_local_only true", "bridges/0/options/notifications_local_only", true],
  [BRIDGE, "remote_clientid a", "bridges/0/options/remote_clientid", "a"],
  [BRIDGE, "clientid a", "bridges/0/options/remote_clientid", "a"],
  [BRIDGE, "remote_password a", "bridges/0/options/remote_password", "a"],
  [BRIDGE, "password a", "bridges/0/options/remote_password", "a"],
  [BRIDGE, "remote_username a", "bridges/0/options/remote_username", "a"],
  [BRIDGE, "username a", "bridges/0/options/remote_username", "a"],
  [BRIDGE, "restart_timeout 7", "bridges/0/options/restart_timeout", "7 7 0"],
  [BRIDGE, "restart_timeout 0", "bridges/0/options/restart_timeout", "1 1 0"],
  [BRIDGE, "restart_timeout 9999", "bridges/0/options/restart_timeout", "3600 3600 0"],
  [BRIDGE, "restart_timeout 5 9999 10", "bridges/0/options/restart_timeout", "5 7200 10"],
  [BRIDGE, "round_robin true", "bridges/0/options/round_robin", true],
  [BRIDGE, "start_type lazy", "bridges/0/options/start_type", "lazy"],
  [BRIDGE, "threshold 0", "bridges/0/options/threshold", 1],
  [BRIDGE, "try_private false", "bridges/0/options/try_private", false],

  ["", "dhparamfile x", "isLocalOnly", true],
  ["", "retry_interval x", "isLocalOnly", true],
  ["", "websockets_log_level 255", "isLocalOnly", true],
];

for (const [before, line, field, value] of ACCEPTED) {
  const shown = line.replaceAll("\n", "; ").replaceAll("\t", "<tab>");
  const context = before === "" ? "" : ` (after ${before.replaceAll("\n", "; ")})`;
  test(`loadConfig() takes "${shown}"${context}`, async () => {
    assertEquals(pick(await configOf(`${before}\n${line}\n`), field), value);
  });
}

/** Options without a value that a configuration would have. */
const NOT_IN_CONFIG = ["include_dir", "tls_engine", "tls_engine_kpass_sha1"];

test("OPTIONS are all in the table of accepted values by every name that they have", () => {
  const named = new Set(
    ACCEPTED.flatMap(([before, line]) => `${before}\n${line}`.split("\n"))
      .map((line) => findOption(line.split(" ")[0]!)?.stem),
  );
  const all = OPTIONS.flatMap(({ name, aliases, prefixes }) =>
    prefixes ?? [name, ...aliases ?? []]
  );
  assertEquals(all.filter((name) => !named.has(name)).sort(), NOT_IN_CONFIG);
});
