/**
 * The host on Node.
 *
 * @module
 */

import process from "node:process";
import type { Host } from "../host.ts";
import { makeHost } from "./host.ts";

/** Makes the host contract on Node. */
export function nodeHost(): Host {
  return makeHost({
    dropGroups: () => process.setgroups?.([]),
    importMarked(url, mark) {
      url.searchParams.set("changed", mark);
      return import(url.href);
    },
  });
}
