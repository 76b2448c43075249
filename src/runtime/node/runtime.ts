/**
 * Node as a `Runtime`: its process and its TCP listener put together.
 *
 * @module
 */

import process from "node:process";
import type { Runtime } from "../runtime.ts";
import { listenTcp } from "./listen_tcp.ts";
import { processRuntime } from "./process.ts";

/** The runtime contract on Node. */
export const nodeRuntime: Runtime = {
  ...processRuntime,
  name: "node",
  version: process.versions.node,
  listenTcp,
};
