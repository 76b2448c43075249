/**
 * The one alarm of an object, for all deadlines of its broker. The host keeps it, and wakes the
 * object for it; a timer would keep the object in memory instead. Setting it is a write to the
 * storage, so it is set only when something is due earlier than it would ring.
 *
 * @module
 */

import type { DriverAlarm } from "../../driver/driver.ts";
import type { ObjectStorage } from "./workers_api.ts";

export class ObjectAlarm implements DriverAlarm {
  readonly #storage: Pick<ObjectStorage, "getAlarm" | "setAlarm">;
  readonly #ring: () => void;
  /** `undefined` until the host has told. */
  #at: number | undefined;
  #wanted = Infinity;

  constructor(storage: Pick<ObjectStorage, "getAlarm" | "setAlarm">, ring: () => void) {
    this.#storage = storage;
    this.#ring = ring;
  }

  /** Asks the host for what is set; an object that was just made begins with this. */
  async recall(): Promise<void> {
    this.#at = await this.#storage.getAlarm() ?? Infinity;
    this.set(this.#wanted);
  }

  set(at: number): void {
    this.#wanted = at;
    if (this.#at === undefined || at >= this.#at) return;
    this.#at = at;
    // A failure is the storage's, which the host ends the object for.
    void this.#storage.setAlarm(at);
  }

  /** Too early a ring costs no more than this would. */
  cancel(): void {
    this.#wanted = Infinity;
  }

  /** The host has woken the object: the alarm is not set any more. */
  rang(): void {
    this.#at = Infinity;
    this.#ring();
  }
}
