// What the broker tells of itself at its control endpoint.

import { assertEquals } from "@std/assert";
import { brokerCommands } from "../../src/app/broker_commands.ts";
import { defaultConfig } from "../../src/config/build.ts";
import type { ListenerConfig, ListenerTlsConfig } from "../../src/config/config.ts";
import { test } from "../harness.ts";

const plain: ListenerConfig = { ...defaultConfig().localListener, port: 1883, host: undefined };
// Only whether there is TLS is shown.
const tls = {} as ListenerTlsConfig;

const run = brokerCommands({
  listeners: [
    plain,
    { ...plain, port: 9001, host: "::1", protocol: "websockets", tls },
    { ...plain, port: 0, path: "/run/midge" },
    { ...plain, port: 9883, protocol: "http_api" },
  ],
  plugins: [{ name: "rules", version: "1.2" }, { name: "other", version: undefined }],
});

test("brokerCommands() lists listeners", () => {
  assertEquals(run("LISTlisteners"), {
    name: "listListeners",
    data: {
      listeners: [
        { port: 1883, protocol: "mqtt", tls: false },
        { port: 9001, protocol: "mqtt+websockets", "bind-address": "::1", tls: true },
        { port: 0, protocol: "mqtt", "socket-path": "/run/midge", tls: false },
        { port: 9883, tls: false },
      ],
    },
  });
});

test("brokerCommands() lists plugins, and knows nothing else", () => {
  assertEquals(run("listPlugins"), {
    name: "listPlugins",
    data: {
      plugins: [
        { name: "rules", version: "1.2", "control-endpoints": [] },
        { name: "other", "control-endpoints": [] },
      ],
    },
  });
  assertEquals(run("stop"), undefined);
});
