/**
 * Node as a `Runtime`: its process and its TCP listener put together.
 *
 * @module
 */

import process from "node:process";
import { setFlagsFromString } from "node:v8";
import type { Runtime } from "../runtime.ts";
import { listenTcp, listenUnix } from "./listen_tcp.ts";
import { processRuntime } from "./process.ts";

/** The runtime contract on Node. */
export const nodeRuntime: Runtime = {
  ...processRuntime,
  name: "node",
  version: process.versions.node,
  listenTcp: (options, accept) => listenTcp(options, accept),
  listenUnix: (options, accept) => listenUnix(options, accept),
  socketUpgrader: async (rules, accept) =>
    (await import("./socket_upgrader.ts")).socketUpgrader(rules, accept),
  dial: async (options, accept) => await (await import("./dial.ts")).dial(options, accept),
  files: async () => (await import("./files.ts")).nodeFiles,
  host: async () => (await import("./own_host.ts")).nodeHost(),
  openDatabase: async (options) => (await import("./sqlite.ts")).openDatabase(options),
  // The young generation would grow with the first storm of connections and stay: a third of what
  // ten thousand idle connections take. The hot path makes hardly any garbage that could fill it.
  tuneProcess: () => setFlagsFromString("--semi-space-growth-factor=1"),
};
