// Revocation lists as they are read where a runtime's own check cannot be had.

import { assertEquals, assertThrows } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { readRevocationLists } from "../../src/runtime/node/revocation_list.ts";
import { test } from "../harness.ts";
import { Authority } from "../support/certificates.ts";

const authority = await Authority.create("CN=Root");
const namesake = await Authority.create("CN=Root");
const revoked = await authority.issue("CN=revoked");
const other = await authority.issue("CN=other");
const pem = await authority.revocationList([revoked]);

const x509 = ({ certificate }: { readonly certificate: string }) =>
  new X509Certificate(certificate);

test("RevocationList.lists() knows what is listed", () => {
  const [list] = readRevocationLists(pem);
  assertEquals([list!.lists(x509(revoked)), list!.lists(x509(other))], [true, false]);
});

test("RevocationList.isOf() wants the issuer's name, its signature and the present", () => {
  const [list] = readRevocationLists(pem);
  const day = 86_400_000;
  assertEquals(
    [
      list!.isOf(x509(authority), Date.now()),
      list!.isOf(x509(namesake), Date.now()),
      list!.isOf(x509(other), Date.now()),
      list!.isOf(x509(authority), Date.now() - 2 * day),
      list!.isOf(x509(authority), Date.now() + 11 * day),
    ],
    [true, false, false, false, false],
  );
});

test("RevocationList.isOf() believes no list that was changed", () => {
  const bytes = Uint8Array.from(
    atob(pem.replace(/-----.*-----/g, "").replace(/\s/g, "")),
    (character) => character.charCodeAt(0),
  );
  for (let at = 0; at < bytes.length; at++) {
    const bad = Uint8Array.from(bytes);
    bad[at]! ^= 0x01;
    const text = btoa(String.fromCharCode(...bad));
    const changed = `-----BEGIN X509 CRL-----\n${text}\n-----END X509 CRL-----\n`;
    try {
      const [list] = readRevocationLists(changed);
      assertEquals(list!.isOf(x509(authority), Date.now()), false, `byte ${at}`);
    } catch (error) {
      assertEquals(error instanceof SyntaxError, true, String(error));
    }
  }
});

test("readRevocationLists() reads several, and refuses a text without any", async () => {
  const both = pem + await namesake.revocationList([]);
  assertEquals(readRevocationLists(both).length, 2);
  assertThrows(() => readRevocationLists(""), SyntaxError);
  assertThrows(() => readRevocationLists(revoked.certificate), SyntaxError);
});

test("readRevocationLists() refuses what is no Base64 like all else that is not usable", () => {
  const text = "-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n";
  assertThrows(() => readRevocationLists(text), SyntaxError);
});
