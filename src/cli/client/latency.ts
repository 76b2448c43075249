/**
 * How long a response took, in the words of `rr --latency`.
 *
 * @module
 */

const NS_PER_US = 1000;
const NS_PER_MS = 1_000_000;
const NS_PER_S = 1_000_000_000;
const PLACES = 6;
const NANOSECOND_DIGITS = 9;

/** Whole nanoseconds, in the largest unit of which there is one. */
export function latencyText(nanoseconds: number): string {
  if (nanoseconds < NS_PER_US) return `Latency: ${nanoseconds}ns`;
  if (nanoseconds < NS_PER_MS) return `Latency: ${(nanoseconds / NS_PER_US).toFixed(PLACES)}\xb5s`;
  if (nanoseconds < NS_PER_S) return `Latency: ${(nanoseconds / NS_PER_MS).toFixed(PLACES)}ms`;
  const fraction = String(nanoseconds % NS_PER_S).padStart(NANOSECOND_DIGITS, "0");
  return `Latency: ${Math.floor(nanoseconds / NS_PER_S)}.${fraction}`;
}
