// Messages printed in memory, as `midge sub` and `midge rr` print them: a PUBLISH goes in as it
// arrives, bytes come out. The clock stands still.

import type { OutputSettings } from "../../src/cli/client/client_settings.ts";
import { makePrintMessage } from "../../src/cli/client/print_message.ts";
import { WallClock } from "../../src/cli/client/wall_clock.ts";
import { IncomingMessage } from "../../src/core/client/incoming_message.ts";
import { encodePacket } from "../../src/core/codec/encode.ts";
import type { PublishPacket } from "../../src/core/codec/packet.ts";
import { Reader } from "../../src/core/codec/reader.ts";
import { Writer } from "../../src/core/codec/writer.ts";
import { InboundAliases } from "../../src/core/session/topic_aliases.ts";

/** When every message arrives: some local time with 123456 microseconds. */
export const ARRIVED_AT = new Date(2026, 0, 5, 7, 8, 9, 123);
const SUB_MS = 0.456;

/** A message as the engine shows it. */
export function incoming(packet: PublishPacket): IncomingMessage {
  const writer = new Writer(new Uint8Array(64));
  encodePacket(writer, packet, 5);
  const { bytes, length } = writer;
  const reader = new Reader(bytes, 1, length);
  reader.varint();
  const message = new IncomingMessage();
  const context = {
    version: 5,
    topicAliasMaximum: 10,
    aliases: new InboundAliases<Uint8Array>(),
  } as const;
  message.read(bytes[0]!, bytes, reader.at, length, context);
  return message;
}

export interface Printed {
  readonly bytes: Uint8Array;
  readonly warnings: readonly string[];
}

const PLAIN: OutputSettings = {
  format: undefined,
  isVerbose: false,
  endsLines: false,
  isPretty: false,
};

/** Prints a message. */
export function print(packet: PublishPacket, settings: Partial<OutputSettings> = {}): Printed {
  const warnings: string[] = [];
  let fine = 0;
  const clock = new WallClock(() => ARRIVED_AT.getTime(), () => fine);
  fine = SUB_MS;
  const printMessage = makePrintMessage({ ...PLAIN, ...settings }, {
    clock,
    warn: (text) => void warnings.push(text),
  });
  const out = new Writer(new Uint8Array(0));
  printMessage(out, incoming(packet));
  return { bytes: out.bytes.slice(0, out.length), warnings };
}

/** Prints a message and reads it as text; nothing may be warned of. */
export function printText(packet: PublishPacket, settings: Partial<OutputSettings> = {}): string {
  const { bytes, warnings } = print(packet, settings);
  if (warnings.length > 0) throw new Error(warnings.join("\n"));
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
