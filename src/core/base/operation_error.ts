/**
 * The error for surroundings that failed: network, disk, a hook. It is recognised by `code`, never
 * by its message.
 *
 * @module
 */

/** Every code that an {@linkcode OperationError} can carry. */
export type OperationErrorCode =
  | "address-in-use"
  | "address-not-available"
  | "permission-denied"
  | "listen-failed"
  | "no-listener"
  | "no-answer"
  | "lookup-failed"
  | "connect-failed"
  | "proxy-failed"
  | "timed-out"
  | "not-supported"
  | "tls-failed"
  | "not-found"
  | "too-many-files"
  | "file-failed"
  | "disk-full"
  | "database-locked"
  | "database-corrupt"
  | "database-failed"
  | "plugin-failed"
  | "closed";

/** Thrown when the surroundings failed. */
export class OperationError extends Error {
  override readonly name = "OperationError";
  readonly code: OperationErrorCode;
  /** What the system or the other side said of it, in its own words, where it said something. */
  readonly reason: string | undefined;

  constructor(
    code: OperationErrorCode,
    message: string,
    options: ErrorOptions & { readonly reason?: string } = {},
  ) {
    super(message, options);
    this.code = code;
    this.reason = options.reason;
  }
}
