/**
 * The host on Bun: Node's, except for how a module is loaded anew.
 *
 * @module
 */

import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Host } from "../host.ts";
import { makeHost } from "../node/host.ts";

/** Makes the host contract on Bun. */
export function bunHost(): Host {
  return makeHost({
    dropGroups: () => process.setgroups?.([]),
    // A query of a URL is overlooked here, one of a path is not.
    importMarked: (url, mark) => import(`${fileURLToPath(url)}?changed=${mark}`),
  });
}
