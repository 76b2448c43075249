// What the commands of the module "broker" take and print.

import { assertEquals } from "@std/assert";
import { BROKER_MODULE } from "../../../src/cli/ctrl/broker_module.ts";
import { formatModuleHelp } from "../../../src/cli/ctrl/module.ts";
import { test } from "../../harness.ts";

const [listListeners, listPlugins] = BROKER_MODULE.commands;

test("listListeners shows each listener, in columns", () => {
  const data = {
    listeners: [
      { port: 1883, protocol: "mqtt", tls: false },
      { port: 9001, protocol: "mqtt+websockets", "bind-address": "::1", tls: true },
      { port: 0, protocol: "mqtt", "socket-path": "/run/\x1b[2J", tls: false },
      { port: 9883, tls: false },
    ],
  };
  assertEquals(
    listListeners!.format(data),
    `Listener 1:
  Port:              1883
  Protocol:          mqtt
  TLS:               false

Listener 2:
  Port:              9001
  Protocol:          mqtt+websockets
  Bind address:      ::1
  TLS:               true

Listener 3:
  Port:              0
  Protocol:          mqtt
  Socket path:       /run/?[2J
  TLS:               false

Listener 4:
  Port:              9883
  TLS:               false

`,
  );
  assertEquals(listListeners!.format({ listeners: [] }), "");
});

test("listPlugins shows each plugin, in columns", () => {
  const data = {
    plugins: [
      { name: "rules", version: "1.2", "control-endpoints": ["$CONTROL/a/v1", "$CONTROL/b/v1"] },
      { name: "other", "control-endpoints": [] },
    ],
  };
  assertEquals(
    listPlugins!.format(data),
    `Plugin:            rules
Version:           1.2
Control endpoints: $CONTROL/a/v1
                   $CONTROL/b/v1
Plugin:            other
`,
  );
});

test("Commands of the module broker print nothing of what has another shape, and take no words", () => {
  for (const command of BROKER_MODULE.commands) {
    for (const list of [undefined, null, {}, "x", [1], [null], [[]]]) {
      assertEquals(command.format({ listeners: list, plugins: list }), undefined);
    }
    assertEquals([command.fieldsOf([]), command.fieldsOf(["x"])], [{}, undefined]);
  }
});

test("formatModuleHelp() lists the module's commands", () => {
  assertEquals(formatModuleHelp("tool", BROKER_MODULE).split("\n"), [
    "tool broker: shows how a broker is set up. Its configuration needs enable_control_api true.",
    "",
    "  listListeners  Show what the broker listens on.",
    "  listPlugins    Show the broker's plugins, and at which topics they take commands.",
    "",
  ]);
});
