/**
 * A mount point: what stands before every topic and filter of a client inside the broker, and is
 * taken away again before the client sees a topic. Everything between, from access control to
 * retained messages, knows only the whole name.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { encodedLength, encodeUtf8 } from "../base/utf8.ts";
import { isFilter, type ParsedFilter } from "./filter.ts";

const LENGTH_MAX = 0xffff;

export class MountPoint {
  readonly text: string;
  readonly bytes: Uint8Array;

  /** The text is one that a topic may begin with. */
  constructor(text: string) {
    const bytes = encodeUtf8(text);
    assert(bytes !== null, "A mount point is not well-formed");
    this.text = text;
    this.bytes = bytes;
  }

  /** The filter inside the broker, or `undefined` when there can be none such. */
  filter({ filter, shareName }: ParsedFilter): ParsedFilter | undefined {
    const mounted = this.text + filter;
    // A wildcard has to stand behind a slash here as well [MQTT-4.7.1-2].
    if (!isFilter(mounted) || this.bytes.length + encodedLength(filter) > LENGTH_MAX) {
      return undefined;
    }
    return { filter: mounted, shareName };
  }

  /** Tells whether a topic inside the broker, given by its bytes, is one of this mount point. */
  holds(bytes: Uint8Array, start: number, end: number): boolean {
    const own = this.bytes;
    const { length } = own;
    // Something must be left of it.
    if (end - start <= length) return false;
    for (let i = 0; i < length; i++) {
      if (own[i] !== bytes[start + i]) return false;
    }
    return true;
  }

  /** Tells whether a topic of this mount point is what a client spells from `start` to `end`. */
  spells(topic: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
    const offset = this.bytes.length;
    if (topic.length - offset !== end - start) return false;
    for (let i = start, at = offset; i < end; i++, at++) {
      if (topic[at] !== bytes[i]) return false;
    }
    return true;
  }
}
