/**
 * Against DNS rebinding: a page of somebody else's, opened in a browser inside the network, may
 * have its own name point to our address and then read our answers as if they were its own. All
 * that gives it away is the name in the Host header.
 *
 * An address is no such name, nor is `localhost`; other names have to be known. Which are known is
 * the assembly's decision: none where the listener is on the loopback alone, so that a page cannot
 * reach what no other machine can; any where an operator opened it to others without naming hosts.
 *
 * @module
 */

import type { HttpRequest } from "../transport/http.ts";

/** Whether a request was meant for us. Without `hosts` any name will do. */
export function isHostAllowed(
  request: HttpRequest,
  hosts: readonly string[] | undefined,
): boolean {
  if (hosts === undefined) return true;
  const header = request.headers.get("host");
  // Only a client that is no browser can do without.
  if (header === undefined) return true;
  const name = /^(\[[\da-f:.]+\]|[a-z\d._-]+?)\.?(?::\d{1,5})?$/.exec(header.toLowerCase())?.[1];
  if (name === undefined) return false;
  if (name.startsWith("[") || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(name)) return true;
  return name === "localhost" || name.endsWith(".localhost") || hosts.includes(name);
}
