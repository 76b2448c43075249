/**
 * Argon2id: the runtime's own where it has one, which works beside the event loop, otherwise in
 * small steps between which other work is done.
 *
 * The idea: the parameters come out of a file, and a hash may ask for more memory than there is. So
 * they are limited, and one is made after the other.
 *
 * @module
 */

import * as nodeCrypto from "node:crypto";
import { OperationError } from "../../core/base/operation_error.ts";
import type { Argon2Options, Host } from "../host.ts";

const MEMORY_KIB_MAX = 1024 * 1024;
const PASSES_MAX = 10;
const LANES_MAX = 64;
const LENGTH_MAX = 1024;
/** How long one step may hold up the event loop. */
const STEP_MS = 4;

/** Makes the function of the contract; those that it is asked for wait for each other. */
export function makeArgon2id(): Host["argon2id"] {
  let last: Promise<unknown> = Promise.resolve();
  return (password, options) => {
    const next = last.then(() => argon2id(password, options));
    last = next.catch(() => {});
    return next;
  };
}

/** Loads at once what would otherwise be loaded with the first hash. */
export async function preloadArgon2id(): Promise<void> {
  if (nativeArgon2() !== undefined) return;
  try {
    await import("@noble/hashes/argon2");
  } catch {
    // Nothing is lost yet: who needs it will be told why it is not there.
  }
}

async function argon2id(password: Uint8Array, options: Argon2Options): Promise<Uint8Array> {
  const { salt, passes, memoryKib, lanes, length } = options;
  const isTooMuch = memoryKib > MEMORY_KIB_MAX || passes > PASSES_MAX || lanes > LANES_MAX ||
    length > LENGTH_MAX;
  if (isTooMuch) {
    throw new OperationError("not-supported", "The hash asks for more than a broker can spend");
  }
  const own = nativeArgon2();
  if (own !== undefined) {
    return await new Promise((resolve, reject) => {
      own("argon2id", {
        message: password,
        nonce: salt,
        parallelism: lanes,
        tagLength: length,
        memory: memoryKib,
        passes,
      }, (error, result) => {
        if (error) reject(error);
        else resolve(new Uint8Array(result));
      });
    });
  }
  const { argon2idAsync } = await import("@noble/hashes/argon2");
  return await argon2idAsync(password, salt, {
    t: passes,
    m: memoryKib,
    p: lanes,
    dkLen: length,
    asyncTick: STEP_MS,
  });
}

/** The function of Node's `crypto` module, which Deno and older versions of Node lack. */
type NativeArgon2 = (
  algorithm: "argon2id",
  parameters: {
    readonly message: Uint8Array;
    readonly nonce: Uint8Array;
    readonly parallelism: number;
    readonly tagLength: number;
    readonly memory: number;
    readonly passes: number;
  },
  callback: (error: Error | null | undefined, result: Uint8Array) => void,
) => void;

function nativeArgon2(): NativeArgon2 | undefined {
  // The types of the module say nothing of a function that not every runtime has.
  return (nodeCrypto as unknown as { readonly argon2?: NativeArgon2 }).argon2;
}
