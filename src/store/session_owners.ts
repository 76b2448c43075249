/**
 * Whose the sessions in a database of Mosquitto are. Files before version 6 do not say, and those
 * of version 6 may be wrong: Mosquitto 2.0.11, for one, forgets for a client without a user name to
 * clear the name of the client before it.
 *
 * What it writes then is the length of that name with its two bytes swapped, and so many bytes from
 * where the name stands in its memory; for the next client without a name the same length swapped
 * back, which looks like the name itself.
 *
 * @module
 */

import { decodeUtf8 } from "../core/base/utf8.ts";
import { type Identity, UNKNOWN_IDENTITY } from "../core/broker/take_over.ts";
import type { ClientChunk } from "./mosquitto_chunk.ts";

export class SessionOwners {
  readonly #isIdentified: (listenerPort: number) => boolean;
  /** The name that the client before got by mistake, up to its end in memory. */
  #leftOver: string | undefined;

  /** `isIdentified`: whether clients of a port are known by a name that TLS has proven. */
  constructor(isIdentified: (listenerPort: number) => boolean) {
    this.#isIdentified = isIdentified;
  }

  /** Who made a session; to be asked for each in the order of the file. */
  identityOf({ username, listenerPort }: ClientChunk): Identity {
    const leftOver = this.#leftOver;
    this.#leftOver = undefined;
    if (username === undefined) return UNKNOWN_IDENTITY;
    const end = username.indexOf(0);
    const name = textOf(end < 0 ? username : username.subarray(0, end));
    if (end >= 0) {
      this.#leftOver = name;
      return { username: undefined, isIdentified: false };
    }
    // Either a client of that very name, or another one without any.
    if (name !== undefined && name === leftOver) return UNKNOWN_IDENTITY;
    return { username: name, isIdentified: name !== undefined && this.#isIdentified(listenerPort) };
  }
}

/** A text that MQTT allows; `undefined` also for none at all. */
function textOf(bytes: Uint8Array): string | undefined {
  return decodeUtf8(bytes, 0, bytes.length) || undefined;
}
