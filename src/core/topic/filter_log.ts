/**
 * The most recent changes of filters, so that whoever kept the outcome of an old look-up can ask
 * whether any change since then concerns it, and most of the time learn that none does. The log is a
 * ring of fixed size: who asks about too long ago is told that a change may have concerned them.
 *
 * @module
 */

import { encodedLength, encodeUtf8Into } from "../base/utf8.ts";

/** Asking about a change costs a few comparisons, a look-up about as much as this many changes. */
const CHANGES = 64;
/** Longer filters are noted as ones that match anything, so that the log stays small. */
const FILTER_BYTES_MAX = 1024;

const NUMBER_SIGN = 0x23;
const DOLLAR_SIGN = 0x24;
const PLUS_SIGN = 0x2b;
const SLASH = 0x2f;

/** The version of whoever never looked anything up: any change may concern them. */
export const NEVER: number = -CHANGES - 1;

/** A ring of changed filters, numbered from 1 on. */
export class FilterLog {
  /** The number of the last change. */
  version = 0;
  /** `null` for a filter that is too long to keep. */
  readonly #filters: (Uint8Array | null)[] = new Array(CHANGES).fill(null);

  /** Notes that values under `filter` came or went. */
  append(filter: string): void {
    this.version++;
    const length = encodedLength(filter);
    let bytes: Uint8Array | null = null;
    if (length <= FILTER_BYTES_MAX) {
      bytes = new Uint8Array(length);
      encodeUtf8Into(filter, bytes, 0);
    }
    this.#filters[this.version % CHANGES] = bytes;
  }

  /** Tells whether a change after `version` may concern a topic. */
  mayConcern(topic: Uint8Array, version: number): boolean {
    if (this.version - version > CHANGES) return true;
    for (let i = version + 1; i <= this.version; i++) {
      const filter = this.#filters[i % CHANGES];
      if (!filter || matchesBytes(filter, topic)) return true;
    }
    return false;
  }
}

/** The matcher of `filter.ts` on bytes: one pass over both, nothing allocated. */
export function matchesBytes(filter: Uint8Array, topic: Uint8Array): boolean {
  // Wildcards at the front do not see what belongs to the server [MQTT-4.7.2-1].
  if (topic[0] === DOLLAR_SIGN && filter[0] !== DOLLAR_SIGN) return false;
  const filterEnd = filter.length;
  const topicEnd = topic.length;
  let at = 0;
  for (let i = 0; i < filterEnd; i++) {
    const byte = filter[i]!;
    if (byte === PLUS_SIGN) {
      while (at < topicEnd && topic[at] !== SLASH) at++;
    } else if (byte === NUMBER_SIGN) {
      return true;
    } else if (at < topicEnd) {
      if (topic[at] !== byte) return false;
      at++;
    } else {
      // The topic is used up; only "/#" may follow, since "#" includes the parent level.
      return byte === SLASH && i + 2 === filterEnd && filter[i + 1] === NUMBER_SIGN;
    }
  }
  return at === topicEnd;
}
