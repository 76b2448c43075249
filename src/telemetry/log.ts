/**
 * Log lines: which types are wanted, and the shape of a line, `<seconds>: <text>`. Where lines go
 * and what time it is are the caller's; what events say is in format_event.ts.
 *
 * @module
 */

import type { BrokerEvent } from "../core/broker/event.ts";
import { formatEvent } from "./format_event.ts";
import type { LogType } from "./log_line.ts";

/** Longer lines are cut: a topic may be as long as 65,535 bytes. */
const LINE_BYTES_MAX = 999;

/** How a {@linkcode Logger} is made. */
export interface LoggerOptions {
  readonly types: readonly LogType[];
  /** Takes one line, its line feed included. */
  readonly write: (line: string) => void;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

/** Writes the lines whose type is wanted. */
export class Logger {
  readonly #types: ReadonlySet<LogType>;
  readonly #write: (line: string) => void;
  readonly #wallClock: () => number;
  readonly #bytes: Uint8Array = new Uint8Array(LINE_BYTES_MAX);

  constructor(options: LoggerOptions) {
    this.#types = new Set(options.types);
    this.#write = options.write;
    this.#wallClock = options.wallClock;
  }

  log(type: LogType, text: string): void {
    if (!this.#types.has(type)) return;
    const seconds = Math.floor(this.#wallClock() / 1000);
    this.#write(`${this.#cut(`${seconds}: ${text}`)}\n`);
  }

  logEvent(event: BrokerEvent): void {
    if (this.#types.size === 0) return;
    for (const { type, text } of formatEvent(event)) this.log(type, text);
  }

  #cut(line: string): string {
    // A character of UTF-16 is three bytes at most.
    if (line.length * 3 <= LINE_BYTES_MAX) return line;
    return line.slice(0, new TextEncoder().encodeInto(line, this.#bytes).read);
  }
}
