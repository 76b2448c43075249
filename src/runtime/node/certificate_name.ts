/**
 * Who a certificate is about: the Common Name, and the whole subject in the text form of RFC 2253.
 * Runtimes print subjects in forms of their own, in which one part can pretend to be another, so
 * they are read from the certificate's bytes here.
 *
 * The idea: access is decided by these names, so whatever is not plain is no name at all.
 *
 * @module
 */

import type { PeerCertificate } from "../../core/session/peer.ts";
import { childrenOfTag, DerTag, type DerValue, objectIdentifier, readDer } from "./der.ts";

const COMMON_NAME = "2.5.4.3";

/** What the parts of a subject are called; others go by their number. */
const NAMES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.4": "SN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "street",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.12": "title",
  "2.5.4.13": "description",
  "2.5.4.17": "postalCode",
  "2.5.4.42": "GN",
  "2.5.4.43": "initials",
  "2.5.4.46": "dnQualifier",
  "0.9.2342.19200300.100.1.1": "UID",
  "0.9.2342.19200300.100.1.25": "DC",
  "1.2.840.113549.1.9.1": "emailAddress",
};

/** Bytes of a character in each kind of string; UTF-8 has no such number. */
const WIDTHS: Readonly<Record<number, number>> = {
  0x12: 1,
  0x13: 1,
  0x14: 1,
  0x16: 1,
  0x1a: 1,
  0x1c: 4,
  0x1e: 2,
};
const UTF8_STRING = 0x0c;

/** Reads the subject of a certificate in DER; throws a `SyntaxError` if it is not one. */
export function certificateName(certificate: Uint8Array): PeerCertificate {
  const [body] = childrenOfTag(readDer(certificate), DerTag.SEQUENCE);
  const fields = childrenOfTag(body, DerTag.SEQUENCE);
  // The version is left out by version 1.
  const subject = fields[fields[0]?.tag === 0xa0 ? 5 : 4];
  const groups = childrenOfTag(subject, DerTag.SEQUENCE).map((group) =>
    childrenOfTag(group, DerTag.SET).map((part) => {
      const [type, value] = childrenOfTag(part, DerTag.SEQUENCE);
      if (value === undefined) throw new SyntaxError("A part of a name has no value");
      return { type: objectIdentifier(type), value };
    })
  );
  const commonName = groups.flat().find(({ type }) => type === COMMON_NAME);
  return {
    commonName: commonName && plainText(commonName.value),
    subject: formatName(groups),
  };
}

/** Whole UTF-8 without U+0000, and not nothing. */
function plainText(value: DerValue): string | undefined {
  const text = isText(value) ? decode(value.contents) : undefined;
  return text === "" || text?.includes("\0") ? undefined : text;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

interface NamePart {
  readonly type: string;
  readonly value: DerValue;
}

/** The last part comes first, as RFC 2253 has it; `undefined` when a part is not text. */
function formatName(groups: readonly (readonly NamePart[])[]): string | undefined {
  const texts: string[] = [];
  for (const group of groups.toReversed()) {
    const parts = group.toReversed().map(formatPart);
    if (parts.includes(undefined)) return undefined;
    texts.push(parts.join("+"));
  }
  return texts.join(",");
}

function formatPart({ type, value }: NamePart): string | undefined {
  const name = NAMES[type];
  if (name === undefined || !isText(value)) return `${name ?? type}=#${hex(value.whole)}`;
  const text = textOf(value);
  return text === undefined ? undefined : `${name}=${escape(text)}`;
}

function isText({ tag }: DerValue): boolean {
  return tag === UTF8_STRING || tag in WIDTHS;
}

function textOf({ tag, contents }: DerValue): string | undefined {
  if (tag === UTF8_STRING) return decode(contents);
  const width = WIDTHS[tag]!;
  if (contents.length % width !== 0) return undefined;
  let text = "";
  for (let at = 0; at < contents.length; at += width) {
    let point = 0;
    for (const byte of contents.subarray(at, at + width)) point = point * 256 + byte;
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined;
    text += String.fromCodePoint(point);
  }
  return text;
}

/** Escapes what has a meaning, controls, and each byte of what is not ASCII. */
function escape(text: string): string {
  let escaped = "";
  const bytes = new TextEncoder().encode(text);
  bytes.forEach((byte, at) => {
    const character = String.fromCharCode(byte);
    const isEdge = at === 0 && (character === " " || character === "#") ||
      at === bytes.length - 1 && character === " ";
    if (byte < 0x20 || byte > 0x7e) escaped += `\\${hex(Uint8Array.of(byte))}`;
    else escaped += isEdge || ',+"\\<>;'.includes(character) ? `\\${character}` : character;
  });
  return escaped;
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).toUpperCase().padStart(2, "0");
  return text;
}
