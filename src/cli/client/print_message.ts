/**
 * Messages as bytes for standard output: the payload, the topic before it, or a format.
 *
 * @module
 */

import type { IncomingMessage } from "../../core/client/incoming_message.ts";
import type { Writer } from "../../core/codec/writer.ts";
import { Arrival } from "./arrival.ts";
import type { OutputSettings } from "./client_settings.ts";
import { parseFormat } from "./format_parser.ts";
import { compileFormat } from "./message_format.ts";
import type { WallClock } from "./wall_clock.ts";

/** Appends a message. */
export type PrintMessage = (out: Writer, message: IncomingMessage) => void;

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const NULL = new TextEncoder().encode("(null)");

/** How the settings want messages to be printed. */
export function makePrintMessage(
  { format, isVerbose, endsLines, isPretty }: OutputSettings,
  { clock, warn }: { readonly clock: WallClock; readonly warn: (text: string) => void },
): PrintMessage {
  if (format !== undefined) {
    const parts = compileFormat(parseFormat(format), { isPretty, warn });
    const arrival = new Arrival(clock);
    return (out, message) => {
      arrival.begin(message);
      for (let i = 0; i < parts.length; i++) parts[i]!(out, arrival);
      if (endsLines) out.u8(LINE_FEED);
    };
  }
  return (out, message) => {
    const { payloadStart, payloadEnd } = message;
    const isEmpty = payloadStart === payloadEnd;
    // There is nothing to print, or nothing that would be told from the next message.
    if (isEmpty && !(isVerbose && endsLines)) return;
    if (isVerbose) {
      out.raw(message.topicBytes, message.topicStart, message.topicEnd);
      out.u8(SPACE);
    }
    if (isEmpty) out.raw(NULL, 0, NULL.length);
    else out.raw(message.bytes, payloadStart, payloadEnd);
    if (endsLines) out.u8(LINE_FEED);
  };
}
