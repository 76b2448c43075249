/**
 * DER: the subject of a certificate, by which access is decided, and lists of revoked ones. Whatever
 * is wrong with them is a `SyntaxError`, and a name cannot pretend to have other parts than it has.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { certificateName } from "../../../src/runtime/node/certificate_name.ts";
import { readRevocationLists, RevocationList } from "../../../src/runtime/node/revocation_list.ts";
import { bytesOf, type FuzzTarget, inAnySurroundings, outcomeOf, textOf } from "../target.ts";

const SEQUENCE = 0x30;
const SET = 0x31;
const COMMON_NAME = [0x06, 3, 0x55, 4, 3];
const ECDSA_SHA256 = [0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const UTF8 = 0x0c;
const BMP = 0x1e;

function der(tag: number, ...contents: readonly (readonly number[])[]): number[] {
  const all = contents.flat();
  return [
    tag,
    ...all.length < 128 ? [all.length] : [0x82, all.length >> 8, all.length & 255],
    ...all,
  ];
}

function part(tag: number, text: string): number[] {
  return der(SET, der(SEQUENCE, COMMON_NAME, der(tag, [...bytesOf(text)])));
}

function certificateOf(...parts: readonly number[][]): Uint8Array {
  const empty = der(SEQUENCE);
  const subject = der(SEQUENCE, ...parts);
  const version = der(0xa0, der(2, [2]));
  const body = der(SEQUENCE, version, der(2, [1]), empty, empty, empty, subject);
  return Uint8Array.from(der(SEQUENCE, body, empty, der(3, [0])));
}

function listOf(...serials: readonly number[]): Uint8Array {
  const algorithm = der(SEQUENCE, ECDSA_SHA256);
  const date = (text: string) => der(0x17, [...bytesOf(text)]);
  const entries = serials.map((serial) => der(SEQUENCE, der(2, [serial]), date("250101000000Z")));
  const extensions = der(0xa0, der(SEQUENCE, der(SEQUENCE, COMMON_NAME, der(4, [1]))));
  const body = der(
    SEQUENCE,
    ...[der(2, [1]), algorithm, der(SEQUENCE, part(UTF8, "CA"))],
    ...[date("250101000000Z"), date("990101000000Z"), der(SEQUENCE, ...entries), extensions],
  );
  return Uint8Array.from(der(SEQUENCE, body, algorithm, der(3, [0, 1, 2, 3])));
}

const TOKENS = ["\x30\x0b", "\x31\x09", "\x06\x03\x55\x04\x03", "\x0c\x01a", "\x1e\x02\0a", ",+\\"];

export const certificateNames: FuzzTarget = {
  name: "certificate_names",
  tokens: TOKENS,
  seeds: () => [
    certificateOf(part(UTF8, "a"), part(UTF8, 'b,c+d\\"')),
    certificateOf(part(BMP, "\0h\0i"), part(0x13, " x "), part(0x02, "n")),
    certificateOf(),
  ],
  run(input) {
    const outcome = inAnySurroundings(
      input,
      (bytes, start, end) =>
        outcomeOf(() => certificateName(bytes.subarray(start, end)), SyntaxError),
    );
    if ("fault" in outcome) return;
    const { commonName, subject } = outcome.value;
    assert(commonName === undefined || (commonName !== "" && !commonName.includes("\0")));
    if (subject === undefined) return;
    assert(/^[\x20-\x7e]*$/.test(subject));
    // Without what is escaped, each part is a name, an equals sign and a plain value.
    const plain = subject.replaceAll(/\\(?:[\da-f]{2}|.)/gi, "");
    for (const one of plain.split(/[,+]/)) {
      assert(one === "" || /^[\w.]+=[^,+"\\<>;]*$/.test(one), `"${one}" is no part of a name`);
    }
  },
};

export const revocationLists: FuzzTarget = {
  name: "revocation_lists",
  tokens: [...TOKENS, "-----BEGIN X509 CRL-----\n", "\n-----END X509 CRL-----", "250101000000Z"],
  seeds: () => {
    const list = listOf(1, 2);
    const base64 = btoa(String.fromCharCode(...list));
    return [
      list,
      listOf(),
      bytesOf(`-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n`),
      bytesOf("-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n"),
    ];
  },
  run(input) {
    const asBytes = inAnySurroundings(
      input,
      (bytes, start, end) =>
        outcomeOf(() => new RevocationList(bytes.slice(start, end)) instanceof Object, SyntaxError),
    );
    const base64 = btoa(String.fromCharCode(...input));
    const pem = `-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----`;
    const asText = outcomeOf(() => readRevocationLists(pem).length === 1, SyntaxError);
    assertEquals(asText, asBytes);
    outcomeOf(() => readRevocationLists(textOf(input)), SyntaxError);
  },
};
