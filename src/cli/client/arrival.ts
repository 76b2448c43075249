/**
 * A message that is about to be printed, with what belongs to its arrival. One object is used for
 * all of them; properties and the time are looked at only when a format asks for them.
 *
 * @module
 */

import { IncomingMessage } from "../../core/client/incoming_message.ts";
import { NO_PROPERTIES, type Properties } from "../../core/codec/property.ts";
import type { WallClock, WallTime } from "./wall_clock.ts";

export class Arrival {
  /** Borrowed: valid while it is printed. */
  message: IncomingMessage = new IncomingMessage();
  readonly #clock: WallClock;
  #properties: Properties | undefined = NO_PROPERTIES;
  #time: WallTime | undefined;

  constructor(clock: WallClock) {
    this.#clock = clock;
  }

  /** Turns to the next message. */
  begin(message: IncomingMessage): void {
    this.message = message;
    this.#properties = undefined;
    this.#time = undefined;
  }

  get properties(): Properties {
    return this.#properties ??= this.message.properties;
  }

  /** The same for all that is printed of one message. */
  get time(): WallTime {
    return this.#time ??= this.#clock.read();
  }
}
