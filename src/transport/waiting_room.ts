/**
 * Connections that have not yet said what they have to say first: a PROXY header, the head of a
 * request. The broker does not know them, so its limits do not hold them; this one does.
 *
 * When the room is full the one that has waited longest goes. Refusing newcomers instead would let
 * a few silent connections keep everybody else out.
 *
 * @module
 */

import type { Transport } from "./transport.ts";

/** How many wait at one listener unless told otherwise. */
export const WAITING_MAX = 1024;

export class WaitingRoom {
  readonly #max: number;
  /** In the order of their coming. */
  readonly #waiting: Set<Transport> = new Set();

  constructor(max: number = WAITING_MAX) {
    this.#max = max;
  }

  get size(): number {
    return this.#waiting.size;
  }

  enter(transport: Transport): void {
    for (const oldest of this.#waiting) {
      if (this.#waiting.size < this.#max) break;
      this.#waiting.delete(oldest);
      oldest.abort();
    }
    this.#waiting.add(transport);
  }

  /** Without effect for one that is not there. */
  leave(transport: Transport): void {
    this.#waiting.delete(transport);
  }
}
