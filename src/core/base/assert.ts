/**
 * Assertions about ourselves. They never check a stranger's bytes or an operator's words: if input
 * can make one fail, it was the wrong tool (see the errors of `codec/error.ts` for those).
 *
 * @module
 */

/** Thrown when Midge itself is wrong. Nobody catches it by kind. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Throws an {@linkcode AssertionError} unless the condition holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Ends an exhaustive `switch`: the compiler proves that it cannot be reached. */
export function unreachable(value: never): never {
  throw new AssertionError(`Reached a place that cannot be reached: "${String(value)}"`);
}
