/**
 * A format made ready: one function for each of its parts, which appends that part of a message to
 * the output. What the text of a format means is in format_parser.ts, how values are laid out in
 * padding.ts.
 *
 * The idea: topic and payload go from the bytes that arrived straight into those that leave.
 *
 * @module
 */

import type { Properties } from "../../core/codec/property.ts";
import type { Writer } from "../../core/codec/writer.ts";
import { appendText, makeTimeText } from "./append_text.ts";
import type { Arrival } from "./arrival.ts";
import { fixedText } from "./float_text.ts";
import type { DirectiveLetter, FormatElement, Layout } from "./format_parser.ts";
import { makeMessageJson } from "./message_json.ts";
import {
  appendBlank,
  appendDigits,
  appendHex,
  appendInteger,
  appendPayload,
  appendRun,
  appendString,
} from "./padding.ts";

/** Appends one part of a message. */
export type FormatPart = (out: Writer, arrival: Arrival) => void;

export interface FormatOptions {
  readonly isPretty: boolean;
  /** Told in a line what cannot be printed. */
  readonly warn: (text: string) => void;
}

const SPACE = 0x20;
const COLON = 0x3a;
const ZERO_DIGIT = 0x30;
const NANOSECOND_DIGITS = 9;
const FLOAT_PLACES = 6;
const FLOAT_BYTES = 4;
const DOUBLE_BYTES = 8;

/** Readies a format. */
export function compileFormat(
  elements: readonly FormatElement[],
  options: FormatOptions,
): FormatPart[] {
  return elements.map((element) => compileElement(element, options));
}

function compileElement(element: FormatElement, options: FormatOptions): FormatPart {
  switch (element.kind) {
    case "literal": {
      const { bytes } = element;
      return (out) => out.raw(bytes, 0, bytes.length);
    }
    case "nanoseconds":
      return (out, { time }) => appendDigits(out, time.nanoseconds, NANOSECOND_DIGITS);
    case "time": {
      const timeText = makeTimeText(`%${element.conversion}`);
      return (out, { time }) => appendText(out, timeText(time));
    }
    case "directive":
      return compileDirective(element.letter, element.layout, options);
  }
}

function compileDirective(
  letter: DirectiveLetter,
  layout: Layout,
  options: FormatOptions,
): FormatPart {
  switch (letter) {
    case "t":
      return (out, { message: { topicBytes, topicStart, topicEnd } }) =>
        appendString(out, topicBytes, { start: topicStart, end: topicEnd }, layout);
    case "p":
      return (out, { message: { bytes, payloadStart, payloadEnd } }) =>
        appendPayload(out, bytes, { start: payloadStart, end: payloadEnd }, layout);
    case "x":
    case "X": {
      const hex = { isUpper: letter === "X", layout };
      return (out, { message: { bytes, payloadStart, payloadEnd } }) =>
        appendHex(out, bytes, { start: payloadStart, end: payloadEnd }, hex);
    }
    case "l":
      return (out, { message }) => appendInteger(out, message.payloadLength, layout);
    case "m":
      return (out, { message }) => appendInteger(out, message.packetId, layout);
    case "q":
      return (out, { message }) => out.u8(ZERO_DIGIT + message.qos);
    case "r":
      return (out, { message }) => out.u8(ZERO_DIGIT + (message.retain ? 1 : 0));
    case "f":
      return compileFloat({ bytes: FLOAT_BYTES, name: "float" }, layout, options);
    case "d":
      return compileFloat({ bytes: DOUBLE_BYTES, name: "double" }, layout, options);
    case "I": {
      const timeText = makeTimeText("%Y-%m-%dT%H:%M:%S%z");
      return (out, { time }) => appendTextIn(out, timeText(time), layout);
    }
    case "U":
      return (out, { time: { seconds, nanoseconds } }) => {
        appendText(out, `${seconds}.`);
        appendDigits(out, nanoseconds, NANOSECOND_DIGITS);
      };
    case "j":
    case "J": {
      const { isPretty } = options;
      const appendJson = makeMessageJson({ isPretty, embedsPayload: letter === "J" });
      return (out, arrival) => {
        if (appendJson(out, arrival)) return;
        const { topic } = arrival.message;
        options.warn(`Error: Message payload is not valid JSON on topic ${topic}.`);
      };
    }
    default:
      return compileProperty(letter, layout);
  }
}

