// Waiting for promises that are settled already, and for what hangs on them.

/** Lets everything happen that needs neither time nor the outside. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise<void>((resolve) => queueMicrotask(resolve));
}
