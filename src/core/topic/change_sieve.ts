/**
 * Which kept look-ups may a changed filter concern? Every topic that a filter matches has each of
 * the filter's literal levels, in the same position. So a change is noted under one of them only,
 * the one that the fewest kept topics have, and a topic asks under each of its own levels whether
 * anything was noted since its look-up. That takes a few loads from a small table, however many
 * changes there were. Levels share places in the table, which costs a needless look-up now and
 * then, and no more.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { encodeUtf8 } from "../base/utf8.ts";
import { hashBytes } from "./hash_index.ts";

/** The version of whoever never looked anything up: any change may concern them. */
export const NEVER = -1;

const PLACES = 16384;
/** Levels further on are not considered: a change is found by the levels before, or by all. */
const LEVELS_MAX = 16;

const NUMBER_SIGN = 0x23;
const PLUS_SIGN = 0x2b;
const SLASH = 0x2f;

/** Notes changes of filters and tells topics whether any may concern them. */
export class ChangeSieve {
  /** The number of the last change. */
  version = 0;
  /** The last change that is not noted under any level. */
  #unplacedVersion = 0;
  readonly #versions: Float64Array = new Float64Array(PLACES);
  /** How many kept topics ask at a place. */
  readonly #askers: Int32Array = new Int32Array(PLACES);
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Notes that values under a valid filter came or went. */
  append(filter: string): void {
    this.version++;
    const bytes = encodeUtf8(filter);
    assert(bytes !== null, "A filter is a string that has a form in UTF-8");
    const places = this.places(bytes);
    let rarest = -1;
    for (const place of places) {
      if (place < 0) continue;
      if (rarest < 0 || this.#askers[place]! < this.#askers[rarest]!) rarest = place;
    }
    if (rarest < 0) this.#unplacedVersion = this.version;
    else this.#versions[rarest] = this.version;
  }

  /** The places under which to ask for a topic, by level; -1 for the wildcards of a filter. */
  places(bytes: Uint8Array): number[] {
    const places: number[] = [];
    for (let at = 0; places.length < LEVELS_MAX;) {
      let levelEnd = at;
      while (levelEnd < bytes.length && bytes[levelEnd] !== SLASH) levelEnd++;
      const only = levelEnd - at === 1 ? bytes[at] : 0;
      const isWildcard = only === PLUS_SIGN || only === NUMBER_SIGN;
      const hash = hashBytes(bytes, at, levelEnd, this.#seed + places.length);
      places.push(isWildcard ? -1 : hash & (PLACES - 1));
      if (levelEnd === bytes.length) break;
      at = levelEnd + 1;
    }
    return places;
  }

  /** Counts a topic that is kept, or one that is not any more, by -1. */
  count(places: readonly number[], difference: 1 | -1): void {
    for (let i = 0; i < places.length; i++) this.#askers[places[i]!]! += difference;
  }

  /** Tells whether a change after `version` may concern the topic with these places. */
  mayConcern(places: readonly number[], version: number): boolean {
    if (this.#unplacedVersion > version || version === NEVER) return true;
    for (let i = 0; i < places.length; i++) {
      if (this.#versions[places[i]!]! > version) return true;
    }
    return false;
  }
}
