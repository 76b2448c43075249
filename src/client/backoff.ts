/**
 * How long to wait before the next attempt to connect: exponentially longer up to a limit, and each
 * time shorter by a random part, so that the clients of a broker that restarts do not all come back
 * at the same instant.
 *
 * @module
 */

/** The waiting times of reconnection. */
export interface Backoff {
  /** Milliseconds before the first attempt; 250 unless given. */
  readonly initialMs?: number;
  /** Milliseconds that no wait exceeds; 30,000 unless given. */
  readonly maximumMs?: number;
  /** What each wait is longer by than the one before; 2 unless given. */
  readonly factor?: number;
  /** The part of a wait that chance may take away, 0 to 1; 0.5 unless given. */
  readonly jitter?: number;
}

/** The wait before attempt `attempt`, counted from 0; `chance` is at least 0 and below 1. */
export function backoffMs(attempt: number, backoff: Backoff, chance: number): number {
  const { initialMs = 250, maximumMs = 30_000, factor = 2, jitter = 0.5 } = backoff;
  const wait = Math.min(maximumMs, initialMs * factor ** attempt);
  return wait * (1 - jitter * chance);
}

/** Waits; at once over when the signal is or becomes aborted, and leaves no timer. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
