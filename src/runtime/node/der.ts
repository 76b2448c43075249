/**
 * Reads DER, the form of certificates and revocation lists: tag, length, contents. Only what those
 * need; numbers of a tag above 30 and lengths that are not known beforehand do not occur there.
 *
 * The idea: a value is a pair of views of the bytes, and what is in it is read when asked for.
 * Anything malformed throws a `SyntaxError`.
 *
 * @module
 */

/** One value. */
export interface DerValue {
  readonly tag: number;
  readonly contents: Uint8Array;
  /** Tag and length included. */
  readonly whole: Uint8Array;
}

export const DerTag = {
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OBJECT_IDENTIFIER: 0x06,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const;

/** Reads bytes that are one value and nothing else. */
export function readDer(bytes: Uint8Array): DerValue {
  const value = readAt(bytes, 0);
  if (value.whole.length !== bytes.length) throw new SyntaxError("Bytes follow a DER value");
  return value;
}

/** The values that a value consists of. */
export function childrenOf(value: DerValue): DerValue[] {
  const children: DerValue[] = [];
  for (let at = 0; at < value.contents.length;) {
    const child = readAt(value.contents, at);
    children.push(child);
    at += child.whole.length;
  }
  return children;
}

/** The children of a value that must be of a kind. */
export function childrenOfTag(value: DerValue | undefined, tag: number): DerValue[] {
  return childrenOf(expectTag(value, tag));
}

/** The value itself, if it is there and of a kind. */
export function expectTag(value: DerValue | undefined, tag: number): DerValue {
  if (value?.tag !== tag) throw new SyntaxError("A DER value is not of the kind expected");
  return value;
}

/** `1.2.840` and so on. */
export function objectIdentifier(value: DerValue | undefined): string {
  const { contents } = expectTag(value, DerTag.OBJECT_IDENTIFIER);
  const parts: number[] = [];
  let part = 0;
  // One identifier has one form: what is cut off or begins with nothing is another's disguise.
  const isWhole = contents.length > 0 && contents.at(-1)! < 0x80;
  const isMinimal = contents.every((byte, at) =>
    byte !== 0x80 || (at > 0 && contents[at - 1]! >= 0x80)
  );
  if (!isWhole || !isMinimal) throw new SyntaxError("A DER object identifier is malformed");
  for (const byte of contents) {
    part = part * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(part)) throw new SyntaxError("A DER object identifier is too long");
    if (byte >= 0x80) continue;
    if (parts.length === 0) {
      const first = Math.min(2, Math.floor(part / 40));
      parts.push(first, part - first * 40);
    } else parts.push(part);
    part = 0;
  }
  return parts.join(".");
}

function readAt(bytes: Uint8Array, start: number): DerValue {
  const tag = bytes[start];
  let length = bytes[start + 1];
  if (tag === undefined || length === undefined) throw new SyntaxError("A DER value is cut off");
  let at = start + 2;
  if (length > 0x84 || length === 0x80) throw new SyntaxError("A DER length is out of range");
  if (length > 0x80) {
    const end = at + (length & 0x7f);
    for (length = 0; at < end; at++) length = length * 256 + (bytes[at] ?? 0);
  }
  if (at + length > bytes.length) throw new SyntaxError("A DER value is cut off");
  return {
    tag,
    contents: bytes.subarray(at, at + length),
    whole: bytes.subarray(start, at + length),
  };
}
