/**
 * What a Topic Name may be, decided on its bytes; filters are the business of `filter.ts`. A name
 * that is decided upon here is remembered by the route table, so this runs once per distinct topic
 * and not once per message.
 *
 * @module
 */

import { isUtf8 } from "../base/utf8.ts";

const NUMBER_SIGN = 0x23;
const PLUS_SIGN = 0x2b;
const SLASH = 0x2f;

/**
 * Tells whether the bytes from `start` up to `end` are a Topic Name: not empty [MQTT-4.7.3-1],
 * without wildcards [MQTT-3.3.2-2], a string that MQTT allows [MQTT-3.3.2-1] of at most 65,535
 * bytes [MQTT-4.7.3-3], and of at most `levelsMax` levels. [MQTT-4.7.0-1] [MQTT-4.7.3-2]
 */
export function isTopic(
  bytes: Uint8Array,
  start: number,
  end: number,
  levelsMax: number,
): boolean {
  if (start >= end || end - start > 0xffff) return false;
  let levels = 1;
  let isPrintable = true;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === SLASH) levels++;
    else if (byte === PLUS_SIGN || byte === NUMBER_SIGN) return false;
    else if (byte < 0x20 || byte > 0x7e) isPrintable = false;
  }
  return levels <= levelsMax && (isPrintable || isUtf8(bytes, start, end));
}
