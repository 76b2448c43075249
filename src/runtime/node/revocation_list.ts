/**
 * Certificate revocation lists, read and checked here for the occasions on which a runtime's own
 * check cannot be had: not every runtime has one, and none can be told to overlook dates only.
 *
 * The idea: a list counts only when the very issuer signed it and it is current; a list with a
 * critical extension or an algorithm that is not known here is not usable at all.
 *
 * @module
 */

import { type KeyObject, verify, type X509Certificate } from "node:crypto";
import {
  childrenOf,
  childrenOfTag,
  DerTag,
  type DerValue,
  expectTag,
  objectIdentifier,
  readDer,
} from "./der.ts";

/** Hashes by signature algorithm: of RSA, then of ECDSA; Ed25519 has its own inside. */
const HASHES: Readonly<Record<string, string | null>> = {
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
  "1.3.101.112": null,
};
const BOOLEAN = 0x01;
const EXTENSIONS = 0xa0;

/** The lists of a PEM text, a text each; throws a `SyntaxError` when there is none. */
export function splitRevocationLists(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN X509 CRL-----[^-]*-----END X509 CRL-----/g);
  if (blocks === null) throw new SyntaxError("There is no revocation list");
  return blocks;
}

/** The lists of a PEM text; throws a `SyntaxError` for one that is not usable. */
export function readRevocationLists(pem: string): RevocationList[] {
  return splitRevocationLists(pem).map((block) => {
    const text = block.slice(block.indexOf("\n"), block.lastIndexOf("\n")).trim();
    return new RevocationList(decodeBase64(text));
  });
}

function decodeBase64(text: string): Uint8Array {
  let decoded: string;
  try {
    decoded = atob(text);
  } catch {
    throw new SyntaxError("A revocation list is not in Base64");
  }
  return Uint8Array.from(decoded, (character) => character.charCodeAt(0));
}

/** What one issuer has revoked. */
export class RevocationList {
  readonly #signed: Uint8Array;
  readonly #signature: Uint8Array;
  readonly #hash: string | null;
  readonly #issuer: string;
  readonly #from: number;
  readonly #to: number;
  readonly #serials = new Set<string>();

  constructor(der: Uint8Array) {
    const [body, algorithm, signature] = childrenOfTag(readDer(der), DerTag.SEQUENCE);
    const fields = childrenOfTag(body, DerTag.SEQUENCE);
    if (fields[0]?.tag === DerTag.INTEGER) fields.shift();
    const [innerAlgorithm, issuer, from, to] = fields.splice(0, 4);
    const name = objectIdentifier(childrenOfTag(algorithm, DerTag.SEQUENCE)[0]);
    const hash = HASHES[name];
    if (hash === undefined || text(innerAlgorithm) !== text(algorithm)) {
      throw new SyntaxError("A revocation list is signed by an unknown algorithm");
    }
    this.#hash = hash;
    this.#signed = body!.whole;
    const bits = expectTag(signature, DerTag.BIT_STRING).contents;
    if (bits[0] !== 0) throw new SyntaxError("A signature is not made of whole bytes");
    this.#signature = bits.subarray(1);
    this.#issuer = text(expectTag(issuer, DerTag.SEQUENCE));
    this.#from = instantOf(from);
    // One without an end could be any number of years old.
    this.#to = instantOf(to);
    for (const field of fields) {
      if (field.tag === EXTENSIONS) refuseCritical(childrenOf(field)[0]);
      else childrenOfTag(field, DerTag.SEQUENCE).forEach((entry) => this.#add(entry));
    }
  }

  /** Whether this is the current list of that issuer, by its own signature. */
  isOf(issuer: X509Certificate, now: number): boolean {
    return this.#issuer === text(certificateFields(issuer.raw).subject) &&
      this.#from <= now && now <= this.#to && this.#isSignedBy(issuer.publicKey);
  }

  /** Whether it names a certificate of its issuer. */
  lists(certificate: X509Certificate): boolean {
    return this.#serials.has(text(certificateFields(certificate.raw).serial));
  }

  #add(entry: DerValue): void {
    const [serial, , extensions] = childrenOfTag(entry, DerTag.SEQUENCE);
    this.#serials.add(text(expectTag(serial, DerTag.INTEGER)));
    if (extensions !== undefined) refuseCritical(extensions);
  }

  #isSignedBy(key: KeyObject): boolean {
    try {
      return verify(this.#hash, this.#signed, key, this.#signature);
    } catch {
      // The key is of another kind than the signature.
      return false;
    }
  }
}

function certificateFields(
  der: Uint8Array,
): { readonly serial: DerValue | undefined; readonly subject: DerValue | undefined } {
  const [body] = childrenOfTag(readDer(der), DerTag.SEQUENCE);
  const fields = childrenOfTag(body, DerTag.SEQUENCE);
  if (fields[0]?.tag === EXTENSIONS) fields.shift();
  return { serial: fields[0], subject: fields[4] };
}

function refuseCritical(extensions: DerValue | undefined): void {
  for (const extension of childrenOfTag(extensions, DerTag.SEQUENCE)) {
    const [, critical] = childrenOfTag(extension, DerTag.SEQUENCE);
    if (critical?.tag === BOOLEAN && critical.contents[0] !== 0) {
      throw new SyntaxError("A revocation list has an unknown critical extension");
    }
  }
}

/** Milliseconds since 1970. */
function instantOf(value: DerValue | undefined): number {
  const digits = String.fromCharCode(...value?.contents ?? []);
  const match = /^(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
  const isLong = value?.tag === DerTag.GENERALIZED_TIME;
  if (match === null || (match[1] !== undefined) !== isLong) {
    throw new SyntaxError("A revocation list has no usable date");
  }
  const [, century, year, month, day, hour, minute, second] = match;
  const fullYear = `${century ?? (Number(year) < 50 ? 20 : 19)}${year}`;
  return Date.parse(`${fullYear}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** The bytes as text, to compare them. */
function text(value: DerValue | undefined): string {
  return value === undefined ? "" : String.fromCharCode(...value.whole);
}
