/**
 * Appends what directives print, in their layouts. Each kind of value has rules of its own, which
 * are those of `printf` for strings and numbers, and Mosquitto's for the rest.
 *
 * @module
 */

import type { Writer } from "../../core/codec/writer.ts";
import type { Layout } from "./format_parser.ts";

const SPACE = 0x20;
const ZERO = 0x30;
const LOWER = new TextEncoder().encode("0123456789abcdef");
const UPPER = new TextEncoder().encode("0123456789ABCDEF");

/** Appends one byte as often as it says; not at all if that is less than once. */
export function appendRun(out: Writer, byte: number, count: number): void {
  if (count <= 0) return;
  out.ensure(count);
  out.bytes.fill(byte, out.length, out.length + count);
  out.length += count;
}

/** The width is a minimum, the precision a maximum; both count bytes, as C does. */
export function appendString(
  out: Writer,
  source: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
  { isLeft, width, precision = Infinity }: Layout,
): void {
  const length = Math.min(end - start, precision);
  if (!isLeft) appendRun(out, SPACE, width - length);
  out.raw(source, start, start + length);
  if (isLeft) appendRun(out, SPACE, width - length);
}

/** A whole number that is not negative; the precision says nothing. */
export function appendInteger(out: Writer, value: number, { isLeft, isZero, width }: Layout): void {
  const digits = digitCount(value);
  if (!isLeft) appendRun(out, isZero ? ZERO : SPACE, width - digits);
  appendDigits(out, value, digits);
  if (isLeft) appendRun(out, SPACE, width - digits);
}

/** A whole number that is not negative, in exactly so many decimal digits. */
export function appendDigits(out: Writer, value: number, digits: number): void {
  out.ensure(digits);
  let rest = value;
  for (let at = out.length + digits - 1; at >= out.length; at--) {
    out.bytes[at] = ZERO + rest % 10;
    rest = Math.floor(rest / 10);
  }
  out.length += digits;
}

function digitCount(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 10; rest /= 10) count++;
  return count;
}

/** In place of a property that the message does not have. */
export function appendBlank(out: Writer, { isZero, width }: Layout): void {
  appendRun(out, isZero ? ZERO : SPACE, width);
}

/** The width pads the payload, and cuts it. */
export function appendPayload(
  out: Writer,
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
  { isLeft, isZero, width }: Layout,
): void {
  const length = width === 0 ? end - start : Math.min(end - start, width);
  if (!isLeft) appendRun(out, isZero ? ZERO : SPACE, width - length);
  out.raw(bytes, start, start + length);
  if (isLeft) appendRun(out, SPACE, width - length);
}

/** A payload in hex: the padding counts digits, the cut counts bytes, and separators neither. */
export function appendHex(
  out: Writer,
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
  { isUpper, layout }: { readonly isUpper: boolean; readonly layout: Layout },
): void {
  const { isLeft, isZero, width, precision = 0, separator } = layout;
  const length = width === 0 ? end - start : Math.min(end - start, width);
  const padding = width - 2 * length;
  if (!isLeft) appendRun(out, isZero ? ZERO : SPACE, padding);
  const digits = isUpper ? UPPER : LOWER;
  // No more separators than digits.
  out.ensure(4 * length);
  for (let i = 0; i < 2 * length; i++) {
    if (precision > 0 && i > 0 && i % precision === 0) out.bytes[out.length++] = separator;
    const byte = bytes[start + (i >> 1)]!;
    out.bytes[out.length++] = digits[i % 2 === 0 ? byte >> 4 : byte & 15]!;
  }
  if (isLeft) appendRun(out, SPACE, padding);
}
