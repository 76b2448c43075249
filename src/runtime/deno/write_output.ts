/**
 * Standard output for programs that write much of it: while the system does not take any more, the
 * program goes on. Node's module would hold it up here.
 *
 * @module
 */

import { OperationError } from "../../core/base/operation_error.ts";

const FULL_PIPE_WAIT_MS = 1;

/** Writes bytes to standard output; see `Runtime.writeOutput`. */
export async function writeOutput(bytes: Uint8Array): Promise<boolean> {
  for (let written = 0; written < bytes.length;) {
    try {
      written += await Deno.stdout.write(bytes.subarray(written));
    } catch (cause) {
      if (cause instanceof Deno.errors.BrokenPipe) return false;
      if (!(cause instanceof Deno.errors.WouldBlock)) throw outputError(cause);
      // A pipe that somebody made non-blocking is full.
      await new Promise((resolve) => setTimeout(resolve, FULL_PIPE_WAIT_MS));
    }
  }
  return true;
}

function outputError(cause: unknown): OperationError {
  // What is thrown is an error of the system, which carries its code.
  const { code, message } = cause as { readonly code?: unknown; readonly message?: string };
  const isFull = code === "ENOSPC";
  const reason = isFull ? "the disk is full" : message;
  return new OperationError(
    isFull ? "disk-full" : "file-failed",
    `Cannot write to standard output: ${reason}`,
    { cause },
  );
}
