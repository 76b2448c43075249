/**
 * Turns what a runtime throws when it cannot listen into an `OperationError`. The runtimes agree
 * on the system's error codes (`EADDRINUSE` …) but on nothing else, so only codes are looked at.
 *
 * @module
 */

import { OperationError, type OperationErrorCode } from "../core/base/operation_error.ts";

/** The error for a listener on `hostname` and `port` that failed with `cause`. */
export function listenError(hostname: string, port: number, cause: unknown): OperationError {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return errorAt(`${host}:${port}`, cause);
}

/** The error for a listener on a Unix socket that failed with `cause`. */
export function unixListenError(path: string, cause: unknown): OperationError {
  return errorAt(path, cause);
}

function errorAt(place: string, cause: unknown): OperationError {
  if (cause instanceof OperationError) return cause;
  const [code, words] = classify(systemCode(cause));
  return new OperationError(code, `Cannot listen on ${place}: ${words}`, { cause });
}

function systemCode(cause: unknown): unknown {
  return typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
}

function classify(code: unknown): readonly [OperationErrorCode, string] {
  switch (code) {
    case "EADDRINUSE":
      return ["address-in-use", "the address is already in use"];
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return ["address-not-available", "the address is not available on this machine"];
    case "EACCES":
    case "EPERM":
      return ["permission-denied", "permission is denied"];
    default:
      return ["listen-failed", "the system refuses"];
  }
}

/** The error for something that a runtime cannot do. */
export function notSupported(what: string): OperationError {
  return new OperationError("not-supported", `${what} are not supported on this runtime`);
}
