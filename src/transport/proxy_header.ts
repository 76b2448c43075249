/**
 * The header that a proxy sends ahead of a connection to say whom it speaks for, in both versions
 * of the PROXY protocol. Only bytes to meaning: who reads them and what is asked of them is in
 * `proxy_protocol.ts`.
 *
 * The idea: the header is tried whenever more of it has come. What cannot become a header any more
 * is corrupt at its first wrong byte, so that nobody waits for the rest of something else.
 *
 * @module
 */

import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from "./ip_address.ts";

/** What a header says. */
export interface ProxyHeader {
  /** Bytes that the header takes. */
  readonly length: number;
  /** A connection of the proxy itself, to see whether we live. */
  readonly isLocal: boolean;
  /** The client's end, `undefined` when the proxy does not know it. */
  readonly source: { readonly address: string; readonly port: number } | undefined;
  /** What the client's side is secured with, if it is. */
  readonly tls: ProxyTls | undefined;
}

export interface ProxyTls {
  readonly version: string;
  readonly cipher: string;
  /** Of the client's certificate; `undefined` when it has none that is whole UTF-8. */
  readonly commonName: string | undefined;
  /** In this session the client presented a certificate, and the proxy found it good. */
  readonly isVerified: boolean;
}

/** A version 1 header with its line end is no longer than this. */
const TEXT_BYTES_MAX = 107;

/** What follows the first sixteen bytes of a version 2 header is no longer than this. */
const REST_BYTES_MAX = 500;

/** The longest header of either version. */
export const HEADER_BYTES_MAX = 16 + REST_BYTES_MAX;

const TEXT_START = Uint8Array.from("PROXY ", (char) => char.charCodeAt(0));
const SIGNATURE = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10);

/** Reads the header at the start of `bytes[0..length)`. */
export function parseProxyHeader(
  version: 1 | 2,
  bytes: Uint8Array,
  length: number,
): ProxyHeader | "incomplete" | "corrupt" {
  const start = version === 1 ? TEXT_START : SIGNATURE;
  for (let i = 0; i < Math.min(length, start.length); i++) {
    if (bytes[i] !== start[i]) return "corrupt";
  }
  if (length < start.length) return "incomplete";
  return version === 1 ? parseText(bytes, length) : parseBinary(bytes, length);
}

function parseText(bytes: Uint8Array, length: number): ProxyHeader | "incomplete" | "corrupt" {
  let line = "";
  for (let i = 0; i < Math.min(length, TEXT_BYTES_MAX); i++) {
    const byte = bytes[i]!;
    if (byte === 13) {
      if (i + 1 === TEXT_BYTES_MAX) return "corrupt";
      if (i + 1 === length) return "incomplete";
      return bytes[i + 1] === 10 ? parseLine(line, i + 2) : "corrupt";
    }
    if (byte < 0x20 || byte > 0x7e) return "corrupt";
    line += String.fromCharCode(byte);
  }
  return length < TEXT_BYTES_MAX ? "incomplete" : "corrupt";
}

function parseLine(line: string, length: number): ProxyHeader | "corrupt" {
  const words = line.split(" ");
  const known = { length, isLocal: false, tls: undefined };
  // Whatever else stands on such a line is to be ignored.
  if (words[1] === "UNKNOWN") return { ...known, source: undefined };
  const [, family, from, to, fromPort, toPort] = words;
  const parse = family === "TCP4" ? parseIpv4 : family === "TCP6" ? parseIpv6 : undefined;
  if (words.length !== 6 || parse === undefined) return "corrupt";
  const address = parse(from!);
  const port = parsePort(fromPort!);
  if (address === undefined || parse(to!) === undefined) return "corrupt";
  if (port === undefined || parsePort(toPort!) === undefined) return "corrupt";
  const format = family === "TCP4" ? formatIpv4 : formatIpv6;
  return { ...known, source: { address: format(address), port } };
}

