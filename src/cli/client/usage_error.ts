/**
 * A command line that makes no sense: what is wrong with it, in the words that the user reads.
 *
 * @module
 */

/** What the user is shown besides the message: where help is to be had, all of it, or nothing. */
export type UsageHint = "help" | "usage" | "none";

/** Thrown while a command line is read. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly hint: UsageHint;

  constructor(message: string, hint: UsageHint = "help") {
    super(message);
    this.hint = hint;
  }
}
