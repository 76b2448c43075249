/**
 * Words of a command line as values. A number is all digits or it is none: what would be taken for
 * half of what was meant is refused.
 *
 * @module
 */

import { encodedLength, encodeUtf8, isUtf8 } from "../../core/base/utf8.ts";
import type { QoS } from "../../core/codec/protocol.ts";
import { parseFilter } from "../../core/topic/filter.ts";
import { UsageError } from "./usage_error.ts";

const STRING_BYTES_MAX = 65_535;

/** A whole number within bounds, or `undefined`. */
export function wholeNumber(word: string, min: number, max: number): number | undefined {
  if (!/^[+-]?\d+$/.test(word)) return undefined;
  const number = Number(word);
  return number >= min && number <= max ? number : undefined;
}

/** A number with fractions within bounds, or `undefined`. */
export function decimal(word: string, min: number, max: number): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word)) return undefined;
  const number = Number(word);
  return number >= min && number <= max ? number : undefined;
}

/** A quality of service, or `undefined`. */
export function qosOf(word: string): QoS | undefined {
  return wholeNumber(word, 0, 2) as QoS | undefined; // within these bounds
}

/** The word, if it is a string that a packet can have. */
export function mqttText(word: string, option: string): string {
  const bytes = encodeUtf8(word);
  if (bytes === null || !isUtf8(bytes, 0, bytes.length)) {
    throw new UsageError(`Error: Malformed UTF-8 in ${option} argument.`);
  }
  if (bytes.length > STRING_BYTES_MAX) {
    throw new UsageError(`Error: ${option} argument is longer than ${STRING_BYTES_MAX} bytes.`);
  }
  return word;
}

/** Whether a message can be published to it. */
export function isPublishTopic(topic: string): boolean {
  return topic !== "" && !/[+#]/.test(topic) && encodedLength(topic) <= STRING_BYTES_MAX;
}

/** Whether it can be subscribed to. */
export function isSubscription(text: string): boolean {
  return encodedLength(text) <= STRING_BYTES_MAX && typeof parseFilter(text) !== "string";
}
