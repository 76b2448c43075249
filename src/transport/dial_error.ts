/**
 * Turns what a runtime throws when it cannot connect into an `OperationError`. The runtimes agree
 * on the system's error codes and word the rest as they like, so the words are put back here: those
 * that a C program would print for the same code.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";

/** How far a connection had come when it failed. */
export type DialStage = "connecting" | "securing";

/** The error for a connection to `place` that failed with `cause`. */
export function dialError(place: string, stage: DialStage, cause: unknown): OperationError {
  if (cause instanceof OperationError) return cause;
  const first = firstOf(cause);
  const code = codeOf(first);
  const reason = SYSTEM_WORDS[code] ?? messageOf(first);
  const options = { cause, reason };
  if (stage === "securing") {
    return new OperationError("tls-failed", `TLS with "${place}" failed: ${reason}`, options);
  }
  if (LOOKUP_CODES.includes(code)) {
    return new OperationError("lookup-failed", `Cannot look up "${place}": ${reason}`, options);
  }
  return new OperationError("connect-failed", `Cannot connect to "${place}": ${reason}`, options);
}

/** Several addresses may have been tried, and each has failed in its own way. */
function firstOf(cause: unknown): unknown {
  return cause instanceof AggregateError && cause.errors.length > 0
    ? firstOf(cause.errors[0])
    : cause;
}

function codeOf(cause: unknown): string {
  return typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
}

/** What is said, without advice to the runtime's own users. */
function messageOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.split(";", 1)[0]!.trim();
}

const LOOKUP_CODES: readonly string[] = ["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "EAI_NODATA"];

const SYSTEM_WORDS: Readonly<Record<string, string>> = Object.freeze({
  ENOTFOUND: "Name or service not known",
  EAI_AGAIN: "Temporary failure in name resolution",
  EAI_FAIL: "Non-recoverable failure in name resolution",
  EAI_NODATA: "No address associated with hostname",
  EACCES: "Permission denied",
  EADDRINUSE: "Address already in use",
  EADDRNOTAVAIL: "Cannot assign requested address",
  EAFNOSUPPORT: "Address family not supported by protocol",
  ECONNABORTED: "Software caused connection abort",
  ECONNREFUSED: "Connection refused",
  ECONNRESET: "Connection reset by peer",
  EHOSTUNREACH: "No route to host",
  EINVAL: "Invalid argument",
  EMFILE: "Too many open files",
  ENAMETOOLONG: "File name too long",
  ENETDOWN: "Network is down",
  ENETUNREACH: "Network is unreachable",
  ENOENT: "No such file or directory",
  ENOTDIR: "Not a directory",
  ENOTSOCK: "Socket operation on non-socket",
  EPERM: "Operation not permitted",
  EPIPE: "Broken pipe",
  ETIMEDOUT: "Connection timed out",
});
