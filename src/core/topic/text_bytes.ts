/**
 * The bytes of the text at hand, in memory that is used again for the next one: how a topic or
 * filter that comes as a string enters the tries, which know bytes only.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { encodeUtf8Into } from "../base/utf8.ts";

const LENGTH_MIN = 256;
/** Memory larger than this is not kept for longer than the text that needed it. */
const LENGTH_MAX = 4096;

/** Encodes one text after the other. */
export class TextBytes {
  /** The last text encoded; what follows it is left over from others. */
  bytes: Uint8Array = new Uint8Array(LENGTH_MIN);

  /** Puts the bytes of `text` at the start of `bytes`; where they end. */
  encode(text: string): number {
    // Three bytes for each code unit are always enough.
    const room = text.length * 3;
    if (room > this.bytes.length) this.bytes = new Uint8Array(room);
    else if (this.bytes.length > LENGTH_MAX) {
      this.bytes = new Uint8Array(Math.max(room, LENGTH_MIN));
    }
    const end = encodeUtf8Into(text, this.bytes, 0);
    assert(end >= 0, "A topic or filter is a string that has a form in UTF-8");
    return end;
  }
}
