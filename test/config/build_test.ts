// What a configuration is without a line, and how compatibility modes become plain listeners.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { defaultConfig } from "../../src/config/build.ts";
import type { Config, ListenerConfig, SecurityConfig } from "../../src/config/config.ts";
import { test } from "../harness.ts";
import { configOf, load, notesOf } from "./support.ts";

const SECURITY: SecurityConfig = {
  allowAnonymous: undefined,
  allowZeroLengthClientId: true,
  autoIdPrefix: "auto-",
  passwordFile: undefined,
  aclFile: undefined,
  pskFile: undefined,
  plugins: [],
};

const LISTENER: ListenerConfig = {
  at: { file: "", line: 0 },
  port: 1883,
  host: undefined,
  path: undefined,
  bindInterface: undefined,
  socketDomain: undefined,
  protocol: "mqtt",
  acceptProtocolVersions: [3, 4, 5],
  allowAnonymous: true,
  autoIdPrefix: "auto-",
  maxConnections: Infinity,
  maxQos: 2,
  maxTopicAlias: 10,
  maxTopicAliasBroker: 10,
  mountPoint: "",
  useUsernameAsClientId: false,
  proxyProtocol: 0,
  proxyRequiresTls: false,
  httpDir: undefined,
  websocketsOrigins: [],
  tls: undefined,
  requireCertificate: false,
  useIdentityAsUsername: false,
  useSubjectAsUsername: false,
  security: SECURITY,
};

// Its type makes sure that a field which no row sets would be missing from the comparison below.
const DEFAULT: Config = {
  files: [],
  general: {
    allowDuplicateMessages: true,
    checkRetainSource: true,
    clientIdPrefixes: [],
    connectionMessages: true,
    enableControlApi: false,
    globalMaxClients: Infinity,
    globalMaxConnections: Infinity,
    maxInflightBytes: 0,
    maxInflightMessages: 20,
    maxKeepalive: 0,
    maxPacketSize: 2000000,
    maxQueuedBytes: 0,
    maxQueuedBytesTotal: 0,
    maxQueuedMessages: 1000,
    maxQueuedMessagesTotal: 10_000_000,
    memoryLimit: Infinity,
    messageSizeLimit: 0,
    persistentClientExpiration: Infinity,
    pidFile: undefined,
    queueQos0Messages: false,
    retainAvailable: true,
    retainExpiryInterval: 0,
    setTcpNodelay: false,
    sysInterval: 10,
    upgradeOutgoingQos: false,
    user: "mosquitto",
    isUserGiven: false,
    packetBufferSize: 4096,
  },
  listeners: [],
  isLocalOnly: true,
  localListener: LISTENER,
  security: SECURITY,
  hasPerListenerSettings: false,
  log: {
    destinations: [{ kind: "stderr" }],
    types: ["error", "warning", "notice", "information"],
    facility: undefined,
    hasTimestamp: true,
    timestampFormat: undefined,
    format: "text",
  },
  persistence: {
    isOn: false,
    file: "mosquitto.db",
    location: ".",
    autosaveInterval: 1800,
    autosaveOnChanges: false,
    sync: "full",
    waitsInThread: false,
  },
  rateLimits: {
    connects: undefined,
    publishes: undefined,
    loginFailures: undefined,
    loginBanSeconds: 300,
  },
  bridges: [],
};

test("defaultConfig() is what no line at all means", async () => {
  assertEquals(defaultConfig(), DEFAULT);
  assertEquals(await configOf("# nothing\n\n   \n"), { ...DEFAULT, files: ["m.conf"] });
});

test("loadConfig() gives a listener its settings, and none to the one before it", async () => {
  const { listeners, isLocalOnly, security } = await configOf(
    "listener 1883\nmount_point a/\nlistener 8883 ::1\ncertfile c\nkeyfile k\nmax_qos 1\n",
  );
  const plain: ListenerConfig = { ...LISTENER, allowAnonymous: false };
  assertEquals(isLocalOnly, false);
  assertEquals(listeners, [
    { ...plain, at: { file: "m.conf", line: 1 }, mountPoint: "a/" },
    {
      ...plain,
      at: { file: "m.conf", line: 3 },
      port: 8883,
      host: "::1",
      maxQos: 1,
      tls: {
        certFile: "c",
        keyFile: "k",
        caFile: undefined,
        caPath: undefined,
        crlFile: undefined,
        disableClientCertDateChecks: false,
        tlsVersion: "tlsv1.2",
        ciphers: undefined,
        ciphersTls13: undefined,
        pskHint: undefined,
      },
    },
  ]);
  assertStrictEquals(listeners[0]!.security, security);
  assertStrictEquals(listeners[1]!.security, security);
});

const ANONYMOUS: readonly (readonly [text: string, local: boolean, allowed: boolean])[] = [
  ["", true, true],
  ["allow_anonymous false", true, false],
  ["max_connections 5", true, true],
  ["listener 1883", false, false],
  ["port 1883", false, false],
  ["bind_address ::1", false, false],
  ["allow_anonymous true\nport 1883", false, true],
  ["listener 1883\nallow_anonymous true", false, true],
  ["allow_anonymous false\nlistener 1883\nlistener_allow_anonymous true", false, true],
];

for (const [text, isLocalOnly, allowed] of ANONYMOUS) {
  const shown = text.replaceAll("\n", "; ");
  test(`loadConfig() decides about anonymous clients and other machines by "${shown}"`, async () => {
    const config = await configOf(text);
    const listener = isLocalOnly ? config.localListener : config.listeners[0]!;
    assertEquals(
      [config.isLocalOnly, config.listeners.length, listener.allowAnonymous],
      [isLocalOnly, isLocalOnly ? 0 : 1, allowed],
    );
  });
}

