/**
 * Watches `memory_limit`: once a second, and only when there is one. Beyond it the broker refuses
 * what would need more memory, until there is some room again.
 *
 * @module
 */

import type { Host } from "../runtime/host.ts";
import type { LogType } from "../telemetry/log_line.ts";

const INTERVAL_MS = 1000;

/** The part of the limit below which there is room again. */
const ROOM = 0.95;

export interface MemoryGuardOptions {
  readonly host: Pick<Host, "memory">;
  readonly log: (type: LogType, text: string) => void;
  /** Told when memory begins or ceases to be short. */
  readonly onChange: (isShort: boolean) => void;
}

export class MemoryGuard {
  readonly #options: MemoryGuardOptions;
  #limit = Infinity;
  #isShort = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: MemoryGuardOptions) {
    this.#options = options;
  }

  /** Watches this limit from now on; `Infinity` is none. */
  configure(limitBytes: number): void {
    this.stop();
    this.#limit = limitBytes;
    if (limitBytes !== Infinity) this.#timer = setInterval(() => this.#look(), INTERVAL_MS);
    this.#look();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const { host, log, onChange } = this.#options;
    const limit = this.#limit;
    const bytes = limit === Infinity ? 0 : host.memory().heapBytes;
    if (this.#isShort ? bytes >= limit * ROOM : bytes <= limit) return;
    this.#isShort = !this.#isShort;
    const used = `${bytes} bytes are in use, ${limit} are allowed`;
    if (this.#isShort) {
      log("warning", `Warning: Out of memory: new clients and messages are refused. ${used}.`);
    } else {
      log("notice", "There is memory again: new clients and messages are accepted.");
    }
    onChange(this.#isShort);
  }
}
