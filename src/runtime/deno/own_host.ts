/**
 * The host on Deno: Node's modules, except for what they lack here.
 *
 * @module
 */

import process from "node:process";
import { OperationError } from "../../core/base/operation_error.ts";
import type { Host } from "../host.ts";
import { preloadArgon2id } from "../node/argon2id.ts";
import { makeHost } from "../node/host.ts";

/** Makes the host contract on Deno. */
export async function denoHost(): Promise<Host> {
  // Whoever root becomes may not be able to read where the runtime keeps packages.
  if (process.geteuid?.() === 0) await preloadArgon2id();
  return makeHost({
    dropGroups,
    importMarked(url, mark) {
      url.searchParams.set("changed", mark);
      return import(url.href);
    },
  });
}

/** There is no call for this here, so the C library is asked, which does it for all threads. */
function dropGroups(): void {
  if (hasNoGroups()) return;
  for (const name of LIBRARIES) {
    try {
      const library = Deno.dlopen(name, {
        setgroups: { parameters: ["usize", "pointer"], result: "i32" },
      });
      library.symbols.setgroups(0n, null);
      library.close();
      break;
    } catch {
      // Not of this name, or not allowed: what counts is below.
    }
  }
  if (hasNoGroups()) return;
  throw new OperationError("not-supported", "Cannot give up the user's supplementary groups");
}

const LIBRARIES = ["libc.so.6", "libc.so", "libc.musl-x86_64.so.1", "libSystem.dylib"];

function hasNoGroups(): boolean {
  return process.getgroups?.().length === 0;
}
