// Packets put together byte by byte, so that each of their rules can be broken. What is well-formed
// comes from the codec instead.

import { encodePacket } from "../../src/core/codec/encode.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { Writer } from "../../src/core/codec/writer.ts";

/** A number is a byte, a string is preceded by its length, bytes are themselves. */
export type Part = number | string | Uint8Array | readonly Part[];

export const VERSIONS: readonly ProtocolVersion[] = [3, 4, 5];

/** The parts one after the other. */
export function raw(...parts: readonly Part[]): Uint8Array {
  const bytes: number[] = [];
  for (const part of parts) append(bytes, part);
  return Uint8Array.from(bytes);
}

function append(bytes: number[], part: Part): void {
  if (typeof part === "number") bytes.push(part);
  else if (typeof part === "string") append(bytes, text(new TextEncoder().encode(part)));
  else for (const each of part) append(bytes, each);
}

/** A packet with the right remaining length. */
export function packet(firstByte: number, ...parts: readonly Part[]): Uint8Array {
  const body = raw(...parts);
  return join(raw(firstByte, varint(body.length)), body);
}

/** Properties preceded by their length; nothing at all before version 5. */
export function properties(version: ProtocolVersion, ...parts: readonly Part[]): Uint8Array {
  if (version !== 5) return new Uint8Array(0);
  const body = raw(...parts);
  return join(varint(body.length), body);
}

/** A string by its bytes, which need not be UTF-8. */
export function text(bytes: Uint8Array | readonly number[]): Uint8Array {
  return join(u16(bytes.length), Uint8Array.from(bytes));
}

export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value);
}

export function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 | 128);
  return Uint8Array.from([...bytes, value]);
}

export function join(...chunks: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

/** The parts of a CONNECT, any of which may be replaced by something wrong. */
export interface RawConnect {
  readonly firstByte?: number;
  readonly name?: Part;
  readonly level?: number;
  readonly flags?: number;
  readonly keepAlive?: number;
  readonly properties?: readonly Part[];
  readonly payload?: readonly Part[];
}

/** A CONNECT that is right where nothing is said. */
export function connectPacket(version: ProtocolVersion, parts: RawConnect = {}): Uint8Array {
  return packet(
    parts.firstByte ?? 0x10,
    parts.name ?? (version === 3 ? "MQIsdp" : "MQTT"),
    parts.level ?? version,
    parts.flags ?? 0x02,
    u16(parts.keepAlive ?? 0),
    properties(version, ...parts.properties ?? []),
    ...parts.payload ?? ["raw"],
  );
}

/** A well-formed packet by the codec. */
export function encoded(version: ProtocolVersion, ...packets: readonly Packet[]): Uint8Array {
  const writer = new Writer(new Uint8Array(256));
  for (const each of packets) encodePacket(writer, each, version);
  return writer.bytes.slice(0, writer.length);
}
