/**
 * Moving and comparing runs of bytes without making an object. The platform's own `set` needs a
 * `subarray` of the source, whose allocation costs more than a short copy itself.
 *
 * @module
 */

/** Up to this many bytes a loop beats `subarray` and `set`. */
const SHORT = 24;

/** Copies `source` from `start` up to `end` into `target` from `at` on; the two must differ. */
export function copyBytes(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): void {
  if (end - start > SHORT) {
    target.set(source.subarray(start, end), at);
    return;
  }
  for (let from = start; from < end; from++) target[at++] = source[from]!;
}

/** Tells whether two arrays hold the same bytes; its time depends on where they differ. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}
