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
  | "connect-failed"
  | "timed-out"
  | "not-supported"
  | "tls-failed"
  | "not-found"
  | "too-many-files"
  | "file-failed"
  | "plugin-failed"
  | "closed";

/** Thrown when the surroundings failed. */
export class OperationError extends Error {
  override readonly name = "OperationError";
  readonly code: OperationErrorCode;

  constructor(code: OperationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
