/**
 * How one end of a port learns that the page or worker of the other is gone, which few platforms
 * say of ports: each end holds a Web Lock of its own for as long as it lives, and waits for the
 * lock of the other. Where there are no locks, or the ends share none because their origins differ,
 * a keep alive has to tell.
 *
 * @module
 */

const PREFIX = "midge-port-";

/** The part of the Web Locks that is used here; not every platform declares them. */
interface Locks {
  request<T>(
    name: string,
    options: {
      readonly mode?: "shared";
      readonly ifAvailable?: boolean;
      readonly signal?: AbortSignal;
    },
    hold: (lock: object | null) => T,
  ): Promise<Awaited<T>>;
}

/** Holds a lock until the signal is aborted, and says by which name the other end finds it. */
export function holdLifeLock(signal: AbortSignal, onHeld: (name: string) => void): void {
  const locks = lockManager();
  if (locks === undefined) return;
  const name = crypto.randomUUID();
  const hold = (): Promise<void> =>
    new Promise((release) => {
      if (signal.aborted) return release();
      signal.addEventListener("abort", () => release());
      onHeld(name);
    });
  // Refused where a page may not store anything: then there is no lock to be found.
  locks.request(PREFIX + name, {}, hold).catch(() => {});
}

/** Tells when the holder of a lock is gone, unless the signal is aborted first. */
export async function watchLifeLock(
  name: string,
  signal: AbortSignal,
  onGone: () => void,
): Promise<void> {
  const locks = lockManager();
  if (locks === undefined) return;
  try {
    // What another origin holds is not held here, and would be had at once.
    const isFree = (lock: object | null): boolean => lock !== null;
    if (await locks.request(PREFIX + name, { mode: "shared", ifAvailable: true }, isFree)) return;
    await locks.request(PREFIX + name, { mode: "shared", signal }, () => {
      if (!signal.aborted) onGone();
    });
  } catch (error) {
    // The signal, or a platform that refuses after all: the keep alive remains.
    if (!(error instanceof DOMException)) throw error;
  }
}

/** There is none outside of a secure context, nor on every platform. */
function lockManager(): Locks | undefined {
  const { navigator } = globalThis as { navigator?: { locks?: Locks } };
  return navigator?.locks;
}
