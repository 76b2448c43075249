/**
 * Writes text to a standard stream in one go, for programs that exit right after it, whether the
 * stream is full at times or gone altogether.
 *
 * @module
 */

const FULL_PIPE_WAIT_MS = 1;

/** Writes all of the text; `write` says how many bytes it took. */
export function printWhole(write: (bytes: Uint8Array) => number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) {
    try {
      written += write(bytes.subarray(written));
    } catch (error) {
      // What is thrown is an error of the system, which carries its code.
      const { code } = error as { readonly code?: unknown };
      // Whoever read the stream has gone: nobody is left to be told, and the broker lives on.
      if (code === "EPIPE") return;
      // A pipe that somebody made non-blocking is full.
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_WAIT_MS);
    }
  }
}
