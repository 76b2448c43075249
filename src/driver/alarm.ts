/**
 * One timer for all deadlines of a broker. It is set anew only when something is due earlier than
 * it would ring; ringing too early costs nothing but a look.
 *
 * @module
 */

/** The longest delay that every runtime's timers take. */
const DELAY_MAX_MS = 2 ** 31 - 1;

export class Alarm {
  readonly #now: () => number;
  readonly #ring: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at = Infinity;

  /** @param ring what to do when the time has come, or a little earlier. */
  constructor(now: () => number, ring: () => void) {
    this.#now = now;
    this.#ring = ring;
  }

  /** Rings at this instant or before; with `Infinity` nothing keeps the process from ending. */
  set(at: number): void {
    if (at === Infinity) this.cancel();
    if (at >= this.#at) return;
    this.cancel();
    this.#at = at;
    const delay = Math.min(DELAY_MAX_MS, Math.max(0, Math.ceil(at - this.#now())));
    this.#timer = setTimeout(() => {
      this.#at = Infinity;
      this.#timer = undefined;
      this.#ring();
    }, delay);
  }

  /** Does not ring any more. */
  cancel(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#at = Infinity;
  }
}
