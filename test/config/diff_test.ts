// What a reload changes: by the column of the tables, for each option that has a field; and that a
// reload which cannot be put in force changes nothing.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { reloadConfig } from "../../src/config/diff.ts";
import { OPTIONS } from "../../src/config/options/all.ts";
import { test } from "../harness.ts";
import { configOf, pick } from "./support.ts";

const TLS = "listener 8883\ncertfile c.pem\nkeyfile k.pem\ncafile ca.pem\n";
const NO_OTHER_LISTENERS =
  "Error: It is not currently possible to add/remove listeners when reloading the config file.";
const NO_OTHER_TLS =
  "Error: It is not currently possible to turn TLS on or off when reloading the config file.";

/** A value other than the default, where a plain one would not do. */
const OTHER_VALUES: Readonly<Record<string, string>> = {
  accept_protocol_versions: "5",
  log_dest: "stdout",
  log_format: "json",
  log_type: "debug",
  persistence_sync: "normal",
  persistent_client_expiration: "1d",
  protocol: "websockets",
  proxy_protocol_v2_require_tls: "false",
  socket_domain: "ipv6",
  tls_version: "tlsv1.3",
  connect_rate_limit: "1 1",
  login_failure_limit: "1 1",
  publish_rate_limit: "1 1",
  max_packet_size: "100",
  message_size_limit: "100",
  plugin: "p.ts",
  use_subject_as_username: "true",
  enable_proxy_protocol: "1",
};

for (const option of OPTIONS) {
  const { name, field, fallback, reload } = option;
  if (field === undefined || name === "psk_hint") continue;
  const path = field.startsWith("listener.")
    ? `listeners/0/${field.slice(9)}`
    : field.startsWith("tls.")
    ? `listeners/0/${field.replace(".", "/")}`
    : field.replace(".", "/");
  const value = OTHER_VALUES[name] ??
    (typeof fallback === "boolean" ? String(!fallback) : name === "allow_anonymous" ? "true" : "1");
  test(`reloadConfig() ${reload === "N" ? "keeps" : "changes"} ${name}`, async () => {
    const base = name === "enable_proxy_protocol" ? "listener 1\n" : TLS;
    const old = await configOf(base);
    const fresh = await configOf(`${base}${name} ${value}`);
    const { config, errors, notes } = reloadConfig(old, fresh);
    assertEquals(errors, []);
    const note = {
      type: "warning",
      text: `Warning: The '${name}' option cannot be changed when reloading the config file. ` +
        "Restart to use its new value.",
    };
    const isKept = reload === "N";
    assertEquals(notes.map(({ type, text }) => ({ type, text })), isKept ? [note] : []);
    assertEquals(pick(config!, path), pick(isKept ? old : fresh, path));
  });
}

test("reloadConfig() changes nothing and says nothing when nothing has changed", async () => {
  const text = `${TLS}plugin_load n p.ts\nplugin_opt_k v\nplugin_use n\nuser a\n` +
    "listener 1884\nlistener 0 /s\nconnection b\naddress h\ntopic #\n";
  const old = await configOf(text);
  const { config, errors, notes } = reloadConfig(old, await configOf(text));
  assertEquals([errors, notes], [[], []]);
  assertEquals(config, old);
  assertStrictEquals(config!.listeners[1]!.security, config!.security);
  assertStrictEquals(
    config!.listeners[0]!.security.plugins[0],
    old.listeners[0]!.security.plugins[0],
  );
});

test("reloadConfig() takes the listeners in their new order", async () => {
  const old = await configOf("listener 1\nlistener 2 ::1\nlistener 0 /s");
  const fresh = await configOf("listener 0 /s\nmax_qos 1\nlistener 2 ::1\nlistener 1\nmax_qos 0");
  const { config } = reloadConfig(old, fresh);
  assertEquals(config!.listeners.map(({ port, path, maxQos }) => [port, path, maxQos]), [
    [0, "/s", 1],
    [2, undefined, 2],
    [1, undefined, 0],
  ]);
});

test("reloadConfig() keeps what a plugin was told, and tells that it does", async () => {
  const old = await configOf("plugin p.ts\nplugin_opt_k 1");
  for (
    const text of [
      "plugin p.ts\nplugin_opt_k 2",
      "plugin q.ts\nplugin_opt_k 1",
      "plugin p.ts\nplugin_opt_k 1\nauth_plugin_deny_special_chars true",
      "",
    ]
  ) {
    const { config, notes } = reloadConfig(old, await configOf(text));
    assertStrictEquals(config!.security.plugins, old.security.plugins);
    assertEquals(notes.map(({ text }) => text), [
      "Warning: The 'plugin' option cannot be changed when reloading the config file. Restart to " +
      "use its new value.",
    ]);
  }
});

test("reloadConfig() shares the global settings, and keeps a listener's own", async () => {
  const old = await configOf("listener 1\nlistener 2");
  const { config } = reloadConfig(old, await configOf("listener 1\nlistener 2\npassword_file p"));
  assertEquals(config!.security.passwordFile, "p");
  assertStrictEquals(config!.listeners[0]!.security, config!.security);
  assertStrictEquals(config!.listeners[1]!.security, config!.security);
});

const REFUSED: readonly (readonly [old: string, fresh: string, lines: readonly string[]])[] = [
  ["listener 1", "listener 1\nlistener 2", [NO_OTHER_LISTENERS, "Error found at m.conf:2."]],
  ["listener 1\nlistener 2", "listener 1", [NO_OTHER_LISTENERS]],
  ["listener 1", "listener 1 ::1", [NO_OTHER_LISTENERS, "Error found at m.conf:1."]],
  ["listener 0 /a", "listener 0 /b", [NO_OTHER_LISTENERS, "Error found at m.conf:1."]],
  ["listener 1", "", [NO_OTHER_LISTENERS]],
  ["", "listener 1883", [NO_OTHER_LISTENERS, "Error found at m.conf:1."]],
  ["listener 8883", TLS, [NO_OTHER_TLS, "Error found at m.conf:1."]],
  [TLS, "listener 8883", [NO_OTHER_TLS, "Error found at m.conf:1."]],
  ["max_qos 1", "max_qos 1\ncertfile c\nkeyfile k", [NO_OTHER_TLS, "Error found at m.conf:1."]],
];

for (const [old, fresh, lines] of REFUSED) {
  const shown = [old, fresh].map((text) => `"${text.trim().replaceAll("\n", "; ")}"`);
  test(`B-52 reloadConfig() refuses to go from ${shown.join(" to ")}`, async () => {
    const { config, errors, notes } = reloadConfig(
      await configOf(old),
      await configOf(`${fresh}\nuser other`),
    );
    assertEquals([config, errors.flatMap((error) => error.lines), notes], [undefined, lines, []]);
  });
}
