/**
 * Standard input in pieces as large as the reader's buffer, straight from the system: a stream of
 * the runtime would make a buffer and an event for each piece.
 *
 * @module
 */

import { read } from "node:fs";
import { OperationError } from "../../core/base/operation_error.ts";

const STANDARD_INPUT = 0;
/** How long to wait for a pipe that somebody made non-blocking. */
const EMPTY_WAIT_MS = 5;

/** See `Runtime.readInput`. */
export async function readInput(buffer: Uint8Array): Promise<number | undefined> {
  for (;;) {
    const count = await readOnce(buffer);
    if (count !== undefined) return count === 0 ? undefined : count;
    await new Promise((resolve) => setTimeout(resolve, EMPTY_WAIT_MS));
  }
}

/** How many bytes were read; `undefined` when there are none at the moment. */
function readOnce(buffer: Uint8Array): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    read(STANDARD_INPUT, buffer, 0, buffer.length, null, (cause, count) => {
      if (cause === null) return resolve(count);
      if (cause.code === "EAGAIN") return resolve(undefined);
      reject(new OperationError("file-failed", "Cannot read standard input", { cause }));
    });
  });
}
