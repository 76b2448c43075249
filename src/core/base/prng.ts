/**
 * A small pseudo-random generator (sfc32): the same seed gives the same numbers on every runtime,
 * which is what tests and the simulator replay from. Not for secrets.
 *
 * @module
 */

/** A source of unsigned 32-bit integers. */
export type Random = () => number;

/** Makes a generator from a seed. */
export function prng(seed: number): Random {
  let a = 0x9e3779b9;
  let b = seed >>> 0;
  let c = ~seed >>> 0;
  let counter = 1;
  const next: Random = () => {
    const sum = (((a + b) >>> 0) + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0;
    return sum;
  };
  // The first outputs still resemble the seed.
  for (let i = 0; i < 12; i++) next();
  return next;
}
