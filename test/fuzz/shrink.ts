/**
 * Makes an input that shows a fault as short and plain as it can be with the same fault: runs are
 * left out, the longest first, then bytes become zeros.
 *
 * @module
 */

/** Tells whether an input shows the fault. */
export type ShowsFault = (input: Uint8Array) => Promise<boolean>;

/** The smallest input that was found; `triesMax` bounds the time that it takes. */
export async function shrink(
  input: Uint8Array,
  showsFault: ShowsFault,
  triesMax = 5000,
): Promise<Uint8Array> {
  let best = input;
  let tries = 0;
  const attempt = async (candidate: Uint8Array): Promise<boolean> => {
    if (tries++ >= triesMax || !await showsFault(candidate)) return false;
    best = candidate;
    return true;
  };
  for (let size = Math.ceil(input.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length;) {
      const shorter = new Uint8Array(Math.max(0, best.length - size));
      shorter.set(best.subarray(0, Math.min(at, shorter.length)));
      shorter.set(best.subarray(at + size), Math.min(at, shorter.length));
      if (!await attempt(shorter)) at += size;
    }
  }
  for (let at = 0; at < best.length; at++) {
    if (best[at] === 0) continue;
    const plainer = best.slice();
    plainer[at] = 0;
    await attempt(plainer);
  }
  return best;
}
