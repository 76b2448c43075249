/**
 * Bun as a `Runtime`: a TCP listener of its own, and Node's process.
 *
 * @module
 */

import { processRuntime } from "../node/process.ts";
import type { Runtime } from "../runtime.ts";
import { bunApi } from "./bun_api.ts";
import { listenTcp } from "./listen_tcp.ts";
import { listenUnix } from "./listen_unix.ts";
import { TLS_ABILITIES } from "./tls_abilities.ts";
import { upgradeWebSocket } from "./web_socket_connection.ts";

/** The runtime contract on Bun. */
export const bunRuntime: Runtime = {
  ...processRuntime,
  name: "bun",
  version: bunApi().version,
  listenTcp,
  listenUnix,
  upgradeWebSocket,
  socketUpgrader: async (rules, accept) =>
    (await import("../node/socket_upgrader.ts")).socketUpgrader(rules, accept),
  dial: async (options, accept) =>
    await (await import("../node/dial.ts")).dial(options, accept, TLS_ABILITIES),
  files: async () => (await import("../node/files.ts")).nodeFiles,
  host: async () => (await import("./own_host.ts")).bunHost(),
  openDatabase: async (options) => (await import("../node/sqlite.ts")).openDatabase(options),
  // Idle connections are small here as it is.
  tuneProcess: () => {},
};
