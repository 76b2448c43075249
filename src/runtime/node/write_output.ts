/**
 * Standard output for programs that write much of it: while the system does not take any more, the
 * program goes on. Printing a few words at once is `print` in process.ts.
 *
 * @module
 */

import process from "node:process";
import { OperationError } from "../../core/base/operation_error.ts";

/** Writes bytes to standard output; see `Runtime.writeOutput`. */
export function writeOutput(bytes: Uint8Array): Promise<boolean> {
  const { stdout } = process;
  // The stream tells everybody what it tells the writer, and ends the program if nobody listens.
  if (stdout.listenerCount("error") === 0) stdout.on("error", () => {});
  return new Promise((resolve, reject) => {
    stdout.write(bytes, (cause) => {
      if (cause === null || cause === undefined) return resolve(true);
      const { code } = cause as { readonly code?: unknown }; // an error of the system has one
      if (code === "EPIPE") return resolve(false);
      const reason = code === "ENOSPC" ? "the disk is full" : cause.message;
      const message = `Cannot write to standard output: ${reason}`;
      reject(
        new OperationError(code === "ENOSPC" ? "disk-full" : "file-failed", message, {
          cause,
        }),
      );
    });
  });
}