function compileProperty(
  letter: "A" | "C" | "D" | "E" | "F" | "P" | "R" | "S",
  layout: Layout,
): FormatPart {
  const integer = (select: (properties: Properties) => number | undefined): FormatPart => {
    return (out, { properties }) => {
      const value = select(properties);
      if (value === undefined) appendBlank(out, layout);
      else appendInteger(out, value, layout);
    };
  };
  switch (letter) {
    case "A":
      return integer(({ topicAlias }) => topicAlias);
    case "E":
      return integer(({ messageExpiryInterval }) => messageExpiryInterval);
    case "F":
      return integer(({ payloadFormatIndicator }) => payloadFormatIndicator);
    case "S":
      return integer(({ subscriptionIds }) => subscriptionIds?.[0]);
    case "C":
      return (out, { properties: { contentType } }) => {
        // Blank like any string that is too short, since zeros are for numbers.
        appendTextIn(out, contentType ?? "", layout);
      };
    case "R":
      return (out, { properties: { responseTopic } }) => {
        if (responseTopic !== undefined) appendTextIn(out, responseTopic, layout);
      };
    case "D":
      return (out, { properties: { correlationData } }) => {
        if (correlationData !== undefined) out.raw(correlationData, 0, correlationData.length);
      };
    case "P":
      return (out, { properties: { userProperties = [] } }) => {
        for (const [index, [key, value]] of userProperties.entries()) {
          if (index > 0) out.u8(SPACE);
          appendText(out, key);
          out.u8(COLON);
          appendText(out, value);
        }
      };
  }
}

/** The payload as a number of this machine. */
function compileFloat(
  type: { readonly bytes: 4 | 8; readonly name: string },
  { isLeft, isZero, width, precision = FLOAT_PLACES }: Layout,
  { warn }: FormatOptions,
): FormatPart {
  const raw = new Uint8Array(type.bytes);
  const numbers = type.bytes === FLOAT_BYTES
    ? new Float32Array(raw.buffer)
    : new Float64Array(raw.buffer);
  return (out, { message: { bytes, payloadStart, payloadEnd, payloadLength } }) => {
    if (payloadLength !== type.bytes) {
      return warn(`requested ${type.name} printing, but non-${type.name} data received`);
    }
    raw.set(bytes.subarray(payloadStart, payloadEnd));
    const value = numbers[0]!;
    const text = fixedText(value, precision);
    const sign = text.startsWith("-") ? "-" : "";
    // Zeros stand behind the sign, and before digits only.
    const fillsWithZeros = isZero && !isLeft && Number.isFinite(value);
    if (fillsWithZeros) appendText(out, sign);
    if (!isLeft) appendRun(out, fillsWithZeros ? ZERO_DIGIT : SPACE, width - text.length);
    appendText(out, fillsWithZeros ? text.slice(sign.length) : text);
    if (isLeft) appendRun(out, SPACE, width - text.length);
  };
}

function appendTextIn(out: Writer, text: string, layout: Layout): void {
  const { isLeft, width, precision = Infinity } = layout;
  const start = out.length;
  appendText(out, text);
  const length = Math.min(out.length - start, precision);
  out.length = start + length;
  const padding = width - length;
  if (padding <= 0) return;
  appendRun(out, SPACE, padding);
  if (isLeft) return;
  out.bytes.copyWithin(start + padding, start, start + length);
  out.bytes.fill(SPACE, start, start + padding);
}
