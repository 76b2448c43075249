/**
 * Moving and comparing runs of bytes without making an object. The platform's own `set` needs a
 * `subarray` of the source, whose allocation costs more than a short copy itself.
 *
 * @module
 */

/** Up to this many bytes of a run a loop beats `subarray` and `set`, on some runtimes by far. */
const SHORT_RUN = 128;

/** The same for a whole array, of which `set` needs no `subarray`. */
const SHORT_WHOLE = 24;

/** Copies `source` from `start` up to `end` into `target` from `at` on; the two must differ. */
export function copyBytes(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): void {
  const count = end - start;
  if (count > SHORT_WHOLE && count === source.length) return target.set(source, at);
  if (count > SHORT_RUN) return target.set(source.subarray(start, end), at);
  let from = start;
  // Eight at a time: no compiler of the three runtimes does that by itself.
  for (; from + 8 <= end; from += 8, at += 8) {
    target[at] = source[from]!;
    target[at + 1] = source[from + 1]!;
    target[at + 2] = source[from + 2]!;
    target[at + 3] = source[from + 3]!;
    target[at + 4] = source[from + 4]!;
    target[at + 5] = source[from + 5]!;
    target[at + 6] = source[from + 6]!;
    target[at + 7] = source[from + 7]!;
  }
  while (from < end) target[at++] = source[from++]!;
}

/** Tells whether two arrays hold the same bytes; its time depends on where they differ. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}