function parsePort(text: string): number | undefined {
  if (!/^(?:0|[1-9]\d{0,4})$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

function parseBinary(bytes: Uint8Array, length: number): ProxyHeader | "incomplete" | "corrupt" {
  if (length < 16) {
    const isWrong = length > 12 && bytes[12] !== 0x20 && bytes[12] !== 0x21;
    return isWrong ? "corrupt" : "incomplete";
  }
  const command = bytes[12]!;
  const family = bytes[13]!;
  const restBytes = uint16(bytes, 14);
  if ((command !== 0x20 && command !== 0x21) || restBytes > REST_BYTES_MAX) return "corrupt";
  const end = 16 + restBytes;
  const isLocal = command === 0x20;
  // Of a connection of the proxy's own, what it says about addresses is to be skipped unread.
  const addressBytes = isLocal ? 0 : addressBytesOf(family);
  if (addressBytes === undefined || restBytes < addressBytes) return "corrupt";
  if (length < end) return "incomplete";
  if (isLocal) return { length: end, isLocal, source: undefined, tls: undefined };
  const tls = parseTlvs(bytes, 16 + addressBytes, end);
  if (tls === "corrupt") return "corrupt";
  return { length: end, isLocal, source: sourceOf(bytes, family), tls };
}

/** The bytes of both ends' addresses, `undefined` for a family that there is not. */
function addressBytesOf(family: number): number | undefined {
  switch (family) {
    case 0x00:
      return 0;
    case 0x11:
    case 0x12:
      return 12;
    case 0x21:
    case 0x22:
      return 36;
    case 0x31:
    case 0x32:
      return 216;
    default:
      return undefined;
  }
}

function sourceOf(bytes: Uint8Array, family: number): ProxyHeader["source"] {
  switch (family >> 4) {
    case 1:
      return { address: formatIpv4(bytes, 16), port: uint16(bytes, 24) };
    case 2:
      return { address: formatIpv6(bytes, 16), port: uint16(bytes, 48) };
    case 3: {
      const path = bytes.subarray(16, 124);
      const end = path.indexOf(0);
      const text = decodeText(end < 0 ? path : path.subarray(0, end));
      return { address: text ?? "", port: 0 };
    }
    default:
      return undefined;
  }
}

const TLV_SSL = 0x20;
const TLV_SSL_VERSION = 0x21;
const TLV_SSL_COMMON_NAME = 0x22;
const TLV_SSL_CIPHER = 0x23;
const CLIENT_SSL = 0x01;
const CLIENT_CERT_SESS = 0x04;

function parseTlvs(bytes: Uint8Array, at: number, end: number): ProxyTls | undefined | "corrupt" {
  let ssl: Uint8Array | undefined;
  const isWhole = forEachTlv(bytes, at, end, (type, value) => {
    if (type !== TLV_SSL) return true;
    // Two accounts of one connection: neither can be believed.
    if (ssl !== undefined || value.length < 5) return false;
    ssl = value;
    return true;
  });
  if (!isWhole) return "corrupt";
  return ssl === undefined ? undefined : parseSsl(ssl);
}

function parseSsl(ssl: Uint8Array): ProxyTls | undefined | "corrupt" {
  const client = ssl[0]!;
  const isGood = ssl[1] === 0 && ssl[2] === 0 && ssl[3] === 0 && ssl[4] === 0;
  const texts = new Map<number, string | undefined>();
  const isWhole = forEachTlv(ssl, 5, ssl.length, (type, value) => {
    if (texts.has(type)) return false;
    texts.set(type, decodeText(value));
    return true;
  });
  if (!isWhole) return "corrupt";
  if ((client & CLIENT_SSL) === 0) return undefined;
  return {
    version: texts.get(TLV_SSL_VERSION) ?? "",
    cipher: texts.get(TLV_SSL_CIPHER) ?? "",
    commonName: texts.get(TLV_SSL_COMMON_NAME),
    isVerified: (client & CLIENT_CERT_SESS) !== 0 && isGood,
  };
}

/** `false` when an entry goes past the end, or was refused. */
function forEachTlv(
  bytes: Uint8Array,
  at: number,
  end: number,
  take: (type: number, value: Uint8Array) => boolean,
): boolean {
  while (at < end) {
    if (at + 3 > end) return false;
    const valueEnd = at + 3 + uint16(bytes, at + 1);
    if (valueEnd > end || !take(bytes[at]!, bytes.subarray(at + 3, valueEnd))) return false;
    at = valueEnd;
  }
  return true;
}

/** Whole UTF-8 without control characters: it will stand in logs, and as a user name. */
function decodeText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    // deno-lint-ignore no-control-regex -- these are what is looked for
    return /[\u0000-\u001f\u007f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function uint16(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}
