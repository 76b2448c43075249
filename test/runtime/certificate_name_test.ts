// Who a certificate says it is about, in the form in which access is decided by it.

import { assertEquals, assertThrows } from "@std/assert";
import { certificateName } from "../../src/runtime/node/certificate_name.ts";
import { test } from "../harness.ts";
import { Authority } from "../support/certificates.ts";

const authority = await Authority.create("CN=Root");

type Subject = Parameters<Authority["issue"]>[0];

/** Subjects in the order of their bytes. */
const CASES: readonly (readonly [Subject, string | undefined, string | undefined])[] = [
  ["C=DE,O=Midge,CN=one", "one", "CN=one,O=Midge,C=DE"],
  [[{ O: ["Midge"] }], undefined, "O=Midge"],
  [[{ CN: ["first"] }, { CN: ["second"] }], "first", "CN=second,CN=first"],
  // The tool that makes the certificate takes one of two backslashes for itself.
  [[{ CN: ['a,b+c"d\\\\e<f>g;h'] }], 'a,b+c"d\\e<f>g;h', 'CN=a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h'],
  [[{ CN: ["é"] }], "é", "CN=\\C3\\A9"],
  [[{ CN: [" x "] }], " x ", "CN=\\ x\\ "],
  // UTF8String "a\0b".
  [[{ CN: ["#0c03610062"] }], undefined, "CN=a\\00b"],
  [[{ CN: ["#0c00"] }], undefined, "CN="],
  // BMPString "hi".
  [[{ CN: ["#1e0400680069"] }], undefined, "CN=hi"],
  // Not a text at all, and a part that has no name.
  [[{ CN: ["#020105"] }], undefined, "CN=#020105"],
  [[{ "1.2.3.4": ["#0c0161"] }], undefined, "1.2.3.4=#0C0161"],
];

/** Not every runtime reads all that is tried here. */
function bytesOf(pem: string): Uint8Array {
  const text = atob(pem.replace(/-----.*-----/g, "").replace(/\s/g, ""));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

for (const [subject, commonName, text] of CASES) {
  test(`certificateName() reads ${JSON.stringify(subject)}`, async () => {
    const { certificate } = await authority.issue(subject);
    assertEquals(certificateName(bytesOf(certificate)), {
      commonName,
      subject: text,
    });
  });
}

test("certificateName() takes bytes that are no UTF-8 for no name at all", async () => {
  const { certificate } = await authority.issue([{ CN: ["#0c0451515151"] }]);
  const bytes = bytesOf(certificate);
  const at = bytes.findIndex((_, i) => bytes.subarray(i, i + 4).every((byte) => byte === 0x51));
  bytes.set([0xc3, 0x28], at);
  assertEquals(certificateName(bytes), { commonName: undefined, subject: undefined });
});

test("certificateName() throws for whatever is not a certificate", async () => {
  const raw = bytesOf((await authority.issue("CN=x")).certificate);
  for (let length = 0; length < raw.length; length++) {
    assertThrows(() => certificateName(raw.subarray(0, length)), SyntaxError);
  }
  assertThrows(() => certificateName(Uint8Array.of(...raw, 0)), SyntaxError);
  for (let at = 0; at < raw.length; at++) {
    const bad = Uint8Array.from(raw);
    bad[at]! ^= 0xff;
    try {
      certificateName(bad);
    } catch (error) {
      assertEquals(error instanceof SyntaxError, true);
    }
  }
});

test("certificateName() takes an object identifier in no form but its own", async () => {
  // 1.2.130.3.7: as it is written, with a byte too many, cut off, and nothing at all.
  const raw = bytesOf((await authority.issue([{ "1.2.130.3.7": ["#0c0161"] }])).certificate);
  const own = [0x06, 0x05, 0x2a, 0x81, 0x02, 0x03, 0x07];
  const at = raw.findIndex((_, i) => own.every((byte, j) => raw[i + j] === byte));
  assertEquals(certificateName(raw).subject, "1.2.130.3.7=#0C0161");
  for (const bytes of [[0x2a, 0x80, 0x02, 0x03, 0x07], [0x2a, 0x81, 0x02, 0x03, 0x87]]) {
    raw.set(bytes, at + 2);
    assertThrows(() => certificateName(raw), SyntaxError);
  }
});
