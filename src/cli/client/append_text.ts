/**
 * Text at the end of an output, and times as text. Both are for every message, so neither calls the
 * platform's encoder nor formats one second twice.
 *
 * @module
 */

import { encodeUtf8Into } from "../../core/base/utf8.ts";
import type { Writer } from "../../core/codec/writer.ts";
import { strftime } from "../../telemetry/strftime.ts";
import type { WallTime } from "./wall_clock.ts";

const UNIT_BYTES_MAX = 3;
const MS_PER_S = 1000;

/** Appends text. */
export function appendText(out: Writer, text: string): void {
  out.ensure(text.length * UNIT_BYTES_MAX);
  const count = encodeUtf8Into(text, out.bytes, out.length);
  if (count < 0) return appendText(out, text.toWellFormed());
  out.length += count;
}

/** Makes what formats times by a format of `strftime`, of which nothing is below a second. */
export function makeTimeText(format: string): (time: WallTime) => string {
  let known = NaN;
  let text = "";
  return ({ seconds }) => {
    if (seconds !== known) {
      known = seconds;
      text = strftime(format, new Date(seconds * MS_PER_S));
    }
    return text;
  };
}
