// PROXY headers of version 2 as a proxy makes them, and as none should.

import { encode } from "./scripted_transport.ts";

const SIGNATURE = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];

/** The client 203.0.113.7:50000 speaking to 192.0.2.9:1883. */
export const INET = [203, 0, 113, 7, 192, 0, 2, 9, 195, 80, 7, 91];

/** The client [2001:db8::7]:50000 speaking to [::1]:1883. */
// deno-fmt-ignore
export const INET6 = [
  32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 195, 80, 7, 91,
];

/** A client on the Unix socket `/run/client`. */
export const UNIX = [...encode("/run/client"), ...new Array<number>(216 - 11).fill(0)];

export interface BinaryHeader {
  readonly command?: number;
  readonly family?: number;
  readonly body?: readonly number[];
  /** What the header says, if it lies. */
  readonly length?: number;
}

export function binaryHeader(header: BinaryHeader = {}): Uint8Array {
  const { command = 0x21, family = 0x11, body = INET } = header;
  const { length = body.length } = header;
  return Uint8Array.of(...SIGNATURE, command, family, length >> 8, length & 255, ...body);
}

export function tlv(type: number, value: readonly number[] | string): number[] {
  const bytes = typeof value === "string" ? [...new TextEncoder().encode(value)] : value;
  return [type, bytes.length >> 8, bytes.length & 255, ...bytes];
}

/** The entry about TLS: flags 1 for TLS, 2 and 4 for a certificate; 0 verified. */
export function ssl(flags: number, verify: number, ...entries: readonly number[][]): number[] {
  return tlv(0x20, [flags, 0, 0, 0, verify, ...entries.flat()]);
}
