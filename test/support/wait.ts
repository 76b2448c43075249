// Waiting in tests: for a condition, with a limit; and for nothing to happen.

/** Resolves when the condition holds; rejects after fifteen seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}`);
    await sleep(2);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Long enough for what is on its way to arrive. */
export function settle(): Promise<void> {
  return sleep(60);
}