test("loadConfig() makes the default listener for options that may stand without one", async () => {
  const text = "max_connections 5\nmax_qos 1\nmount_point a/\n";
  const { config, notes } = await load(text);
  const { maxConnections, maxQos, mountPoint } = config!.localListener;
  assertEquals([maxConnections, maxQos, mountPoint], [5, 1, "a/"]);
  assertEquals(notes, [
    {
      type: "information",
      text: "Creating default listener due to 'max_connections' option.",
    },
    {
      type: "information",
      text: "It is recommended to define a 'listener' before the 'max_connections' option.",
    },
  ]);
});

test("B-53 loadConfig() with per_listener_settings keeps each listener's security to itself", async () => {
  const config = await configOf(
    "per_listener_settings true\nglobal_plugin g.ts\nlistener 1883\nallow_anonymous true\n" +
      "listener 1884\npassword_file p\nplugin p.ts\nlistener 1885\n",
  );
  assertEquals(
    config.listeners.map(({ allowAnonymous, security }) => [
      allowAnonymous,
      security.passwordFile,
      security.plugins.map(({ path }) => path),
    ]),
    [
      [true, undefined, ["g.ts"]],
      [false, "p", ["g.ts", "p.ts"]],
      [false, undefined, ["g.ts"]],
    ],
  );
});

test("B-53 loadConfig() without per_listener_settings gives security options to all", async () => {
  const { listeners } = await configOf(
    "listener 1883\nlistener 1884\npassword_file p\nacl_file a\nallow_anonymous true\n",
  );
  assertEquals(
    listeners.map(({ allowAnonymous, security }) => [
      allowAnonymous,
      security.passwordFile,
      security.aclFile,
    ]),
    [[true, "p", "a"], [true, "p", "a"]],
  );
});

test("loadConfig() makes one plugin of a name that several listeners use", async () => {
  const { listeners, security } = await configOf(
    "plugin_load n p.ts\nplugin_opt_a 1\nplugin_load unused q.ts\n" +
      "listener 1883\nplugin_use n\nplugin_opt_b 2\nlistener 1884\nplugin_use n\nlistener 1885\n",
  );
  const plugin = listeners[0]!.security.plugins[0]!;
  assertEquals(plugin, {
    name: "n",
    path: "p.ts",
    options: new Map([["a", "1"], ["b", "2"]]),
    denySpecialChars: false,
    at: { file: "m.conf", line: 1 },
  });
  assertStrictEquals(listeners[1]!.security.plugins[0], plugin);
  assertStrictEquals(listeners[2]!.security, security);
  assertEquals(security.plugins, []);
});

const NOTES: readonly (readonly [text: string, notes: readonly string[]])[] = [
  ["message_size_limit 5", [
    "notice: Note: It is recommended to replace 'message_size_limit' with 'max_packet_size'.",
  ]],
  ["port 1883\nport 1884", [
    "notice: The 'port' option is now deprecated and will be removed in version 3.0. Use " +
    "'listener' instead.",
    "notice: The 'port' option is now deprecated and will be removed in version 3.0. Use " +
    "'listener' instead.",
    "warning: Warning: The 'port' option is given more than once. The last counts.",
  ]],
  ["auth_plugin p.ts\nauth_opt_k v", [
    "notice: The 'auth_plugin' option is now deprecated and will be removed in version 3.0. Use " +
    "'plugin' instead.",
    "notice: The 'auth_opt_k' option is now deprecated and will be removed in version 3.0. Use " +
    "'plugin_opt_' instead.",
  ]],
  ["plugin p.ts\nplugin_opt_k v", []],
  ["per_listener_settings true\nlistener 1\nallow_anonymous true", [
    "notice: The 'per_listener_settings' option is now deprecated and will be removed in version " +
    "3.0. Use options of listeners and 'plugin_use' instead.",
    "notice: It is recommended to replace 'allow_anonymous' with 'listener_allow_anonymous' when " +
    "per_listener_settings is true.",
  ]],
  ["dhparamfile", ["warning: Warning: dhparamfile is no longer required."]],
  ["retry_interval", ["warning: Warning: The 'retry_interval' option is no longer available."]],
  ["websockets_log_level 1", ["information: The 'websockets_log_level' option has no effect."]],
  ["log_dest android", ["warning: Warning: 'log_dest android' is not available and is ignored."]],
  ["retain_expiry_interval 10000001", [
    "warning: Warning: 'retain_expiry_interval' is greater than 10000000, using 10000000.",
  ]],
  ["listener 1883\ntls_version tlsv1.3", [
    "warning: Warning: The 'tls_version' option has no effect without certfile and keyfile.",
  ]],
  [
    "connection b\naddress h\ntopic #\ntopic # out 0\nidle_timeout 0\nkeepalive_interval 4\n" +
    "threshold 0\nrestart_timeout 0\nrestart_timeout 3601",
    [
      "information: Duplicate bridge topic '#', skipping.",
      "notice: idle_timeout interval too low, using 1 second.",
      "notice: keepalive interval too low, using 5 seconds.",
      "notice: threshold too low, using 1 message.",
      "notice: restart_timeout interval too low, using 1 second.",
      "notice: restart_timeout interval too high, using 3600 seconds.",
    ],
  ],
];

for (const [text, notes] of NOTES) {
  test(`loadConfig() tells of "${text.replaceAll("\n", "; ")}"`, async () => {
    assertEquals(await notesOf(text), notes);
  });
}
